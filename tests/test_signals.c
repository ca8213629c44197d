/* test_signals.c: signals end no send, and lose nothing of what is sent and received; and what
 * errno was means nothing.
 */
#define _GNU_SOURCE
#include "alarms.h"
#include "receiving.h"

#include <netinet/in.h>
#include <signal.h>

static struct udpbatch_packet packets[MANY];

enum { SIGNALS = 60, AT_ONCE = 100 };

/* Level 2 with a rate, so that it waits, too. */
static struct sending begin_waiting(void **state, bool blocks)
{
    const struct way *way = *state;
    const struct udpbatch_sender_options options =
        options_with_rate(way, 100 * AT_ONCE, AT_ONCE / 4);
    udpbatch_socket fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sending sending =
        way->backend != NULL ? sending_begin_with(fd, &options) : sending_begin(way, fd);

    set_blocking(fd, blocks);
    return sending;
}

static void send_under_signals(struct sending *sending, bool restarts, void (*act)(void))
{
    struct port port = port_open(AF_INET);

    alarms_begin(restarts, act);
    while (alarms_count() < SIGNALS) {
        make_packets(packets, AT_ONCE, 50, &port.addr);
        sending_send_all(sending, packets, AT_ONCE);
        expect_status(packets, AT_ONCE, 1);
        expect_arrival(&port, packets, AT_ONCE);
    }
    alarms_end();
    port_close(&port);
}

static void signals_lose_nothing_and_send_nothing_twice(void **state)
{
    for (int i = 0; i < 4; i++) {
        struct sending sending = begin_waiting(state, i / 2 != 0);
        send_under_signals(&sending, i % 2 != 0, NULL);
        sending_end(&sending);
    }
}

static struct {
    udpbatch_socket fd;
    union udpbatch_addr to;
    uint32_t sent;
} of_handler;

static void send_one_more(void)
{
    struct udpbatch_packet packet = { .data = &of_handler.sent,
                                      .len = sizeof of_handler.sent,
                                      .to = &of_handler.to };
    of_handler.sent += udpbatch_send(of_handler.fd, &packet, 1).sent == 1;
}

/* What it sends, and what it interrupts, arrives. */
static void a_handler_may_send_by_level_1(void **state)
{
    struct sending sending = begin_waiting(state, true);
    struct port port = port_open(AF_INET);
    uint32_t number;

    of_handler.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    of_handler.to = port.addr;
    of_handler.sent = 0;
    send_one_more();
    send_under_signals(&sending, true, send_one_more);
    assert_in_range(of_handler.sent, SIGNALS + 1, UINT32_MAX);
    for (uint32_t i = 0; i < of_handler.sent; i++) {
        assert_int_equal(receive_one(port.fd, &number, sizeof number, NULL), sizeof number);
        assert_int_equal(number, i);
    }
    expect_nothing(port.fd);
    close_socket(of_handler.fd);
    port_close(&port);
    sending_end(&sending);
}

/* A signal may end each wait, and each call that waits unless its handler is SA_RESTART; what is
 * there comes by another one. */
static bool may_give_nothing(int count, bool restarts, bool blocks)
{
    return blocks ? count == -EINTR && !restarts : count == -EAGAIN;
}

static void expect_all_received(struct receiving *receiving, size_t n, bool restarts, bool blocks)
{
    struct udpbatch_received received[AT_ONCE];

    for (size_t next = 0; next < n;) {
        int wait = udpbatch_receiver_wait(receiving->receiver, PATIENCE_MS);
        assert_true(wait == 0 || wait == -EINTR);
        int count = udpbatch_receiver_receive(receiving->receiver, received, n);
        assert_true(count > 0 || may_give_nothing(count, restarts, blocks));
        for (int i = 0; i < count; i++, next++) {
            assert_int_equal(received[i].len, packets[next].len);
            assert_memory_equal(received[i].data, packets[next].data, packets[next].len);
        }
    }
}

static void signals_lose_nothing_that_is_received(void **state)
{
    enum { N = 20 };

    for (int i = 0; i < 4; i++) {
        const bool restarts = i % 2 != 0, blocks = i / 2 != 0;
        struct receiving receiving =
            receiving_begin(state, AF_INET, (struct udpbatch_receiver_options){ 0 });

        set_blocking(receiving.port.fd, blocks);
        alarms_begin(restarts, NULL);
        while (alarms_count() < SIGNALS) {
            make_packets(packets, N, 40, &receiving.port.addr);
            assert_int_equal(udpbatch_send(receiving.from.fd, packets, N).sent, N);
            expect_all_received(&receiving, N, restarts, blocks);
        }
        alarms_end();
        expect_nothing(receiving.port.fd);
        receiving_end(&receiving);
    }
}

static void a_receive_that_waits_is_over_by_a_signal(void **state)
{
    struct receiving receiving =
        receiving_begin(state, AF_INET, (struct udpbatch_receiver_options){ 0 });
    struct udpbatch_received received;

    set_blocking(receiving.port.fd, true);
    alarms_begin(false, NULL);
    while (alarms_count() < SIGNALS)
        assert_int_equal(udpbatch_receiver_receive(receiving.receiver, &received, 1), -EINTR);
    alarms_end();
    receiving_end(&receiving);
}

static void send_one_at_last(void)
{
    if (alarms_count() == SIGNALS)
        send_one_more();
}

/* It is interrupted all the time until a handler sends. */
static void a_receive_that_waits_goes_on_after_a_handler_with_sa_restart(void **state)
{
    struct receiving receiving =
        receiving_begin(state, AF_INET, (struct udpbatch_receiver_options){ 0 });
    struct udpbatch_received received;

    set_blocking(receiving.port.fd, true);
    of_handler.fd = receiving.from.fd;
    of_handler.to = receiving.port.addr;
    of_handler.sent = 0;
    alarms_begin(true, send_one_at_last);
    assert_int_equal(udpbatch_receiver_receive(receiving.receiver, &received, 1), 1);
    assert_int_equal(received.len, sizeof of_handler.sent);
    assert_in_range(alarms_count(), SIGNALS, UINT32_MAX);
    alarms_end();
    receiving_end(&receiving);
}

/* And one that lasts longer than its timeout says that it was reached. */
static void a_wait_is_over_by_a_signal_or_its_timeout(void **state)
{
    enum { TIMEOUT_MS = 30 };
    const struct way *way = *state;
    struct udpbatch_sender_options options = options_with_rate(way, 0.01, 1);
    struct receiving receiving =
        receiving_begin(state, AF_INET, (struct udpbatch_receiver_options){ 0 });
    int64_t begun;

    struct sending sending =
        sending_begin_with(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), &options);
    make_packets(packets, 2, 4, &receiving.port.addr);
    assert_int_equal(sending_send(&sending, packets, 2).unsent_error, EBUSY);
    expect_arrival(&receiving.port, packets, 2);
    for (int restarts = 0; restarts < 2; restarts++) {
        alarms_begin(restarts != 0, NULL);
        while (alarms_count() < SIGNALS) {
            assert_int_equal(udpbatch_sender_wait(sending.sender, PATIENCE_MS), -EINTR);
            assert_int_equal(udpbatch_receiver_wait(receiving.receiver, PATIENCE_MS), -EINTR);
        }
        alarms_end();
    }
    assert_int_equal(udpbatch_sender_wait(sending.sender, 0), -ETIMEDOUT); /* and begins anew */
    begun = now_ms();
    assert_int_equal(udpbatch_sender_wait(sending.sender, TIMEOUT_MS), -ETIMEDOUT);
    assert_int_equal(udpbatch_receiver_wait(receiving.receiver, TIMEOUT_MS), -ETIMEDOUT);
    assert_true(now_ms() - begun >= 2 * TIMEOUT_MS - 2); /* of two clocks that were cut */
    sending_end(&sending);
    receiving_end(&receiving);
}

static void what_errno_was_before_a_call_means_nothing(void **state)
{
    static const int errors[] = { EINTR, EAGAIN, EBADF, ENOBUFS, EPERM, ENOSYS, ECONNREFUSED, 0 };
    struct sending sending = sending_begin_unbound(*state);
    struct port port = port_open(AF_INET);
    struct udpbatch_receiver *receiver = udpbatch_receiver_open(port.fd, NULL, NULL);
    struct udpbatch_received received[4];

    make_nonblocking(port.fd);
    for (size_t i = 0; i < COUNT_OF(errors); i++) {
        make_packets(packets, 3, 20, &port.addr);
        errno = errors[i];
        assert_int_equal(sending_send(&sending, packets, 3).sent, 3);
        errno = errors[i];
        assert_int_equal(udpbatch_receiver_wait(receiver, PATIENCE_MS), 0);
        errno = errors[i];
        assert_int_equal(udpbatch_receiver_receive(receiver, received, 4), 3);
        errno = errors[i];
        assert_int_equal(udpbatch_receiver_receive(receiver, received, 4), -EAGAIN);
    }
    udpbatch_receiver_close(receiver);
    port_close(&port);
    sending_end(&sending);
}

int main(void)
{
    static const struct test tests[] = {
        TEST_EACH_WAY(signals_lose_nothing_and_send_nothing_twice),
        TEST_EACH_WAY(a_handler_may_send_by_level_1),
        TEST_EACH_BACKEND(signals_lose_nothing_that_is_received),
        TEST_EACH_BACKEND(a_receive_that_waits_is_over_by_a_signal),
        TEST_EACH_BACKEND(a_receive_that_waits_goes_on_after_a_handler_with_sa_restart),
        TEST_EACH_BACKEND(a_wait_is_over_by_a_signal_or_its_timeout),
        TEST_EACH_WAY(what_errno_was_before_a_call_means_nothing),
    };
    unsetenv("UDPBATCH_GSO");
    return run_all("signals", tests, COUNT_OF(tests));
}
