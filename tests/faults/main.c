/* main.c: tries every fault that a kernel can give, by every back end, on the real kernel, and
 * prints the matrix of back end x error x position.
 *
 * The program makes two hosts of its own (two_hosts.h): it sends at near, under a filter that lets
 * system calls fail as asked, and receives at far, where each datagram is accounted for. It needs
 * root or user namespaces, ip, and seccomp_unotify(2); where these are missing it exits with 77, or
 * fails if CI is set. */
#define _GNU_SOURCE
#include "arrival.h"
#include "closer.h"
#include "options.h"
#include "queue.h"
#include "sums.h"
#include "table.h"

#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

enum { PATIENCE_S = 900, REDS_MOST = 20 };

static uint64_t packets, cells;
static unsigned reds;
static bool has_queue;
static char current[160] = "the beginning"; /* how to repeat the cell at hand */

/* ---- Running --------------------------------------------------------------------------------- */

static bool is_wanted(const struct cell *cell)
{
    if (wanted.cell != 0)
        return cell->number == wanted.cell;
    return (wanted.backend == NULL || strcmp(wanted.backend, cell->way->name) == 0) &&
           (wanted.call < 0 || (enum call)wanted.call == cell->call) &&
           (wanted.error == NULL || strcmp(wanted.error, cell->what->name) == 0) &&
           cell->number % wanted.every == 0;
}

static void tell_red(const char *fault)
{
    printf("red: %s\n     %s\n", current, fault);
    if (++reds == REDS_MOST)
        puts("no further: that is enough");
}

/* Without a fault: it is not counted, but it has to hold as well. */
static struct result try_it(const struct cell *cell)
{
    snprintf(current, sizeof current, "a load by %s, without a fault", cell->way->name);
    struct result result = cell_run(cell);
    if (result.fault[0] != '\0')
        tell_red(result.fault);
    return result;
}

static void run(const struct cell *cell)
{
    snprintf(current, sizeof current, "%s of %s, %s, %s: scripts/faults --cell %u --seed %" PRIu64,
             CALL_NAMES[cell->call], cell->way->name, cell->what->name, cell->workload->name,
             cell->number, wanted.seed);
    struct result result = cell_run(cell);
    table_add(cell, &result);
    cells++;
    packets += result.was_reached ? result.packets : 0;
    if (result.fault[0] != '\0')
        tell_red(result.fault);
    else if (!result.was_reached)
        tell_red("it was not met, so that nothing was tried");
}

static bool has_to_have_all(void)
{
    const char *ci = getenv("CI");
    return ci != NULL && ci[0] != '\0';
}

static bool try_queue(void)
{
    has_queue = queue_be_slow(true) && queue_be_slow(false);
    if (!has_queue)
        puts("not checked: W8: tc cannot make a queue");
    return has_queue;
}

static void visit(const struct cell *cell)
{
    if (is_wanted(cell) && reds < REDS_MOST && (has_queue || cell->place != PLACE_PRESSED))
        run(cell);
}

static bool has_filter(void)
{
    return wanted.backend != NULL || wanted.call >= 0 || wanted.error != NULL || wanted.every > 1;
}

/* The library's own view of the errors is the manual's. */
static void check_meanings(void)
{
    for (size_t i = 0; i < WHAT_COUNT; i++) {
        const struct what *what = &WHATS[i];
        if (what->act != ACT_ERROR || (udpbatch_error_meaning(what->error) == what->meaning &&
                                       udpbatch_error_meaning(-what->error) == what->meaning))
            continue;
        printf("red: udpbatch_error_meaning does not know %s\n", what->name);
        reds++;
    }
}

static void run_by_chance(void)
{
    struct cell cell;

    if (wanted.cell != 0 && cells == 0) {
        cell = matrix_by_chance((uint32_t)wanted.cell);
        run(&cell);
    }
    if (wanted.cell != 0 || has_filter())
        return;
    for (uint32_t number = matrix_end(); packets < wanted.packets && reds < REDS_MOST; number++) {
        cell = matrix_by_chance(number);
        run(&cell);
    }
}

/* What came since the last cell was judged is nobody's. */
static void check_end(void)
{
    closer_end();
    const char *fault = arrival_check_end();
    if (fault != NULL)
        tell_red(fault);
}

/* A library that crashes, or does not come back, was given the cell at hand. */
static void die(int signal)
{
    const char *why = signal == SIGALRM ? "did not end in" : "crashed in";

    if (write(STDOUT_FILENO, "red: ", 5) < 0 || write(STDOUT_FILENO, why, strlen(why)) < 0 ||
        write(STDOUT_FILENO, " ", 1) < 0 || write(STDOUT_FILENO, current, strlen(current)) < 0 ||
        write(STDOUT_FILENO, "\n", 1) < 0)
        _exit(EXIT_FAILURE);
    _exit(EXIT_FAILURE);
}

/* The helpers end the program by themselves where this machine does not do what they ask. */
static bool is_over;

static void say_that_it_ended(void)
{
    if (!is_over)
        printf("red: it could not go on after %s\n", current);
}

static void watch_over(void)
{
    static const int signals[] = { SIGALRM, SIGSEGV, SIGBUS, SIGABRT, SIGFPE };

    for (size_t i = 0; i < COUNT_OF(signals); i++)
        signal(signals[i], die);
    alarm(PATIENCE_S);
    atexit(say_that_it_ended);
}

/* Packets by two processors may overtake each other. */
static bool stay_on_one_processor(void)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET((size_t)sched_getcpu(), &one);
    return sched_setaffinity(0, sizeof one, &one) == 0;
}

/* The same cable, with more queues. */
static const char *widen_cable(void)
{
    bool has_done = run_at(FAR,
                           "ip link del far && ip link add far address 02:00:00:00:00:02 mtu %d"
                           " numtxqueues %d numrxqueues %d type veth peer name near"
                           " address 02:00:00:00:00:01 mtu %d numtxqueues %d numrxqueues %d"
                           " netns %d",
                           CABLE_MTU, QUEUES, QUEUES, CABLE_MTU, QUEUES, QUEUES, (int)getpid()) &&
                    two_hosts_configure();
    return has_done ? NULL : "ip cannot make veth devices of several queues";
}

static void begin(void)
{
    const char *missing = two_hosts_make();

    if (missing == NULL)
        missing = widen_cable();
    if (missing == NULL && !stay_on_one_processor())
        missing = "no permission to stay on one processor";
    if (missing == NULL) {
        wait_for_cable(AF_INET);
        if (has_in6())
            wait_for_cable(AF_INET6);
        arrival_open();
        missing = deputy_begin();
    }
    is_over = missing != NULL;
    if (missing != NULL)
        exit(must_be_able(missing) ? EXIT_FAILURE : EXIT_SKIP);
    if (!deputy_hears_calls()) {
        is_over = true;
        puts("not on this system: calls on sockets that can be told apart (socketcall(2))");
        exit(EXIT_SKIP);
    }
}

int main(int argc, char **argv)
{
    int64_t begun = now_ms();

    read_options(argc, argv);
    setvbuf(stdout, NULL, _IOLBF, 0);
    watch_over();
    begin();
    printf("the seed is %" PRIu64 "\n", wanted.seed);
    check_meanings();
    bool has_all = matrix_open(wanted.seed, try_it);
    has_all &= try_queue();
    if (!has_all && has_to_have_all()) {
        puts("red: not all could be checked, and CI is set");
        reds++;
    }
    matrix_walk(visit);
    run_by_chance();
    is_over = true;
    if (cells == 0)
        return complain("nothing to do", "no cell is all that was asked for");
    check_end();
    table_print();
    bool adds_up = sums_add_up();
    adds_up &= sums_have_pressure();
    bool is_green = adds_up && reds == 0;
    printf("\n%" PRIu64 " cells, %" PRIu64 " packets accounted for, %" PRId64 " seconds: %s\n",
           cells, packets, (now_ms() - begun + 500) / 1000, is_green ? "all green" : "red");
    return is_green ? EXIT_SUCCESS : EXIT_FAILURE;
}
