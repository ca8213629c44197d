/* test_receiver.c: what arrives on loopback is received by every back end, and what is lost is
 * counted. */
#define _GNU_SOURCE
#include "receiving.h"

static struct udpbatch_packet packets[MANY];
static struct udpbatch_received received[MANY];

static struct receiving begin(void **state, int family, uint32_t batch, uint32_t packet_size)
{
    struct udpbatch_receiver_options options = { .batch = batch, .packet_size = packet_size };
    return receiving_begin(state, family, options);
}

/* Numbered packets of 100 bytes. */
static void send_numbers(struct receiving *receiving, size_t n)
{
    make_packets(packets, n, 100, NULL);
    for (size_t i = 0; i < n; i++)
        receiving_send(receiving, packets[i].data, packets[i].len);
}

/* Receives once, after a wait for it. */
static int receive(struct receiving *receiving, size_t n)
{
    return receiving_receive(receiving, received, n);
}

/* Receives until n have come, and checks that they are the numbers first, first + 1 ... */
static void expect_numbers(struct receiving *receiving, size_t first, size_t n)
{
    for (size_t done = 0; done < n;) {
        int count = receive(receiving, n - done);
        assert_in_range(count, 1, n - done);
        for (size_t i = 0; i < (size_t)count; i++, done++) {
            assert_int_equal(received[i].len, packets[first + done].len);
            assert_int_equal(received[i].truncated, 0);
            assert_memory_equal(received[i].data, packets[first + done].data, received[i].len);
            assert_true(same_address(received[i].from, &receiving->from.addr));
        }
    }
}

/* ---- Datagrams ------------------------------------------------------------------------------- */

static void receive_batch(void **state, int family)
{
    const struct way *way = *state;
    struct receiving receiving = begin(state, family, 200, 0);

    send_numbers(&receiving, 150);
    expect_numbers(&receiving, 0, 150);
    assert_int_equal(udpbatch_receiver_receive(receiving.receiver, received, 200), -EAGAIN);
    struct udpbatch_receiver_stats stats = receiver_stats(receiving.receiver);
    assert_int_equal(stats.packets, 150);
    assert_int_equal(stats.bytes, 150 * 100);
    assert_int_equal(stats.truncated, 0);
    assert_int_equal(stats.dropped, 0);
    assert_string_equal(stats.backend, way->backend);
    receiving_end(&receiving);
}

static void a_batch_is_received_whole_and_with_its_ipv4_source(void **state)
{
    receive_batch(state, AF_INET);
}

static void a_batch_is_received_whole_and_with_its_ipv6_source(void **state)
{
    need_family(AF_INET6);
    receive_batch(state, AF_INET6);
}

static void what_is_there_is_received_in_the_order_of_its_arrival(void **state)
{
    struct receiving receiving = begin(state, AF_INET, 0, 0);

    send_numbers(&receiving, 50);
    expect_numbers(&receiving, 0, 50);
    receiving_end(&receiving);
}

static void what_is_there_costs_as_few_calls_as_it_can(void **state)
{
    struct receiving receiving = begin(state, AF_INET, 0, 0);

    send_numbers(&receiving, 50);
    expect_numbers(&receiving, 0, 50);
    struct udpbatch_receiver_stats stats = receiver_stats(receiving.receiver);
    if (strcmp(stats.backend, "sendmmsg") == 0)
        assert_int_equal(stats.system_calls, 1);
    if (strcmp(stats.backend, "portable") == 0)
        assert_int_equal(stats.system_calls, 50);
    if (strcmp(stats.backend, "winsock") == 0) /* with a look behind each */
        assert_in_range(stats.system_calls, 50, 100);
    receiving_end(&receiving);
}

static void the_largest_batch_is_1024(void **state)
{
    struct receiving receiving = begin(state, AF_INET, 1024, 200);
    size_t done = 0;

    for (; done < 100 * 15; done += 100) { /* no more at a time than any buffer holds */
        send_numbers(&receiving, 100);
        expect_numbers(&receiving, 0, 100);
    }
    assert_int_equal(receiver_stats(receiving.receiver).packets, done);
    assert_int_equal(udpbatch_receiver_receive(receiving.receiver, received, 5000), -EAGAIN);
    receiving_end(&receiving);
}

static void what_does_not_fit_into_n_is_left_for_the_next_call(void **state)
{
    struct receiving receiving = begin(state, AF_INET, 0, 0);

    send_numbers(&receiving, 10);
    expect_numbers(&receiving, 0, 3);
    assert_int_equal(udpbatch_receiver_receive(receiving.receiver, received, 0), 0);
    expect_numbers(&receiving, 3, 7);
    assert_int_equal(udpbatch_receiver_receive(receiving.receiver, received, 1), -EAGAIN);
    receiving_end(&receiving);
}

static void what_does_not_fit_into_the_batch_is_left_for_the_next_call(void **state)
{
    struct receiving receiving = begin(state, AF_INET, 4, 0);

    send_numbers(&receiving, 10);
    for (size_t first = 0; first < 8; first += 4) {
        int count = receive(&receiving, 100);
        assert_int_equal(count, 4);
        assert_memory_equal(received[3].data, packets[first + 3].data, 100);
    }
    expect_numbers(&receiving, 8, 2);
    receiving_end(&receiving);
}

static void a_datagram_longer_than_the_packet_size_is_cut_and_says_so(void **state)
{
    struct receiving receiving = begin(state, AF_INET, 0, 50);
    const size_t lens[] = { 49, 50, 51, 1000, 0 };

    make_packets(packets, COUNT_OF(lens), 1000, NULL);
    for (size_t i = 0; i < COUNT_OF(lens); i++)
        receiving_send(&receiving, packets[i].data, lens[i]);
    for (size_t i = 0; i < COUNT_OF(lens); i++) {
        assert_int_equal(receive(&receiving, 1), 1);
        assert_int_equal(received[0].len, lens[i] < 50 ? lens[i] : 50);
        assert_int_equal(received[0].truncated, lens[i] > 50);
        assert_memory_equal(received[0].data, packets[i].data, received[0].len);
    }
    struct udpbatch_receiver_stats stats = receiver_stats(receiving.receiver);
    assert_int_equal(stats.truncated, 2);
    assert_int_equal(stats.bytes, 49 + 50 + 50 + 50);
    assert_int_equal(stats.packets, 5);
    receiving_end(&receiving);
}

static void an_empty_datagram_is_a_datagram(void **state)
{
    struct receiving receiving = begin(state, AF_INET, 0, 0);

    receiving_send(&receiving, "", 0);
    assert_int_equal(receive(&receiving, 10), 1);
    assert_int_equal(received[0].len, 0);
    assert_int_equal(received[0].truncated, 0);
    assert_non_null(received[0].data);
    assert_true(same_address(received[0].from, &receiving.from.addr));
    receiving_end(&receiving);
}

static void receive_longest(void **state, int family, size_t longest)
{
    static unsigned char payload[65535];
    struct receiving receiving = begin(state, family, 0, 0);

    for (size_t i = 0; i < sizeof payload; i++)
        payload[i] = (unsigned char)(i * 31 + i / 251);
    receiving_send(&receiving, payload, longest);
    assert_int_equal(receive(&receiving, 10), 1);
    assert_int_equal(received[0].len, longest);
    assert_int_equal(received[0].truncated, 0);
    assert_memory_equal(received[0].data, payload, longest);
    receiving_end(&receiving);
}

static void the_longest_ipv4_datagram_is_received_whole(void **state)
{
    receive_longest(state, AF_INET, 65507);
}

static void the_longest_ipv6_datagram_is_received_whole(void **state)
{
    need_family(AF_INET6);
    receive_longest(state, AF_INET6, 65527);
}

/* ---- Waiting --------------------------------------------------------------------------------- */

static void an_empty_nonblocking_socket_gives_eagain(void **state)
{
    struct receiving receiving = begin(state, AF_INET, 0, 0);

    assert_int_equal(udpbatch_receiver_receive(receiving.receiver, received, 10), -EAGAIN);
    assert_int_equal(receiver_stats(receiving.receiver).packets, 0);
    receiving_end(&receiving);
}

static void an_empty_nonblocking_socket_costs_one_call(void **state)
{
    struct receiving receiving = begin(state, AF_INET, 0, 0);

    assert_int_equal(udpbatch_receiver_receive(receiving.receiver, received, 10), -EAGAIN);
    assert_int_equal(receiver_stats(receiving.receiver).system_calls, 1);
    receiving_end(&receiving);
}

/* The socket's own time limits prove the waiting for the first, and bound that for a second. */
static void a_blocking_socket_waits_for_the_first_datagram_only(void **state)
{
    struct port port = port_open(AF_INET);
    struct receiving receiving = { .port = port, .from = port_open(AF_INET) };

    receiving.receiver = receiver_open(state, port.fd, (struct udpbatch_receiver_options){ 0 });
    set_receive_timeout(port.fd, 50);
    int64_t before = now_ms();
    assert_int_equal(udpbatch_receiver_receive(receiving.receiver, received, 10), -EAGAIN);
    assert_true(now_ms() - before >= 45);

    set_receive_timeout(port.fd, 2 * PATIENCE_MS);
    send_numbers(&receiving, 3);
    before = now_ms();
    assert_int_equal(udpbatch_receiver_receive(receiving.receiver, received, 10), 3);
    assert_true(now_ms() - before < PATIENCE_MS);
    receiving_end(&receiving);
}

static void a_wait_ends_with_a_datagram_or_its_time(void **state)
{
    struct receiving receiving = begin(state, AF_INET, 0, 0);

    assert_int_equal(udpbatch_receiver_wait(receiving.receiver, 0), -ETIMEDOUT);
    int64_t before = now_ms();
    assert_int_equal(udpbatch_receiver_wait(receiving.receiver, 30), -ETIMEDOUT);
    assert_true(now_ms() - before >= 29);
    send_numbers(&receiving, 1);
    assert_int_equal(udpbatch_receiver_wait(receiving.receiver, PATIENCE_MS), 0);
    assert_int_equal(udpbatch_receiver_wait(receiving.receiver, -1), 0);
    expect_numbers(&receiving, 0, 1);
    assert_int_equal(udpbatch_receiver_wait(receiving.receiver, 0), -ETIMEDOUT);
    receiving_end(&receiving);
}

/* One that waits; the others have nothing there. */
static void a_socket_shut_down_for_reading_ends_after_its_datagrams(void **state)
{
    need(!IS_WINDOWS, "datagrams that outlive a shutdown");
    struct receiving receiving = begin(state, AF_INET, 0, 0);

    set_blocking(receiving.port.fd, true);
    send_numbers(&receiving, 3);
    shutdown(receiving.port.fd, SHUT_RD); /* works, and says ENOTCONN */
    expect_numbers(&receiving, 0, 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(udpbatch_receiver_receive(receiving.receiver, received, 10), -EPIPE);
    assert_int_equal(receiver_stats(receiving.receiver).packets, 3);
    receiving_end(&receiving);
}

static void a_closed_descriptor_is_told(void **state)
{
    struct receiving receiving = begin(state, AF_INET, 0, 0);

    port_close(&receiving.port);
    assert_int_equal(udpbatch_receiver_wait(receiving.receiver, PATIENCE_MS), -ERROR_OF_CLOSED);
    assert_int_equal(udpbatch_receiver_receive(receiving.receiver, received, 10), -ERROR_OF_CLOSED);
    receiving_end(&receiving);
}

static void a_refused_connection_is_reported_once(void **state)
{
    need(!is_wine(), "what ICMP brings, told to who receives");
    struct receiving receiving = begin(state, AF_INET, 0, 0);
    union udpbatch_addr nobody = closed_port(AF_INET);

    connect_to(receiving.port.fd, &nobody);
    assert_int_equal(send(receiving.port.fd, "x", 1, 0), 1);
    assert_int_equal(receive(&receiving, 10), -ECONNREFUSED);
    assert_int_equal(udpbatch_receiver_receive(receiving.receiver, received, 10), -EAGAIN);
    receiving_end(&receiving);
}

/* ---- Drops ----------------------------------------------------------------------------------- */

/* Receives until all that was sent is received or counted as dropped. */
static uint64_t receive_or_count(struct receiving *receiving, size_t sent)
{
    int64_t before = now_ms();
    struct udpbatch_receiver_stats stats;
    do {
        udpbatch_receiver_receive(receiving->receiver, received, MANY);
        stats = receiver_stats(receiving->receiver);
        assert_true(now_ms() - before < PATIENCE_MS);
    } while (stats.packets + stats.dropped < sent);
    assert_int_equal(stats.packets + stats.dropped, sent);
    assert_true(stats.packets > 0);
    return stats.dropped;
}

static void what_a_full_buffer_drops_is_counted_though_nothing_follows(void **state)
{
    need(COUNTS_DROPS, "counts of what was dropped");
    struct receiving receiving = begin(state, AF_INET, 0, 0);

    set_option(receiving.port.fd, SOL_SOCKET, SO_RCVBUF, 1);
    send_numbers(&receiving, 1000);
    uint64_t dropped = receive_or_count(&receiving, 1000);
    assert_in_range(dropped, 1, 999);
    assert_int_equal(receiver_stats(receiving.receiver).dropped, dropped); /* not counted twice */

    send_numbers(&receiving, 1000);
    assert_true(receive_or_count(&receiving, 2000) > dropped);
    send_numbers(&receiving, 1);
    expect_numbers(&receiving, 0, 1);
    receiver_stats(receiving.receiver);
    assert_int_equal(receive_or_count(&receiving, 2001),
                     receiver_stats(receiving.receiver).dropped);
    receiving_end(&receiving);
}

static void drops_before_the_receiver_was_opened_are_not_its_own(void **state)
{
    need(COUNTS_DROPS, "counts of what was dropped");
    struct receiving receiving = begin(state, AF_INET, 0, 0);

    set_option(receiving.port.fd, SOL_SOCKET, SO_RCVBUF, 1);
    send_numbers(&receiving, 1000);
    receive_or_count(&receiving, 1000);
    struct udpbatch_receiver *second =
        receiver_open(state, receiving.port.fd, (struct udpbatch_receiver_options){ 0 });
    send_numbers(&receiving, 1);
    assert_int_equal(udpbatch_receiver_wait(second, PATIENCE_MS), 0);
    assert_int_equal(udpbatch_receiver_receive(second, received, 10), 1);
    assert_int_equal(receiver_stats(second).packets, 1);
    assert_int_equal(receiver_stats(second).dropped, 0);
    udpbatch_receiver_close(second);
    receiving_end(&receiving);
}

static void a_receiver_asks_the_kernel_to_count_drops(void **state)
{
    need(COUNTS_DROPS, "counts of what was dropped");
    struct receiving receiving = begin(state, AF_INET, 0, 0);

    assert_int_equal(option_of(receiving.port.fd, SOL_SOCKET, SO_RXQ_OVFL), 1);
    receiving_end(&receiving);
}

/* ---- Opening --------------------------------------------------------------------------------- */

static void a_receiver_wants_a_udp_socket(void **state)
{
    udpbatch_socket file = open_no_socket();
    udpbatch_socket stream = socket(AF_INET, SOCK_STREAM, 0);
    udpbatch_socket local = socket(AF_UNIX, SOCK_DGRAM, 0); /* not everywhere */

    (void)state;
    expect_no_receiver(NO_SOCKET, NULL, ERROR_OF_CLOSED);
    expect_no_receiver(file, NULL, ENOTSOCK);
    expect_no_receiver(stream, NULL, EPROTOTYPE);
    if (local != NO_SOCKET)
        expect_no_receiver(local, NULL, EAFNOSUPPORT);
    close_no_socket(file);
    close_socket(stream);
    close_socket(local);
}

static void options_out_of_range_are_refused(void **state)
{
    struct port port = port_open(AF_INET);
    const struct udpbatch_receiver_options base = { .size = sizeof base };
    struct udpbatch_receiver_options options = base;

    (void)state;
    options.batch = 1025;
    expect_no_receiver(port.fd, &options, EINVAL);
    options.batch = UINT32_MAX;
    expect_no_receiver(port.fd, &options, EINVAL);
    options = base;
    options.packet_size = 65536;
    expect_no_receiver(port.fd, &options, EINVAL);
    options.packet_size = UINT32_MAX;
    expect_no_receiver(port.fd, &options, EINVAL);
    options = base;
    options.trains = UDPBATCH_TRAINS_ALWAYS + 1;
    expect_no_receiver(port.fd, &options, EINVAL);
    options = base;
    options.network_errors = 2;
    expect_no_receiver(port.fd, &options, EINVAL);
    options = base;
    options.size = 0;
    expect_no_receiver(port.fd, &options, EINVAL);
    options = base;
    options.backend = "none of this name";
    expect_no_receiver(port.fd, &options, ENOENT);
    port_close(&port);
}

/* Flags of a packet to be sent are none of them. */
static void only_what_a_receiver_can_tell_may_be_asked_for(void **state)
{
    struct port port = port_open(AF_INET);
    struct udpbatch_receiver_options options = { .size = sizeof options };

    (void)state;
    for (uint32_t bit = 1; bit != 0; bit <<= 1) {
        options.meta = META_ALL | bit;
        if ((META_ALL & bit) == 0)
            expect_no_receiver(port.fd, &options, EINVAL);
    }
    port_close(&port);
}

static void options_at_their_limits_are_taken(void **state)
{
    struct port port = port_open(AF_INET);
    const struct udpbatch_receiver_options limits[] = {
        { .batch = 1024, .packet_size = 65535 },
        { .batch = 1, .packet_size = 1 },
        { .trains = UDPBATCH_TRAINS_ALWAYS },
    };

    for (size_t i = 0; i < COUNT_OF(limits); i++)
        udpbatch_receiver_close(receiver_open(state, port.fd, limits[i]));
    port_close(&port);
}

static void expect_all_or_none(void **state, struct udpbatch_receiver_options options, bool has_it)
{
    struct port port = port_open(AF_INET);

    options.size = sizeof options;
    if (has_it)
        udpbatch_receiver_close(receiver_open(state, port.fd, options));
    else
        expect_no_receiver(port.fd, &options, EOPNOTSUPP);
    port_close(&port);
}

static void what_the_system_does_not_tell_is_refused(void **state)
{
    struct udpbatch_receiver_options errors = { .network_errors = 1 };

    for (uint32_t flag = UDPBATCH_META_CAME_TO; flag <= UDPBATCH_META_CAME_AT; flag <<= 1)
        expect_all_or_none(state, (struct udpbatch_receiver_options){ .meta = flag }, HAS_META);
    expect_all_or_none(state, errors, HAS_NETWORK_ERRORS);
}

static void options_may_be_older_or_newer_than_the_library(void **state)
{
    struct port port = port_open(AF_INET);
    struct {
        struct udpbatch_receiver_options known;
        long later;
    } options = { .known = { .size = sizeof options } };
    struct udpbatch_receiver *receiver = udpbatch_receiver_open(port.fd, &options.known, NULL);

    (void)state;
    assert_non_null(receiver);
    udpbatch_receiver_close(receiver);
    options.later = 1;
    expect_no_receiver(port.fd, &options.known, E2BIG);
    options.known.size = offsetof(struct udpbatch_receiver_options, batch);
    options.known.batch = 1025; /* beyond what the size says is there */
    receiver = udpbatch_receiver_open(port.fd, &options.known, NULL);
    assert_non_null(receiver);
    udpbatch_receiver_close(receiver);
    port_close(&port);
}

static void closing_no_receiver_is_allowed(void **state)
{
    (void)state;
    udpbatch_receiver_close(NULL);
}

int main(void)
{
    static const struct test tests[] = {
        TEST_EACH_BACKEND(a_batch_is_received_whole_and_with_its_ipv4_source),
        TEST_EACH_BACKEND(a_batch_is_received_whole_and_with_its_ipv6_source),
        TEST_EACH_BACKEND(what_is_there_is_received_in_the_order_of_its_arrival),
        TEST_EACH_BACKEND(what_is_there_costs_as_few_calls_as_it_can),
        TEST_EACH_BACKEND(the_largest_batch_is_1024),
        TEST_EACH_BACKEND(what_does_not_fit_into_n_is_left_for_the_next_call),
        TEST_EACH_BACKEND(what_does_not_fit_into_the_batch_is_left_for_the_next_call),
        TEST_EACH_BACKEND(a_datagram_longer_than_the_packet_size_is_cut_and_says_so),
        TEST_EACH_BACKEND(an_empty_datagram_is_a_datagram),
        TEST_EACH_BACKEND(the_longest_ipv4_datagram_is_received_whole),
        TEST_EACH_BACKEND(the_longest_ipv6_datagram_is_received_whole),
        TEST_EACH_BACKEND(an_empty_nonblocking_socket_gives_eagain),
        TEST_EACH_BACKEND(an_empty_nonblocking_socket_costs_one_call),
        TEST_EACH_BACKEND(a_blocking_socket_waits_for_the_first_datagram_only),
        TEST_EACH_BACKEND(a_wait_ends_with_a_datagram_or_its_time),
        TEST_EACH_BACKEND(a_socket_shut_down_for_reading_ends_after_its_datagrams),
        TEST_EACH_BACKEND(a_closed_descriptor_is_told),
        TEST_EACH_BACKEND(a_refused_connection_is_reported_once),
        TEST_EACH_BACKEND(what_a_full_buffer_drops_is_counted_though_nothing_follows),
        TEST_EACH_BACKEND(drops_before_the_receiver_was_opened_are_not_its_own),
        TEST_EACH_BACKEND(a_receiver_asks_the_kernel_to_count_drops),
        TEST_ONCE(a_receiver_wants_a_udp_socket),
        TEST_ONCE(options_out_of_range_are_refused),
        TEST_ONCE(only_what_a_receiver_can_tell_may_be_asked_for),
        TEST_EACH_BACKEND(options_at_their_limits_are_taken),
        TEST_EACH_BACKEND(what_the_system_does_not_tell_is_refused),
        TEST_ONCE(options_may_be_older_or_newer_than_the_library),
        TEST_ONCE(closing_no_receiver_is_allowed),
    };
    return run_all("receiver", tests, COUNT_OF(tests));
}
