/* test_streams.c: what is known of the senders of numbered packets. */
#include "streams.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "address.h"
#include "chance.h"

static const uint32_t HOST = 0xc0000201;

static struct streams streams;
static union udpbatch_addr from;

static int begin(void **state)
{
    (void)state;
    from = address_in4(HOST, 9000);
    streams_begin(&streams, 42);
    return 0;
}

static int end(void **state)
{
    (void)state;
    streams_end(&streams);
    return 0;
}

static void take(uint64_t number, uint64_t total)
{
    const struct numbered header = { .stream = 1, .number = number, .total = total };
    streams_take(&streams, &from, &header, 0);
}

static void take_delayed(uint64_t sent_ns, uint64_t came_ns)
{
    const struct numbered header = { .stream = 1, .number = sent_ns, .sent_ns = sent_ns };
    streams_take(&streams, &from, &header, came_ns);
}

static const struct stream *only(void)
{
    assert_int_equal(streams.count, 1);
    return streams.list[0];
}

static void expect(uint64_t distinct, uint64_t lost, uint64_t duplicated, uint64_t reordered,
                   uint64_t old)
{
    const struct stream *stream = only();
    assert_int_equal(stream->distinct, distinct);
    assert_int_equal(stream_lost(stream, true), lost);
    assert_int_equal(stream->duplicated, duplicated);
    assert_int_equal(stream->reordered, reordered);
    assert_int_equal(stream->old, old);
    assert_int_equal(stream->received, distinct + duplicated + old);
}

/* ---- Numbers ------------------------------------------------------------------------------- */

static void packets_in_order_are_neither_lost_nor_anything_else(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 200000; i++)
        take(i, 200000);
    expect(200000, 0, 0, 0, 0);
}

static void gaps_and_the_tail_are_lost(void **state)
{
    (void)state;
    take(1, 10);
    take(2, 10);
    take(5, 10);
    expect(3, 7, 0, 0, 0);
}

static void while_more_may_come_the_tail_is_not_lost(void **state)
{
    (void)state;
    take(1, 10);
    take(5, 10);
    assert_int_equal(stream_lost(only(), false), 4);
}

static void without_a_total_the_tail_is_not_known(void **state)
{
    (void)state;
    take(1, 0);
    take(5, 0);
    expect(2, 4, 0, 0, 0);
}

static void a_packet_twice_is_duplicated(void **state)
{
    (void)state;
    take(0, 3);
    take(2, 3);
    take(0, 3);
    take(2, 3);
    take(2, 3);
    expect(2, 1, 3, 0, 0);
}

static void a_packet_below_the_highest_is_reordered(void **state)
{
    (void)state;
    const uint64_t arrival[] = { 0, 1, 2, 7, 8, 9, 3, 4, 5, 6, 10 };
    for (size_t i = 0; i < sizeof arrival / sizeof *arrival; i++)
        take(arrival[i], 11);
    expect(11, 0, 0, 4, 0);
}

static void numbers_are_known_as_far_as_the_window_goes(void **state)
{
    (void)state;
    take(1, 0);
    take(STREAM_WINDOW, 0);
    take(1, 0);
    take(2, 0);
    expect(3, STREAM_WINDOW + 1 - 3, 1, 1, 0);
    take(0, 0);
    take(STREAM_WINDOW + 1, 0);
    take(1, 0);
    expect(4, STREAM_WINDOW + 2 - 4, 1, 1, 2);
}

static void a_window_that_moves_forgets_what_had_its_places(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < STREAM_WINDOW; i++)
        take(i, 0);
    take(STREAM_WINDOW + 100, 0);
    take(STREAM_WINDOW + 50, 0);
    take(10 * STREAM_WINDOW, 0);
    take(10 * STREAM_WINDOW - 1, 0);
    take(10 * STREAM_WINDOW + 1, 0);
    expect(STREAM_WINDOW + 5, 9 * STREAM_WINDOW + 2 - 5, 0, 2, 0);
}

/* Against a note of each number, without a window. */
static void whatever_comes_is_counted_as_by_a_note_of_each(void **state)
{
    enum { NUMBERS = 1 << 22, PACKETS = 20000 };
    bool *came = calloc(NUMBERS, sizeof *came);
    uint64_t highest = 0, distinct = 0, duplicated = 0, old = 0;

    (void)state;
    assert_non_null(came);
    for (int i = 0; i < PACKETS; i++) {
        static const unsigned steps[] = { 2, 64, 200, STREAM_WINDOW, STREAM_WINDOW + 3 };
        const uint64_t step = below(steps[below(one_in(500) ? 5 : 3)] + 1);
        const uint64_t back = below(one_in(50) ? STREAM_WINDOW + 100 : 300);
        const uint64_t number = one_in(2) ? highest + step : back < highest ? highest - back : 0;
        if (number >= NUMBERS)
            break;
        take(number, 0);
        if (number + STREAM_WINDOW <= highest)
            old++;
        else if (came[number])
            duplicated++;
        else
            distinct++;
        came[number] = true;
        highest = number > highest ? number : highest;
    }
    free(came);
    assert_int_equal(only()->distinct, distinct);
    assert_int_equal(only()->duplicated, duplicated);
    assert_int_equal(only()->old, old);
}

static void the_largest_numbers_are_counted_right(void **state)
{
    (void)state;
    take(UINT64_MAX, 0);
    expect(1, UINT64_MAX, 0, 0, 0);
    take(UINT64_MAX - 1, UINT64_MAX);
    take(UINT64_MAX, 0);
    take(0, 0);
    expect(2, UINT64_MAX - 1, 1, 1, 1);
}

static void a_total_that_shrinks_is_not_believed(void **state)
{
    (void)state;
    take(7, 8);
    take(0, 1);
    expect(2, 6, 0, 1, 0);
}

/* ---- Senders ------------------------------------------------------------------------------- */

static void take_from(const union udpbatch_addr *address, uint32_t id)
{
    const struct numbered header = { .stream = id };
    streams_take(&streams, address, &header, 0);
}

static void senders_differ_by_host_port_and_stream(void **state)
{
    union udpbatch_addr addresses[] = { address_in4(HOST, 1), address_in4(HOST, 2),
                                        address_in4(HOST + 1, 1), address_in4(HOST, 1),
                                        address_in4(HOST, 1) };
    enum { COUNT = sizeof addresses / sizeof *addresses };

    (void)state;
    address_map(&addresses[3]);
    addresses[4] = addresses[3];
    addresses[4].in6.sin6_scope_id = 1;
    for (int round = 0; round < 3; round++)
        for (size_t i = 0; i < COUNT; i++)
            for (uint32_t id = 0; id < 2; id++)
                take_from(&addresses[i], id);
    assert_int_equal(streams.count, 2 * COUNT);
    for (size_t i = 0; i < streams.count; i++)
        assert_int_equal(streams.list[i]->received, 3);
    assert_int_equal(streams.list[2]->from.in4.sin_port, htons(2));
}

static void senders_beyond_the_most_are_counted_together(void **state)
{
    (void)state;
    for (int round = 0; round < 2; round++)
        for (uint32_t id = 0; id < STREAMS_MAX + 100; id++)
            take_from(&from, id);
    assert_int_equal(streams.count, STREAMS_MAX);
    assert_int_equal(streams.not_followed, 200);
    for (size_t i = 0; i < STREAMS_MAX; i++) {
        assert_int_equal(streams.list[i]->id, i);
        assert_int_equal(streams.list[i]->received, 2);
    }
}

/* ---- Delays -------------------------------------------------------------------------------- */

static void delays_are_the_time_from_leaving_to_coming(void **state)
{
    (void)state;
    for (uint64_t i = 1; i <= 1000; i++)
        take_delayed(1000000 + i, 1000000 + i + i * 1000);
    assert_true(stream_has_delays(only()));
    assert_int_equal(only()->least_ns, 1000);
    assert_int_equal(only()->most_ns, 1000000);
    assert_in_range(stream_delay_ns(only(), 0.5), 500000, 508000);
    assert_in_range(stream_delay_ns(only(), 0.99), 990000, 1000000);
    assert_int_equal(stream_delay_ns(only(), 1), 1000000);
}

static void a_packet_that_came_before_it_left_shows_two_clocks(void **state)
{
    (void)state;
    take_delayed(100, 200);
    take_delayed(300, 299);
    assert_false(stream_has_delays(only()));
    assert_int_equal(only()->too_soon, 1);
}

static void without_times_there_are_no_delays(void **state)
{
    (void)state;
    take_delayed(0, 200);
    take_delayed(100, 0);
    assert_false(stream_has_delays(only()));
    assert_int_equal(only()->too_soon, 0);
}

static void the_longest_delay_is_counted_right(void **state)
{
    (void)state;
    take_delayed(1, UINT64_MAX);
    assert_int_equal(stream_delay_ns(only(), 0.5), UINT64_MAX - 1);
    assert_int_equal(only()->least_ns, UINT64_MAX - 1);
}

#define STREAM_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STREAM_TEST(packets_in_order_are_neither_lost_nor_anything_else),
        STREAM_TEST(gaps_and_the_tail_are_lost),
        STREAM_TEST(while_more_may_come_the_tail_is_not_lost),
        STREAM_TEST(without_a_total_the_tail_is_not_known),
        STREAM_TEST(a_packet_twice_is_duplicated),
        STREAM_TEST(a_packet_below_the_highest_is_reordered),
        STREAM_TEST(numbers_are_known_as_far_as_the_window_goes),
        STREAM_TEST(a_window_that_moves_forgets_what_had_its_places),
        STREAM_TEST(whatever_comes_is_counted_as_by_a_note_of_each),
        STREAM_TEST(the_largest_numbers_are_counted_right),
        STREAM_TEST(a_total_that_shrinks_is_not_believed),
        STREAM_TEST(senders_differ_by_host_port_and_stream),
        STREAM_TEST(senders_beyond_the_most_are_counted_together),
        STREAM_TEST(delays_are_the_time_from_leaving_to_coming),
        STREAM_TEST(a_packet_that_came_before_it_left_shows_two_clocks),
        STREAM_TEST(without_times_there_are_no_delays),
        STREAM_TEST(the_longest_delay_is_counted_right),
    };
    chance_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
