/* test_later_header.c: a program that was compiled with a later header, which has more members than
 * this library knows, runs with it as long as it does not ask for what they are. */
#define _GNU_SOURCE
#include "system.h"

/* The structures of that header. */
struct later_sender_options {
    struct udpbatch_sender_options known;
    uint64_t added;
};
struct later_receiver_options {
    struct udpbatch_receiver_options known;
    uint64_t added;
};
struct later_sender_stats {
    struct udpbatch_sender_stats known;
    uint64_t added;
};
struct later_receiver_stats {
    struct udpbatch_receiver_stats known;
    uint64_t added;
};

static int port_open(void **state)
{
    static udpbatch_socket fd;
    struct sockaddr_in any = { .sin_family = AF_INET };

    begin_sockets();
    fd = socket(AF_INET, SOCK_DGRAM, 0);
    *state = &fd;
    return bind(fd, (const struct sockaddr *)&any, sizeof any);
}

static int port_close(void **state)
{
    close_socket(*(const udpbatch_socket *)*state);
    return 0;
}

static void options_of_a_later_header_are_taken_if_what_is_not_known_is_zero(void **state)
{
    udpbatch_socket fd = *(const udpbatch_socket *)*state;
    struct later_sender_options sending = { .known.size = sizeof sending };
    struct later_receiver_options receiving = { .known.size = sizeof receiving };
    struct udpbatch_sender *sender = udpbatch_sender_open(fd, &sending.known, NULL);
    struct udpbatch_receiver *receiver = udpbatch_receiver_open(fd, &receiving.known, NULL);

    assert_non_null(sender);
    assert_non_null(receiver);
    udpbatch_receiver_close(receiver);
    udpbatch_sender_close(sender);
}

static void what_this_library_does_not_know_is_refused_and_not_left_out(void **state)
{
    udpbatch_socket fd = *(const udpbatch_socket *)*state;
    struct later_sender_options sending = { .known.size = sizeof sending, .added = 1 };
    struct later_receiver_options receiving = { .known.size = sizeof receiving, .added = 1 };
    int error = 0;

    assert_null(udpbatch_sender_open(fd, &sending.known, &error));
    assert_int_equal(error, E2BIG);
    error = 0;
    assert_null(udpbatch_receiver_open(fd, &receiving.known, &error));
    assert_int_equal(error, E2BIG);
}

static void what_is_reserved_for_a_later_header_is_zero(void **state)
{
    struct udpbatch_receiver_options options = { .size = sizeof options, .reserved = 1 };
    int error = 0;

    assert_null(udpbatch_receiver_open(*(const udpbatch_socket *)*state, &options, &error));
    assert_int_equal(error, EINVAL);
}

static void statistics_of_a_sender_that_this_library_does_not_have_are_zero(void **state)
{
    struct udpbatch_sender *sender =
        udpbatch_sender_open(*(const udpbatch_socket *)*state, NULL, NULL);
    struct later_sender_stats stats[2];

    assert_non_null(sender);
    memset(stats, 0xa5, sizeof stats);
    stats[0].known.size = sizeof stats[0];
    udpbatch_sender_stats(sender, &stats[0].known);
    assert_int_equal(stats[0].known.size, sizeof stats[0]);
    assert_int_equal(stats[0].known.packets, 0);
    assert_string_equal(stats[0].known.backend, udpbatch_backend_name(0));
    assert_int_equal(stats[0].known.paced, 0);
    assert_int_equal(stats[0].added, 0);
    assert_int_equal(*(const unsigned char *)&stats[1], 0xa5); /* and no more is written */
    udpbatch_sender_close(sender);
}

static void statistics_of_a_receiver_that_this_library_does_not_have_are_zero(void **state)
{
    struct udpbatch_receiver *receiver =
        udpbatch_receiver_open(*(const udpbatch_socket *)*state, NULL, NULL);
    struct later_receiver_stats stats[2];

    assert_non_null(receiver);
    memset(stats, 0xa5, sizeof stats);
    stats[0].known.size = sizeof stats[0];
    udpbatch_receiver_stats(receiver, &stats[0].known);
    assert_int_equal(stats[0].known.packets, 0);
    assert_non_null(stats[0].known.backend);
    assert_int_equal(stats[0].added, 0);
    assert_int_equal(*(const unsigned char *)&stats[1], 0xa5);
    udpbatch_receiver_close(receiver);
}

#define END_OF(type, last) (offsetof(struct type, last) + sizeof((struct type *)NULL)->last)

/* Or a member that is added would not make them longer: the library could not tell who knows it. */
static void no_options_end_in_padding(void **state)
{
    (void)state;
    assert_int_equal(END_OF(udpbatch_sender_options, burst),
                     sizeof(struct udpbatch_sender_options));
    assert_int_equal(END_OF(udpbatch_receiver_options, reserved),
                     sizeof(struct udpbatch_receiver_options));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            options_of_a_later_header_are_taken_if_what_is_not_known_is_zero, port_open,
            port_close),
        cmocka_unit_test_setup_teardown(what_this_library_does_not_know_is_refused_and_not_left_out,
                                        port_open, port_close),
        cmocka_unit_test_setup_teardown(what_is_reserved_for_a_later_header_is_zero, port_open,
                                        port_close),
        cmocka_unit_test_setup_teardown(
            statistics_of_a_sender_that_this_library_does_not_have_are_zero, port_open, port_close),
        cmocka_unit_test_setup_teardown(
            statistics_of_a_receiver_that_this_library_does_not_have_are_zero, port_open,
            port_close),
        cmocka_unit_test(no_options_end_in_padding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
