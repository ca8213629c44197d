/* main.c: minutes of mixed workloads by all ways at once and by turns, in phases of calm and of
 * change; between them nothing is open, and nothing may have grown.
 *
 * Usage: soak [--minutes N | --seconds N] [--seed S]
 *
 * It needs root or user namespaces, and ip; where these are missing it exits with 77, or fails if
 * CI is set. The exit status is 1 if anything does not hold, 2 for a usage that is none, and 130
 * after Ctrl-C.
 */
#define _GNU_SOURCE
#include "ledger.h"

#include "../can_open.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    FAULTS_SHOWN = 20,
    STACK = 1 << 20,
    CALM_MS = 2000,
    CHANGE_MS = 4000,
    CALM_SHARE = 12, /* of a short run */
    CHANGE_SHARE = 6,
    PHASE_PATIENCE_S = 120,
    WARM_UP_ROUNDS = 3,
    SHORT_MS = 60000, /* has one round to warm up */
    LINE_MS = 60000
};

/* Places of threads, behind the workers'. */
enum { CHANGER = WAYS_MOST, RECEIVER, PLACES };

struct way_total ways[WAYS_MOST];
unsigned way_count;
atomic_uint fault_count;
atomic_bool is_interrupted, is_over, changes_are_over;
bool is_calm;

struct run run;

/* ---- Small things ---------------------------------------------------------------------------- */

/* splitmix64, as in chance.c, but for several threads. */
unsigned roll(struct dice *dice, unsigned limit)
{
    uint64_t z = dice->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (unsigned)((z ^ (z >> 31)) % limit);
}

bool roll_one_in(struct dice *dice, unsigned n)
{
    return roll(dice, n) == 0;
}

void pause_us(unsigned us)
{
    struct timespec pause = { (time_t)(us / 1000000), (long)(us % 1000000) * 1000 };
    nanosleep(&pause, NULL);
}

void fault(const char *format, ...)
{
    char text[512];
    va_list arguments;

    if (atomic_fetch_add(&fault_count, 1) >= FAULTS_SHOWN)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    printf("does not hold, in a phase of %s: %s\n", is_calm ? "calm" : "change", text);
}

static void note_interrupt(int signal)
{
    (void)signal;
    atomic_store(&is_interrupted, true);
}

static void end_late(int signal)
{
    static const char text[] = "does not hold: a phase does not come to its end\n";
    (void)signal;
    if (write(STDOUT_FILENO, text, sizeof text - 1) < 0)
        _exit(2);
    _exit(1);
}

static void handle_signals(void)
{
    struct sigaction interrupt = { .sa_handler = note_interrupt, .sa_flags = SA_RESTART };
    struct sigaction late = { .sa_handler = end_late };
    sigaction(SIGINT, &interrupt, NULL);
    sigaction(SIGTERM, &interrupt, NULL);
    sigaction(SIGALRM, &late, NULL);
}

/* ---- Ways ------------------------------------------------------------------------------------ */

static void find_ways(void)
{
    const char *name, *reason;

    ways[way_count++].name = "level 1";
    for (size_t i = 0; (name = udpbatch_backend_name(i)) != NULL && way_count < WAYS_MOST; i++)
        if (can_open(name, &reason)) {
            ways[way_count].name = name;
            ways[way_count++].backend = name;
        } else if (not_checked("the back end %s: %s", name, reason)) {
            fault("the back end %s is left out", name);
        }
}

/* ---- A phase --------------------------------------------------------------------------------- */

/* On stacks of our own: how many the C library keeps of its own depends on how soon the kernel is
 * done with a thread that has ended. */
static void start(unsigned place, pthread_t *thread, void *(*function)(void *), void *argument)
{
    static _Alignas(4096) unsigned char stacks[PLACES][STACK];
    pthread_attr_t attributes;

    pthread_attr_init(&attributes);
    if (pthread_attr_setstack(&attributes, stacks[place], STACK) != 0 ||
        pthread_create(thread, &attributes, function, argument) != 0) {
        puts("cannot run here: no thread");
        exit(EXIT_FAILURE);
    }
    pthread_attr_destroy(&attributes);
}

static struct dice dice_of(unsigned thread)
{
    return (struct dice){ run.seed + run.phases * 1000 + thread };
}

static void wait_ms(int64_t ms)
{
    int64_t end = now_ms() + ms;
    while (now_ms() < end && !atomic_load(&is_interrupted))
        pause_us(5000);
}

/* The network changes for that long, and at the end all is as at first. */
static void change_for(int64_t ms)
{
    struct dice dice = dice_of(CHANGER);
    pthread_t changer;

    atomic_store(&changes_are_over, false);
    start(CHANGER, &changer, network_change, &dice);
    wait_ms(ms);
    atomic_store(&changes_are_over, true);
    pthread_join(changer, NULL);
    network_restore();
}

/* By the ways from one to another. */
static void send_for(int64_t ms, unsigned from, unsigned to)
{
    static struct worker workers[WAYS_MOST];

    atomic_store(&is_over, false);
    for (unsigned i = from; i < to; i++) {
        workers[i].way = i;
        workers[i].dice = dice_of(i);
        start(i, &workers[i].thread, work, &workers[i]);
    }
    if (is_calm)
        wait_ms(ms);
    else
        change_for(ms);
    atomic_store(&is_over, true);
    for (unsigned i = from; i < to; i++)
        pthread_join(workers[i].thread, NULL);
}

static void run_phase(bool calm, int64_t ms, unsigned from, unsigned to)
{
    struct dice dice = dice_of(RECEIVER);
    pthread_t receiver;
    uint64_t drops = network_drops();

    alarm(PHASE_PATIENCE_S);
    run.phases++;
    is_calm = calm;
    ledger_begin();
    receivers_open();
    atomic_store(&receiving_is_over, false);
    start(RECEIVER, &receiver, receive_until_over, &dice);
    send_for(ms, from, to);
    if (!fence_all() && network_drops() == drops)
        fault("what was sent last did not arrive");
    atomic_store(&receiving_is_over, true);
    pthread_join(receiver, NULL);
    receivers_close();
    ledger_close(network_drops() - drops);
}

/* ---- The whole ------------------------------------------------------------------------------- */

static int64_t share(int64_t most_ms, int64_t one_in)
{
    return run.span_ms / one_in < most_ms ? run.span_ms / one_in : most_ms;
}

static unsigned warm_up_rounds(void)
{
    return run.span_ms < SHORT_MS ? 1 : WARM_UP_ROUNDS;
}

/* All at once, and every second time one alone. */
static void run_round(unsigned round)
{
    unsigned from = 0, to = way_count;

    if (round > warm_up_rounds() && round % 2 == 1) {
        from = round / 2 % way_count;
        to = from + 1;
    }
    run_phase(true, share(CALM_MS, CALM_SHARE), from, to);
    if (!atomic_load(&is_interrupted))
        run_phase(false, share(CHANGE_MS, CHANGE_SHARE), from, to);
}

/* On a terminal always, elsewhere each minute. */
static void report_at_times(void)
{
    static int64_t next_ms = LINE_MS;

    if (!isatty(STDOUT_FILENO) && now_ms() - run.begun_ms < next_ms)
        return;
    report_line();
    next_ms += LINE_MS;
}

/* The first rounds bring in what is there once: code, the allocator's and the kernel's stores. */
static void run_rounds(void)
{
    run.begun_ms = now_ms();
    for (unsigned round = 0; !atomic_load(&is_interrupted); round++) {
        if (round > warm_up_rounds() && now_ms() - run.begun_ms >= run.span_ms)
            break;
        run_round(round);
        run.last = footprint_now();
        if (round < warm_up_rounds())
            run.first = run.last;
        else
            footprint_compare(&run.first, &run.last);
        report_at_times();
    }
}

static int end(void)
{
    unsigned faults = atomic_load(&fault_count);

    report_table();
    if (faults > 0) {
        printf("%u things did not hold; the seed is %" PRIu64 "\n", faults, run.seed);
        return EXIT_FAILURE;
    }
    puts(atomic_load(&is_interrupted) ? "all held until it was interrupted" : "all held");
    return atomic_load(&is_interrupted) ? 130 : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    options_read(argc, argv);
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    unsetenv("UDPBATCH_GSO");
    heap_make_plain(argv);
    const char *missing = network_make();
    if (missing != NULL)
        return must_be_able(missing) ? EXIT_FAILURE : EXIT_SKIP;
    printf("the seed is %" PRIu64 " (--seed or UDPBATCH_SEED repeats it)\n", run.seed);
    if (!heap_can_be_told())
        puts("not checked: heap and resident size, which this allocator does not tell of");
    locked_make_counted();
    handle_signals();
    network_restore();
    find_ways();
    run_rounds();
    return end();
}
