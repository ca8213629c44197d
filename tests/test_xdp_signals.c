/* test_xdp_signals.c: signals, and children that their handlers fork, disturb neither a ring nor a
 * socket that waits for room.
 *
 * The program makes hosts of its own (past_stack.h). It needs root or user namespaces, ip and tc;
 * where these are missing it exits with 77, or fails if CI is set.
 */
#define _GNU_SOURCE
#include "alarms.h"
#include "full_queue.h"
#include "own_process.h"
#include "singles.h"

#include <stdlib.h>

static struct udpbatch_packet packets[MANY];

/* Not each time, as that may take longer than until the next signal. */
static void fork_at_times(void)
{
    if (alarms_count() % 8 == 0)
        fork_one_that_leaves();
}

/* ---- Rings ----------------------------------------------------------------------------------- */

static void signals_and_their_children_disturb_no_ring(void **state)
{
    enum { N = 100, SIGNALS = 60 };
    struct port port = far_port();
    struct xdp xdp = xdp_begin(AF_INET);

    (void)state;
    for (int restarts = 0; restarts < 2; restarts++) {
        expect_all_past(&xdp, &port);
        make_singles(packets, N, &port.addr);
        alarms_begin(restarts != 0, fork_at_times);
        while (alarms_count() < SIGNALS) {
            int flushed;
            for (size_t i = 0; i < N; i++)
                packets[i].status = 0;
            xdp_send(&xdp, packets, N);
            do
                flushed = udpbatch_sender_flush(xdp.sending.sender, PATIENCE_MS);
            while (flushed == -EINTR);
            assert_int_equal(flushed, 0);
            expect_arrival(&port, packets, N);
        }
        alarms_end();
        assert_true(xdp_stats(&xdp).xdp_packets > 0);
    }
    expect_all_past(&xdp, &port);
    xdp_end(&xdp);
    port_close(&port);
}

/* Its netlink sockets among them: open waits for nothing that a signal could end. */
static void signals_do_not_keep_it_from_being_opened(void **state)
{
    struct port port = far_port();

    (void)state;
    alarms_begin(false, NULL);
    for (int i = 0; i < 10 || alarms_count() < 20; i++) {
        struct xdp xdp = xdp_begin(AF_INET);
        assert_int_equal(xdp_send_one(&xdp, &port.addr, 10), 1);
        xdp_end(&xdp);
    }
    alarms_end();
    port_close(&port);
}

/* ---- A full queue ---------------------------------------------------------------------------- */

static void signals_and_their_children_lose_nothing_of_a_socket_that_blocks(void **state)
{
    enum { SIGNALS = 20 };
    struct port port = far_port();

    (void)state;
    need_a_queue(FLOWING);
    for (size_t i = 0; udpbatch_backend_name(i) != NULL; i++) {
        struct sending sending = begin_narrow(udpbatch_backend_name(i), packets, &port);
        alarms_begin(false, fork_at_times);
        assert_int_equal(sending_send(&sending, packets, WAITING).sent, WAITING);
        expect_arrival(&port, packets, WAITING);
        make_packets(packets, WAITING, 1000, &port.addr);
        assert_int_equal(udpbatch_send(sending.fd, packets, WAITING).sent, WAITING);
        expect_arrival(&port, packets, WAITING);
        assert_in_range(alarms_count(), SIGNALS, UINT32_MAX);
        alarms_end();
        sending_end(&sending);
    }
    port_close(&port);
}

/* Interrupted all the time, and then not at all. */
static void a_wait_for_room_is_over_by_a_signal_or_its_timeout(void **state)
{
    struct port port = far_port();

    (void)state;
    need_a_queue(STANDING);
    for (size_t i = 0; udpbatch_backend_name(i) != NULL; i++) {
        struct sending sending = begin_full(udpbatch_backend_name(i), packets, &port);
        alarms_begin(i % 2 != 0, NULL);
        while (alarms_count() < 10)
            assert_int_equal(udpbatch_sender_wait(sending.sender, PATIENCE_MS), -EINTR);
        for (int error = -EINTR; error != -ETIMEDOUT;) /* to which they come all the same */
            error = udpbatch_sender_wait(sending.sender, WAIT_MS);
        alarms_end();
        int64_t begun = now_ms();
        assert_int_equal(udpbatch_sender_wait(sending.sender, WAIT_MS), -ETIMEDOUT);
        assert_true(now_ms() - begun >= WAIT_MS - 1);
        sending_end(&sending);
    }
    port_close(&port);
}

int main(void)
{
    static const struct test tests[] = {
        TEST_ONCE(the_way_to_the_far_side_is_open),
        TEST_ONCE(signals_and_their_children_disturb_no_ring),
        TEST_ONCE(signals_do_not_keep_it_from_being_opened),
        TEST_ONCE(signals_and_their_children_lose_nothing_of_a_socket_that_blocks),
        TEST_ONCE(a_wait_for_room_is_over_by_a_signal_or_its_timeout),
    };
    const char *missing = past_stack_make();
    unsetenv("UDPBATCH_GSO");
    if (missing != NULL)
        return must_be_able(missing) ? EXIT_FAILURE : EXIT_SKIP;
    return run_all("signals past the stack", tests, COUNT_OF(tests));
}
