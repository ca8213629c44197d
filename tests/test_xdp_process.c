/* test_xdp_process.c: what happens to the process of a sender, where that takes a network: past the
 * stack, in another namespace, and while a full queue is waited for.
 *
 * The program makes hosts of its own (past_stack.h). It needs root or user namespaces, ip and tc;
 * where these are missing it exits with 77, or fails if CI is set.
 */
#define _GNU_SOURCE
#include "alarms.h"
#include "impostor.h"
#include "past_stack.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static struct udpbatch_packet packets[MANY];

static const char *backend_at(size_t i)
{
    return udpbatch_backend_name(i);
}

/* Of lengths that let none join another, so that they go past the stack. */
static void make_singles(size_t n, const union udpbatch_addr *to)
{
    make_packets(packets, n, LEN_MOST, to);
    for (size_t i = 0; i < n; i++)
        packets[i].len = (uint32_t)(100 + i);
}

static void expect_all_past(struct xdp *xdp, const struct port *port)
{
    enum { N = 50 };

    send_until_past(xdp, &port->addr);
    receive_one(port->fd, &(char){ 0 }, 1, NULL);
    while (recv(port->fd, &(char){ 0 }, 1, MSG_DONTWAIT) >= 0)
        continue;
    make_singles(N, &port->addr);
    forget_ways(xdp);
    xdp_send(xdp, packets, N);
    expect_arrival(port, packets, N);
    expect_past(xdp, N);
}

static struct port far_port(void)
{
    union udpbatch_addr at = on_cable(AF_INET, 2, 0);
    return port_at(FAR, &at);
}

/* ---- Signals --------------------------------------------------------------------------------- */

static unsigned forked;

/* Not each time, as that may take longer than until the next signal. */
static void fork_one_that_leaves(void)
{
    if (alarms_count() % 8 != 0)
        return;
    pid_t child = fork();
    if (child == 0)
        _exit(EXIT_SUCCESS);
    forked += child > 0;
}

static void expect_those_forked(void)
{
    int status;

    assert_true(forked > 0);
    for (; forked > 0; forked--) {
        assert_true(waitpid(-1, &status, 0) > 0);
        assert_int_equal(status, 0);
    }
}

static void signals_and_their_children_disturb_no_ring(void **state)
{
    enum { N = 100, SIGNALS = 60 };
    struct port port = far_port();
    struct xdp xdp = xdp_begin(AF_INET);

    (void)state;
    for (int restarts = 0; restarts < 2; restarts++) {
        expect_all_past(&xdp, &port);
        make_singles(N, &port.addr);
        alarms_begin(restarts != 0, fork_one_that_leaves);
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
        expect_those_forked();
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

/* ---- Children -------------------------------------------------------------------------------- */

/* A child that lives until it is told to end, and does nothing with the sender. */
struct idle_child {
    pid_t process;
    int tell;
};

static struct idle_child begin_idle_child(void)
{
    int ends[2];
    struct idle_child child;

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    child = (struct idle_child){ .process = fork(), .tell = ends[1] };
    if (child.process == 0) {
        char nothing;
        close(ends[1]);
        _exit(read(ends[0], &nothing, 1) == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    assert_true(child.process > 0);
    close(ends[0]);
    return child;
}

static void end_idle_child(struct idle_child *child)
{
    int status;

    close(child->tell);
    assert_int_equal(waitpid(child->process, &status, 0), child->process);
    assert_int_equal(status, 0);
}

static void a_child_that_ends_without_closing_does_not_disturb(void **state)
{
    struct port port = far_port();
    struct xdp xdp = xdp_begin(AF_INET);

    (void)state;
    struct idle_child child = begin_idle_child();
    expect_all_past(&xdp, &port);
    end_idle_child(&child);
    expect_all_past(&xdp, &port);
    xdp_end(&xdp);
    port_close(&port);
}

/* Where the rings and the frames are. */
struct places {
    unsigned char *at[8];
    size_t count;
};

static struct places find_rings_and_frames(void)
{
    struct places places = { .count = 0 };
    FILE *file = fopen("/proc/self/maps", "re");
    char line[512];

    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL)
        if (strstr(line, "socket:") != NULL || strstr(line, "/dev/zero") != NULL) {
            assert_true(places.count < COUNT_OF(places.at));
            places.at[places.count++] = (unsigned char *)(uintptr_t)strtoull(line, NULL, 16);
        }
    fclose(file);
    assert_true(places.count >= 3);
    return places;
}

static bool is_nothing_at(unsigned char *place)
{
    unsigned char is_there;
    return mincore(place, 1, &is_there) < 0 && errno == ENOMEM;
}

static bool has_nothing_of(const struct places *places)
{
    for (size_t i = 0; i < places->count; i++)
        if (!is_nothing_at(places->at[i]))
            return false;
    return true;
}

static bool put_own_there(const struct places *places)
{
    const int protection = PROT_READ | PROT_WRITE, flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;

    for (size_t i = 0; i < places->count; i++) {
        if (mmap(places->at[i], 1, protection, flags, -1, 0) == MAP_FAILED)
            return false;
        *places->at[i] = 42;
    }
    return true;
}

static bool has_own_there(const struct places *places)
{
    for (size_t i = 0; i < places->count; i++)
        if (is_nothing_at(places->at[i]) || *places->at[i] != 42)
            return false;
    return true;
}

/* Nor does it unmap what has come to be where they were. */
static void a_child_has_neither_rings_nor_frames(void **state)
{
    struct port port = far_port();
    struct xdp xdp = xdp_begin(AF_INET);
    struct places places = find_rings_and_frames();
    int status;

    (void)state;
    pid_t child = fork();
    if (child == 0) {
        bool is_well = has_nothing_of(&places) && put_own_there(&places);
        udpbatch_sender_close(xdp.sending.sender);
        _exit(is_well && has_own_there(&places) ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    expect_all_past(&xdp, &port);
    xdp_end(&xdp);
    port_close(&port);
}

static struct {
    volatile sig_atomic_t is_amid; /* a call */
    pid_t child;                   /* 0 in itself */
} of_handler;

/* It may find the ring gone. */
static void go_on_as_child(void)
{
    const struct rlimit none = { 0, 0 };

    setrlimit(RLIMIT_CORE, &none);
    signal(SIGSEGV, SIG_DFL);
}

static void fork_one_that_goes_on(void)
{
    if (!of_handler.is_amid || of_handler.child >= 0)
        return;
    of_handler.child = fork();
    if (of_handler.child == 0)
        go_on_as_child();
}

/* Whether a child was forked off, which has ended by now, however it did. */
static bool send_while_forking(struct xdp *xdp, size_t n)
{
    of_handler.child = -1;
    alarms_begin(true, fork_one_that_goes_on);
    of_handler.is_amid = 1;
    struct udpbatch_tally tally = udpbatch_sender_send(xdp->sending.sender, packets, n);
    of_handler.is_amid = 0;
    if (of_handler.child == 0)
        _exit(EXIT_SUCCESS);
    alarms_end();
    assert_int_equal(tally.sent, n);
    return of_handler.child > 0 && waitpid(of_handler.child, NULL, 0) == of_handler.child;
}

/* What the child sends by the socket comes once more. */
static void expect_all_to_arrive(const struct port *port, size_t n)
{
    static struct arrivals arrivals;

    arrivals = (struct arrivals){ 0 };
    for (size_t i = 0; i < n; i++)
        while (arrivals.seen[i] == 0)
            arrivals_wait(&arrivals, port->fd, arrivals.total + 1);
    arrivals_take(&arrivals, port->fd);
    for (size_t i = 0; i < n; i++)
        assert_in_range(arrivals.seen[i], 1, 2);
}

/* Which it is not to do. */
static void a_child_that_goes_on_with_a_call_takes_nothing_of_its_parents(void **state)
{
    enum { N = 1000, TIMES = 5 };
    struct port port = far_port();
    struct xdp xdp = xdp_begin(AF_INET);

    (void)state;
    expect_all_past(&xdp, &port);
    for (int times = 0; times < TIMES;) {
        make_singles(N, &port.addr);
        times += send_while_forking(&xdp, N);
        assert_int_equal(udpbatch_sender_flush(xdp.sending.sender, PATIENCE_MS), 0);
        expect_all_to_arrive(&port, N);
    }
    expect_all_past(&xdp, &port);
    xdp_end(&xdp);
    port_close(&port);
}

static void the_queue_is_taken_until_the_last_copy_is_closed(void **state)
{
    const struct udpbatch_sender_options options = xdp_options("near");
    struct port port = far_port();
    struct xdp xdp = xdp_begin(AF_INET);
    int error = 0;

    (void)state;
    struct idle_child child = begin_idle_child();
    xdp_end(&xdp);
    assert_null(udpbatch_sender_open(port.fd, &options, &error));
    assert_int_equal(error, EXDEV); /* as port is far's: which is told first */
    struct port own = port_open(AF_INET);
    assert_null(udpbatch_sender_open(own.fd, &options, &error));
    assert_int_equal(error, EBUSY);
    end_idle_child(&child);
    xdp = xdp_begin(AF_INET);
    expect_all_past(&xdp, &port);
    xdp_end(&xdp);
    port_close(&own);
    port_close(&port);
}

/* posix_spawn(3) shares the memory until the other program begins. */
static void another_program_gets_nothing_of_the_sender(void **state)
{
    struct port port = far_port();
    struct xdp xdp = xdp_begin(AF_INET);
    char *arguments[] = { (char[]){ "true" }, NULL }, *none[] = { NULL };
    pid_t child;
    int status;

    (void)state;
    expect_all_past(&xdp, &port);
    assert_int_equal(posix_spawn(&child, "/bin/true", NULL, NULL, arguments, none), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    expect_all_past(&xdp, &port);
    xdp_end(&xdp);
    port_close(&port);
}

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

/* ---- Descriptors ----------------------------------------------------------------------------- */

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
        make_singles(N, &port.addr);
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
        make_singles(N, &port->addr);
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

enum { WAITING = 200, WAIT_MS = 50 };

/* One that as good as stands, or goes on at once, but far slower than a sender. */
#define STANDING "tbf rate 48bit burst 1500b limit 10mb"
#define FLOWING  "tbf rate 10mbit burst 10kb limit 10mb"

static void let_the_queue_go(void)
{
    assert_true(run_at(NEAR, "tc qdisc del dev near root"));
}

/* Until the test ends. */
static void need_a_queue(const char *queue)
{
    if (run_at(NEAR, "tc qdisc add dev near root %s", queue)) {
        after_the_test(let_the_queue_go);
        return;
    }
    if (must_be_able("tc cannot make a queue"))
        fail();
    skip();
}

/* A sender whose packets are trains, of which the socket takes only a few at a time. */
static struct sending begin_narrow(const char *backend, const struct port *port)
{
    union udpbatch_addr any = address(AF_INET, "0.0.0.0", 0);
    struct udpbatch_sender_options options = xdp_options("near");
    struct port own = port_at(NEAR, &any);

    options.backend = backend;
    set_option(own.fd, SOL_SOCKET, SO_SNDBUF, 4096);
    make_packets(packets, WAITING, 1000, &port->addr);
    return sending_begin_with(own.fd, &options);
}

/* It takes no more. */
static struct sending begin_full(const char *backend, const struct port *port)
{
    struct sending sending = begin_narrow(backend, port);
    make_nonblocking(sending.fd);
    assert_int_equal(sending_send(&sending, packets, WAITING).unsent_error, EAGAIN);
    return sending;
}

static void signals_and_their_children_lose_nothing_of_a_socket_that_blocks(void **state)
{
    enum { SIGNALS = 20 };
    struct port port = far_port();

    (void)state;
    need_a_queue(FLOWING);
    for (size_t i = 0; backend_at(i) != NULL; i++) {
        struct sending sending = begin_narrow(backend_at(i), &port);
        alarms_begin(false, fork_one_that_leaves);
        assert_int_equal(sending_send(&sending, packets, WAITING).sent, WAITING);
        expect_arrival(&port, packets, WAITING);
        make_packets(packets, WAITING, 1000, &port.addr);
        assert_int_equal(udpbatch_send(sending.fd, packets, WAITING).sent, WAITING);
        expect_arrival(&port, packets, WAITING);
        assert_in_range(alarms_count(), SIGNALS, UINT32_MAX);
        alarms_end();
        expect_those_forked();
        sending_end(&sending);
    }
    port_close(&port);
}

/* As a user would who waits with a timeout. */
static void send_the_rest(struct sending *sending)
{
    int64_t begun = now_ms();

    while (sending_send(sending, packets, WAITING).unsent > 0) {
        udpbatch_sender_wait(sending->sender, WAIT_MS);
        assert_true(now_ms() - begun < PATIENCE_MS);
    }
}

static void a_descriptor_may_be_replaced_before_a_wait(void **state)
{
    struct port port = far_port();
    struct impostor impostor;

    (void)state;
    need_a_queue(STANDING);
    for (size_t i = 0; backend_at(i) != NULL; i++)
        for (size_t which = 0; impostor_make(&impostor, which); which++) {
            struct sending sending = begin_full(backend_at(i), &port);
            int wait;

            impostor_take_place(&impostor, sending.fd);
            wait = udpbatch_sender_wait(sending.sender, WAIT_MS);
            if (wait != (impostor.fd < 0 ? -EBADF : impostor.has_no_room ? -ETIMEDOUT : 0))
                fail_msg("by %s the wait ends with %d", impostor.name, wait);
            send_the_rest(&sending);
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
    for (size_t i = 0; backend_at(i) != NULL; i++) {
        struct sending sending = begin_full(backend_at(i), &port);
        pthread_t thread;
        void *result;

        assert_int_equal(pthread_create(&thread, NULL, wait_for_room, sending.sender), 0);
        poll(NULL, 0, WAIT_MS); /* it waits by now, as a rule; both are right */
        close(sending.fd);
        assert_int_equal(pthread_join(thread, &result), 0);
        assert_true(*(int *)result == -ETIMEDOUT || *(int *)result == -EBADF);
        send_the_rest(&sending);
        assert_int_equal(packets[WAITING - 1].status, -EBADF);
        assert_int_equal(udpbatch_sender_wait(sending.sender, -1), 0);
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
    for (size_t i = 0; backend_at(i) != NULL; i++) {
        struct sending sending = begin_full(backend_at(i), &port);
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

/* ---- Memory ---------------------------------------------------------------------------------- */

static size_t count_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    size_t count = 0;

    while (folder != NULL && readdir(folder) != NULL)
        count++;
    if (folder != NULL)
        closedir(folder);
    return count;
}

static unsigned long address_space(void)
{
    FILE *file = fopen("/proc/self/status", "re");
    unsigned long size = 0;
    char line[256];

    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        sscanf(line, "VmSize: %lu", &size);
    if (file != NULL)
        fclose(file);
    return size;
}

/* With a little more each time, until it is enough: nothing stays of what fails. */
static bool open_with_little_memory(udpbatch_socket fd)
{
    enum { STEP_KB = 64, MOST_KB = 16 * 1024 };
    const struct udpbatch_sender_options options = xdp_options("near");
    const struct rlimit none = { RLIM_INFINITY, RLIM_INFINITY };
    const unsigned long own_kb = address_space();
    const size_t descriptors = count_descriptors();
    unsigned failed = 0;

    for (unsigned long more_kb = 0; more_kb < MOST_KB; more_kb += STEP_KB, failed++) {
        const struct rlimit limit = { (rlim_t)(own_kb + more_kb) * 1024, RLIM_INFINITY };
        int error = 0;
        setrlimit(RLIMIT_AS, &limit);
        struct udpbatch_sender *sender = udpbatch_sender_open(fd, &options, &error);
        setrlimit(RLIMIT_AS, &none);
        udpbatch_sender_close(sender);
        if (count_descriptors() != descriptors)
            return false;
        if (error != ENOMEM)
            return error == 0 && failed > 1;
    }
    return false;
}

static void an_open_without_memory_leaves_no_descriptor(void **state)
{
    struct port port = port_open(AF_INET);
    int status;

    (void)state;
    if (SANITIZED) {
        print_message("cannot run here: a sanitizer takes memory of its own\n");
        skip();
    }
    pid_t child = fork();
    if (child == 0)
        _exit(open_with_little_memory(port.fd) ? EXIT_SUCCESS : EXIT_FAILURE);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    port_close(&port);
}

int main(void)
{
    static const struct test tests[] = {
        TEST_ONCE(the_way_to_the_far_side_is_open),
        TEST_ONCE(signals_and_their_children_disturb_no_ring),
        TEST_ONCE(signals_do_not_keep_it_from_being_opened),
        TEST_ONCE(a_child_that_ends_without_closing_does_not_disturb),
        TEST_ONCE(a_child_has_neither_rings_nor_frames),
        TEST_ONCE(a_child_that_goes_on_with_a_call_takes_nothing_of_its_parents),
        TEST_ONCE(the_queue_is_taken_until_the_last_copy_is_closed),
        TEST_ONCE(another_program_gets_nothing_of_the_sender),
        TEST_ONCE(its_descriptors_are_closed_by_exec),
        TEST_ONCE(past_the_stack_too_a_descriptor_may_become_anything),
        TEST_ONCE(a_socket_of_another_namespace_sends_where_it_is),
        TEST_ONCE(signals_and_their_children_lose_nothing_of_a_socket_that_blocks),
        TEST_ONCE(a_descriptor_may_be_replaced_before_a_wait),
        TEST_ONCE(a_descriptor_may_be_closed_while_another_thread_waits),
        TEST_ONCE(a_wait_for_room_is_over_by_a_signal_or_its_timeout),
        TEST_ONCE(an_open_without_memory_leaves_no_descriptor),
    };
    const char *missing = past_stack_make();
    unsetenv("UDPBATCH_GSO");
    if (missing != NULL)
        return must_be_able(missing) ? EXIT_FAILURE : EXIT_SKIP;
    return run_all("processes past the stack", tests, COUNT_OF(tests));
}
