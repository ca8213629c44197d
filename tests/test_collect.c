/* test_collect.c: what is received at the end: all that the kernel has handed over by then.
 * Linked with --wrap=udpbatch_receiver_receive. */
#include "collect.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"
#include "interrupt.h"

enum { COUNT = 100, LEN = 50, SKIPPED = 77 };

static struct collect collect;
static struct sink sink;
static int port;
static void (*after_receive)(void);
static uint64_t system_calls; /* of the first time that something was received */

int __real_udpbatch_receiver_receive(struct udpbatch_receiver *receiver,
                                     struct udpbatch_received *packets, size_t n);
int __wrap_udpbatch_receiver_receive(struct udpbatch_receiver *receiver,
                                     struct udpbatch_received *packets, size_t n);

int __wrap_udpbatch_receiver_receive(struct udpbatch_receiver *receiver,
                                     struct udpbatch_received *packets, size_t n)
{
    struct udpbatch_receiver_stats stats = { .size = sizeof stats };
    int count = __real_udpbatch_receiver_receive(receiver, packets, n);

    udpbatch_receiver_stats(receiver, &stats);
    if (system_calls == 0)
        system_calls = stats.system_calls;
    after_receive();
    return count;
}

static void pass_deadline(void)
{
    collect.deadline_ns = 0;
}

static void interrupt(void)
{
    if (!interrupted())
        raise(SIGINT);
}

static struct udpbatch_receiver_stats stats(void)
{
    struct udpbatch_receiver_stats stats = { .size = sizeof stats };
    udpbatch_receiver_stats(collect.receiver, &stats);
    return stats;
}

static int open_port(union udpbatch_addr *addr)
{
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    socklen_t len = sizeof *addr;

    *addr = (union udpbatch_addr){ .in4 = { .sin_family = AF_INET,
                                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK) } };
    assert_int_equal(bind(fd, &addr->sa, sizeof addr->in4), 0);
    assert_int_equal(getsockname(fd, &addr->sa, &len), 0);
    return fd;
}

/* Two trains, which the kernel hands over at once. */
static void send_trains(const union udpbatch_addr *to)
{
    static const unsigned char payload[LEN];
    struct udpbatch_packet packets[COUNT];
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);

    for (size_t i = 0; i < COUNT; i++)
        packets[i] = (struct udpbatch_packet){ .data = payload, .len = LEN, .to = to };
    assert_int_equal(udpbatch_send(fd, packets, COUNT).sent, COUNT);
    close(fd);
}

/* To a file that takes all, for so many packets at most. */
static void begin(uint64_t most, void (*hook)(void))
{
    union udpbatch_addr addr;
    struct reason reason;

    port = open_port(&addr);
    collect = (struct collect){ .sink = &sink, .most = most, .deadline_ns = UINT64_MAX };
    collect.receiver = udpbatch_receiver_open(port, NULL, NULL);
    assert_non_null(collect.receiver);
    assert_true(sink_open(&sink, &(struct sink_settings){ .name = "/dev/null" }, &reason));
    streams_begin(&collect.streams, 1);
    ticker_begin(&collect.ticker, 0, clock_now_ns());
    after_receive = hook;
    system_calls = 0;
    send_trains(&addr);
}

static void end(void)
{
    sink_close(&sink);
    streams_end(&collect.streams);
    udpbatch_receiver_close(collect.receiver);
    close(port);
}

static void expect_received(uint64_t count)
{
    assert_int_equal(collect_run(&collect), TICK_NONE);
    assert_int_equal(stats().trains, 2);
    assert_int_equal(sink.packets, count);
    assert_int_equal(stats().system_calls, system_calls);
    assert_int_equal(stats().held, COUNT - count);
}

static void what_was_handed_over_by_the_deadline_is_received(void **state)
{
    (void)state;
    begin(UINT64_MAX, pass_deadline);
    expect_received(COUNT);
    end();
}

static void what_was_handed_over_before_an_interrupt_is_received(void **state)
{
    (void)state;
    begin(UINT64_MAX, interrupt);
    expect_received(COUNT);
    end();
}

static void no_more_is_received_than_was_asked_for(void **state)
{
    (void)state;
    begin(COUNT - 10, pass_deadline);
    expect_received(COUNT - 10);
    end();
}

static bool has_trains(void)
{
    struct udpbatch_receiver *receiver;
    struct udpbatch_received received[1];
    union udpbatch_addr addr;
    const int fd = open_port(&addr);

    receiver = udpbatch_receiver_open(fd, NULL, NULL);
    send_trains(&addr);
    assert_int_equal(udpbatch_receiver_receive(receiver, received, 1), 1);
    collect.receiver = receiver;
    const bool has = stats().trains > 0;
    udpbatch_receiver_close(receiver);
    close(fd);
    return has;
}

static void nothing(void)
{
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_handed_over_by_the_deadline_is_received),
        cmocka_unit_test(no_more_is_received_than_was_asked_for),
        cmocka_unit_test(what_was_handed_over_before_an_interrupt_is_received),
    };
    unsetenv("UDPBATCH_GSO");
    after_receive = nothing;
    if (!has_trains()) {
        puts("cannot run here: trains do not arrive as such");
        return SKIPPED;
    }
    interrupt_catch();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
