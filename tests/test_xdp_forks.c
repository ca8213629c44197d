/* test_xdp_forks.c: a sender past the network stack after a fork, and amid one: the ring is its
 * parent's.
 *
 * The program makes hosts of its own (past_stack.h). It needs root or user namespaces, and ip;
 * where these are missing it exits with 77, or fails if CI is set.
 */
#define _GNU_SOURCE
#include "alarms.h"
#include "own_process.h"
#include "singles.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static struct udpbatch_packet packets[MANY];

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
        leave(read(ends[0], &nothing, 1) == 0);
    }
    assert_true(child.process > 0);
    close(ends[0]);
    return child;
}

static void end_idle_child(struct idle_child *child)
{
    close(child->tell);
    expect_well(child->process);
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

    (void)state;
    pid_t child = fork();
    if (child == 0) {
        bool is_well = has_nothing_of(&places) && put_own_there(&places);
        udpbatch_sender_close(xdp.sending.sender);
        leave(is_well && has_own_there(&places));
    }
    expect_well(child);
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
        make_singles(packets, N, &port.addr);
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

    (void)state;
    expect_all_past(&xdp, &port);
    assert_int_equal(posix_spawn(&child, "/bin/true", NULL, NULL, arguments, none), 0);
    expect_well(child);
    expect_all_past(&xdp, &port);
    xdp_end(&xdp);
    port_close(&port);
}

int main(void)
{
    static const struct test tests[] = {
        TEST_ONCE(the_way_to_the_far_side_is_open),
        TEST_ONCE(a_child_that_ends_without_closing_does_not_disturb),
        TEST_ONCE(a_child_has_neither_rings_nor_frames),
        TEST_ONCE(a_child_that_goes_on_with_a_call_takes_nothing_of_its_parents),
        TEST_ONCE(the_queue_is_taken_until_the_last_copy_is_closed),
        TEST_ONCE(another_program_gets_nothing_of_the_sender),
    };
    const char *missing = past_stack_make();
    unsetenv("UDPBATCH_GSO");
    if (missing != NULL)
        return must_be_able(missing) ? EXIT_FAILURE : EXIT_SKIP;
    return run_all("forks past the stack", tests, COUNT_OF(tests));
}
