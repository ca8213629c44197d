/* test_old_header.c: a program that was compiled with an older header runs with the library of
 * today: old_header/udpbatch.h is of a time when senders had neither a pace nor a way past the
 * network stack. */
#include <udpbatch.h>

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#ifdef UDPBATCH_DETOURS
#error "this is the header of today"
#endif

enum { NOT_OURS = 0xa5, PACKETS = 3 };

/* What an older program has behind its structures in memory: whatever it is, it is not the
 * library's. */
struct behind {
    unsigned char bytes[512];
};

static void behind_fill(struct behind *behind)
{
    memset(behind->bytes, NOT_OURS, sizeof behind->bytes);
}

static void expect_untouched(const struct behind *behind)
{
    for (size_t i = 0; i < sizeof behind->bytes; i++)
        assert_int_equal(behind->bytes[i], NOT_OURS);
}

struct loopback {
    int fd;
    union udpbatch_addr addr; /* sends to itself */
};

static struct loopback loopback_open(void)
{
    struct loopback loopback = { .fd = socket(AF_INET, SOCK_DGRAM, 0) };
    socklen_t len = sizeof loopback.addr;

    loopback.addr.in4.sin_family = AF_INET;
    loopback.addr.in4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(loopback.fd, &loopback.addr.sa, sizeof loopback.addr.in4), 0);
    assert_int_equal(getsockname(loopback.fd, &loopback.addr.sa, &len), 0);
    return loopback;
}

static void expect_three_sent(struct udpbatch_sender *sender, const union udpbatch_addr *to)
{
    struct udpbatch_packet packets[PACKETS] = {
        { .data = "one", .len = 3, .to = to },
        { .data = "two", .len = 3, .to = to },
        { .data = "three", .len = 5, .to = to },
    };
    struct udpbatch_tally tally = udpbatch_sender_send(sender, packets, PACKETS);

    assert_int_equal(tally.sent, PACKETS);
    assert_int_equal(tally.first_refused, PACKETS);
}

static void what_is_behind_older_options_of_a_sender_is_not_read(void **state)
{
    (void)state;
    struct loopback loopback = loopback_open();
    struct {
        struct udpbatch_sender_options options;
        struct behind behind;
    } program = { .options = { .size = sizeof program.options, .backend = "portable" } };

    behind_fill(&program.behind);
    struct udpbatch_sender *sender = udpbatch_sender_open(loopback.fd, &program.options, NULL);
    assert_non_null(sender);
    expect_three_sent(sender, &loopback.addr);

    udpbatch_sender_close(sender);
    close(loopback.fd);
}

static void the_options_that_an_older_program_knows_count(void **state)
{
    (void)state;
    struct loopback loopback = loopback_open();
    struct udpbatch_sender_options options = { .size = sizeof options, .backend = "none" };
    int error;

    assert_null(udpbatch_sender_open(loopback.fd, &options, &error));
    assert_int_equal(error, ENOENT);
    close(loopback.fd);
}

static void an_older_program_gets_the_statistics_of_a_sender_that_it_knows(void **state)
{
    (void)state;
    struct loopback loopback = loopback_open();
    struct udpbatch_sender_options options = { .size = sizeof options, .backend = "portable" };
    struct udpbatch_sender *sender = udpbatch_sender_open(loopback.fd, &options, NULL);
    struct {
        struct udpbatch_sender_stats stats;
        struct behind behind;
    } program = { .stats = { .size = sizeof program.stats } };

    assert_non_null(sender);
    expect_three_sent(sender, &loopback.addr);
    behind_fill(&program.behind);
    udpbatch_sender_stats(sender, &program.stats);
    assert_int_equal(program.stats.size, sizeof program.stats);
    assert_int_equal(program.stats.packets, PACKETS);
    assert_int_equal(program.stats.bytes, strlen("onetwothree"));
    assert_string_equal(program.stats.backend, "portable");
    expect_untouched(&program.behind);

    udpbatch_sender_close(sender);
    close(loopback.fd);
}

static void what_is_behind_older_structures_of_a_receiver_is_neither_read_nor_written(void **state)
{
    (void)state;
    struct loopback loopback = loopback_open();
    struct {
        struct udpbatch_receiver_options options;
        struct behind behind_options;
        struct udpbatch_receiver_stats stats;
        struct behind behind_stats;
    } program;
    struct udpbatch_received packet;

    memset(&program, 0, sizeof program); /* and its padding, in which there are members now */
    program.options.size = sizeof program.options;
    program.options.packet_size = 2;
    program.stats.size = sizeof program.stats;
    behind_fill(&program.behind_options);
    behind_fill(&program.behind_stats);
    struct udpbatch_receiver *receiver =
        udpbatch_receiver_open(loopback.fd, &program.options, NULL);
    assert_non_null(receiver);
    assert_int_equal(
        sendto(loopback.fd, "three", 5, 0, &loopback.addr.sa, sizeof loopback.addr.in4), 5);
    assert_int_equal(udpbatch_receiver_receive(receiver, &packet, 1), 1);
    assert_int_equal(packet.len, 2);
    assert_int_equal(packet.truncated, 1);
    assert_memory_equal(packet.data, "th", 2);

    udpbatch_receiver_stats(receiver, &program.stats);
    assert_int_equal(program.stats.packets, 1);
    assert_int_equal(program.stats.truncated, 1);
    assert_non_null(program.stats.backend);
    expect_untouched(&program.behind_options);
    expect_untouched(&program.behind_stats);

    udpbatch_receiver_close(receiver);
    close(loopback.fd);
}

static void the_functions_of_level_1_and_the_fan_out_are_as_they_were(void **state)
{
    (void)state;
    struct loopback loopback = loopback_open();
    struct udpbatch_packet payload = { .data = "one", .len = 3 };
    struct udpbatch_packet packet;
    struct udpbatch_fanout fanout = {
        .payloads = &payload, .payload_count = 1, .targets = &loopback.addr, .target_count = 1
    };

    assert_int_equal(udpbatch_fanout_fill(&fanout, 0, &packet, 1), 1);
    assert_int_equal(udpbatch_send(loopback.fd, &packet, 1).sent, 1);
    assert_int_equal(
        udpbatch_multi_target_send(loopback.fd, "two", 3, &loopback.addr, 1, NULL).sent, 1);
    assert_int_equal(udpbatch_error_meaning(EMSGSIZE), UDPBATCH_PACKET);
    close(loopback.fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_behind_older_options_of_a_sender_is_not_read),
        cmocka_unit_test(the_options_that_an_older_program_knows_count),
        cmocka_unit_test(an_older_program_gets_the_statistics_of_a_sender_that_it_knows),
        cmocka_unit_test(what_is_behind_older_structures_of_a_receiver_is_neither_read_nor_written),
        cmocka_unit_test(the_functions_of_level_1_and_the_fan_out_are_as_they_were),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
