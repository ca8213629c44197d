/* test_xdp_descriptors.c: what becomes of descriptors, where that takes a network: past the stack,
 * in another namespace, and while a full queue is waited for.
 *
 * The program makes hosts of its own (past_stack.h). It needs root or user namespaces, ip and tc;
 * where these are missing it exits with 77, or fails if CI is set.
 */
#define _GNU_SOURCE
#include "full_queue.h"
#include "impostor.h"
#include "own_process.h"
#include "singles.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static struct udpbatch_packet packets[MANY];

/* ---- The sender's ---------------------------------------------------------------------------- */

/* Counts those that a program which is executed would get. */
static size_t count_inherited(void)
{
    DIR *folder = opendir("/proc/self/fd");
    size_t count = 0;

    assert_non_null(folder);
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        int flags = fcntl(atoi(entry->d_name), F_GETFD);
        count += entry->d_name[0] != '.' && flags >= 0 && (flags & FD_CLOEXEC) == 0;
    }
    closedir(folder);
    return count;
}

static void its_descriptors_are_closed_by_exec(void **state)
{
    size_t before = count_inherited();
    struct xdp xdp = xdp_begin(AF_INET);
    union udpbatch_addr to = on_cable(AF_INET, 2, 5000);

    (void)state;
    assert_int_equal(xdp_send_one(&xdp, &to, 100), 1);
    assert_int_equal(count_inherited(), before);
    xdp_end(&xdp);
}

static udpbatch_socket to_open;

static int open_one(void)
{
    const struct udpbatch_sender_options options = xdp_options("near");
    int error = 0;

    udpbatch_sender_close(udpbatch_sender_open(to_open, &options, &error));
    return error;
}

static void an_open_without_memory_leaves_no_descriptor(void **state)
{
    struct port port = port_open(AF_INET);

    (void)state;
    if (SANITIZED) {
        print_message("cannot run here: a sanitizer takes memory of its own\n");
        skip();
    }
    to_open = port.fd;
    pid_t child = fork();
    if (child == 0)
        leave(opens_with_little_memory(open_one, 64));
    expect_well(child);
    port_close(&port);
}

/* ---- The socket's ---------------------------------------------------------------------------- */

/* What can become of it on this cable is to be refused; of a socket at 127.0.0.1, too. */
static void past_the_stack_too_a_descriptor_may_become_anything(void **state)
{
    enum { N = 40 };
    struct impostor impostor;

    (void)state;
    for (size_t which = 0; impostor_make(&impostor, which); which++) {
        struct port port = far_port();
        struct xdp xdp = xdp_begin(AF_INET);

        expect_all_past(&xdp, &port);
        impostor_take_place(&impostor, xdp.sending.fd);
        make_singles(packets, N, &port.addr);
        struct udpbatch_tally tally = sending_send(&xdp.sending, packets, N);
        if (tally.refused != N)
            fail_msg("by %s %zu are sent", impostor.name, tally.sent);
        expect_nothing(port.fd);
        impostor_expect_untouched(&impostor);
        impostor_end(&impostor);
        xdp_end(&xdp);
        port_close(&port);
    }
}

static void expect_by_its_stack(struct xdp *xdp, const struct port *port)
{
    enum { N = 30 };
    int64_t begun = now_ms();

    do { /* a socket of the same name is found out within a moment */
        assert_true(now_ms() - begun < PATIENCE_MS);
        make_singles(packets, N, &port->addr);
        forget_ways(xdp);
        xdp_send(xdp, packets, N);
        expect_arrival(port, packets, N);
    } while (xdp_stats(xdp).xdp_packets != xdp->before.xdp_packets);
    expect_detour(xdp, UDPBATCH_DETOUR_SOCKET, N);
}

/* One at far, of the same port and of another one: its packets are to leave where it is. */
static void a_socket_of_another_namespace_sends_where_it_is(void **state)
{
    (void)state;
    for (int is_same = 0; is_same < 2; is_same++) {
        struct port port = far_port();
        struct xdp xdp = xdp_begin(AF_INET);
        union udpbatch_addr name =
            address(AF_INET, "0.0.0.0", is_same ? ntohs(xdp.own.in4.sin_port) : 0);
        struct port other = port_at(FAR, &name);

        expect_all_past(&xdp, &port);
        assert_int_equal(dup2(other.fd, xdp.sending.fd), xdp.sending.fd);
        port_close(&other);
        expect_by_its_stack(&xdp, &port);
        xdp_end(&xdp);
        port_close(&port);
    }
}

/* ---- A full queue ---------------------------------------------------------------------------- */

static void a_descriptor_may_be_replaced_before_a_wait(void **state)
{
    struct port port = far_port();
    struct impostor impostor;

    (void)state;
    need_a_queue(STANDING);
    for (size_t i = 0; udpbatch_backend_name(i) != NULL; i++)
        for (size_t which = 0; impostor_make(&impostor, which); which++) {
            struct sending sending = begin_full(udpbatch_backend_name(i), packets, &port);
            int wait;

            impostor_take_place(&impostor, sending.fd);
            wait = udpbatch_sender_wait(sending.sender, WAIT_MS);
            if (wait != (impostor.fd < 0 ? -EBADF : impostor.has_no_room ? -ETIMEDOUT : 0))
                fail_msg("by %s the wait ends with %d", impostor.name, wait);
            send_the_rest(&sending, packets);
            impostor_expect_untouched(&impostor);
            impostor_end(&impostor);
            sending_end(&sending);
        }
    port_close(&port);
}

static void *wait_for_room(void *sender)
{
    static int result;
    result = udpbatch_sender_wait(sender, 4 * WAIT_MS);
    return &result;
}

/* Whether it waits already or not: poll(2) goes on with what it had, until the timeout. */
static void a_descriptor_may_be_closed_while_another_thread_waits(void **state)
{
    struct port port = far_port();

    (void)state;
    need_a_queue(STANDING);
    for (size_t i = 0; udpbatch_backend_name(i) != NULL; i++) {
        struct sending sending = begin_full(udpbatch_backend_name(i), packets, &port);
        pthread_t thread;
        void *result;

        assert_int_equal(pthread_create(&thread, NULL, wait_for_room, sending.sender), 0);
        poll(NULL, 0, WAIT_MS); /* it waits by now, as a rule; both are right */
        close(sending.fd);
        assert_int_equal(pthread_join(thread, &result), 0);
        assert_true(*(int *)result == -ETIMEDOUT || *(int *)result == -EBADF);
        send_the_rest(&sending, packets);
        assert_int_equal(packets[WAITING - 1].status, -EBADF);
        assert_int_equal(udpbatch_sender_wait(sending.sender, -1), 0);
        sending_end(&sending);
    }
    port_close(&port);
}

int main(void)
{
    static const struct test tests[] = {
        TEST_ONCE(the_way_to_the_far_side_is_open),
        TEST_ONCE(its_descriptors_are_closed_by_exec),
        TEST_ONCE(past_the_stack_too_a_descriptor_may_become_anything),
        TEST_ONCE(a_socket_of_another_namespace_sends_where_it_is),
        TEST_ONCE(a_descriptor_may_be_replaced_before_a_wait),
        TEST_ONCE(a_descriptor_may_be_closed_while_another_thread_waits),
        TEST_ONCE(an_open_without_memory_leaves_no_descriptor),
    };
    const char *missing = past_stack_make();
    unsetenv("UDPBATCH_GSO");
    if (missing != NULL)
        return must_be_able(missing) ? EXIT_FAILURE : EXIT_SKIP;
    return run_all("descriptors past the stack", tests, COUNT_OF(tests));
}
