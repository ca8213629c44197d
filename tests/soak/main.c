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

#include <getopt.h>
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
    MINUTES_MOST = 100000
};

/* Places of threads, behind the workers'. */
enum { CHANGER = WAYS_MOST, RECEIVER, PLACES };

struct way_total ways[WAYS_MOST];
unsigned way_count;
atomic_uint fault_count;
atomic_bool is_interrupted, is_over, changes_are_over;
bool is_calm;

static uint64_t seed;
static struct footprint first, last;
static int64_t begun_ms, span_ms;
static unsigned phases;

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
    struct timespec pause = { us / 1000000, us % 1000000 * 1000L };
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
    return (struct dice){ seed + phases * 1000 + thread };
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
    phases++;
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

/* ---- What is printed ------------------------------------------------------------------------- */

static struct way_total sum_of_ways(void)
{
    struct way_total sum = { .name = "all" };

    for (unsigned i = 0; i < way_count; i++) {
        sum.sent += ways[i].sent;
        sum.refused += ways[i].refused;
        sum.unsent += ways[i].unsent;
        sum.arrived += ways[i].arrived;
        sum.nowhere += ways[i].nowhere;
        sum.lost_in_change += ways[i].lost_in_change;
        sum.lost_in_calm += ways[i].lost_in_calm;
        sum.opens += ways[i].opens;
        sum.failed_opens += ways[i].failed_opens;
        sum.network_errors += ways[i].network_errors;
    }
    return sum;
}

static void print_line(void)
{
    struct way_total sum = sum_of_ways();
    int64_t seconds = (now_ms() - begun_ms) / 1000;

    printf("%s%3" PRId64 ":%02" PRId64 "  %" PRIu64 " sent, %" PRIu64 " refused, %" PRIu64
           " arrived, %" PRIu64 " lost in change; %llu route changes, %llu flaps, %llu opens;"
           " %zu KiB, %u descriptors%s",
           isatty(STDOUT_FILENO) ? "\r\033[K" : "", seconds / 60, seconds % 60, sum.sent,
           sum.refused, sum.arrived, sum.lost_in_change, (unsigned long long)route_changes,
           (unsigned long long)flaps, (unsigned long long)sum.opens, last.resident_kib,
           last.descriptors, isatty(STDOUT_FILENO) ? "" : "\n");
    fflush(stdout);
}

static void print_at_times(void)
{
    static int64_t next_ms = 60000;
    int64_t since_ms = now_ms() - begun_ms;

    if (!isatty(STDOUT_FILENO) && since_ms < next_ms)
        return;
    print_line();
    next_ms += 60000;
}

static void print_row(const struct way_total *way)
{
    printf("%-10s %11" PRIu64 " %9" PRIu64 " %8" PRIu64 " %11" PRIu64 " %8" PRIu64 " %9" PRIu64
           " %8" PRIu64 " %8llu %8llu %8llu\n",
           way->name, way->sent, way->refused, way->unsent, way->arrived, way->nowhere,
           way->lost_in_change, way->lost_in_calm, (unsigned long long)way->opens,
           (unsigned long long)way->failed_opens, (unsigned long long)way->network_errors);
}

static void print_table(void)
{
    struct way_total sum = sum_of_ways();

    printf("\n%-10s %11s %9s %8s %11s %8s %9s %8s %8s %8s %8s\n", "", "sent", "refused", "unsent",
           "arrived", "nowhere", "in change", "in calm", "opens", "failed", "reports");
    for (unsigned i = 0; i < way_count; i++)
        print_row(&ways[i]);
    print_row(&sum);
    printf("(nowhere: sent to where nobody is; in change, in calm: lost while the network changed,"
           " or not;\n failed: opens in change; reports: network errors read)\n");
    printf("%u phases, %llu route changes, %llu flaps, %llu opens of receivers, %llu late"
           " arrivals\n",
           phases, (unsigned long long)route_changes, (unsigned long long)flaps,
           (unsigned long long)receiver_opens, (unsigned long long)late_arrivals);
    printf("resident %zu KiB, then %zu KiB; ", first.resident_kib, last.resident_kib);
    if (heap_can_be_told())
        printf("heap %zu bytes, then %zu; ", first.heap_bytes, last.heap_bytes);
    printf("descriptors %u, then %u; locked %u KiB, pinned %u KiB, rings %u\n", first.descriptors,
           last.descriptors, last.locked_kib, last.pinned_kib, last.socket_mappings);
}

/* ---- The whole ------------------------------------------------------------------------------- */

static int64_t share(int64_t most_ms, int64_t one_in)
{
    return span_ms / one_in < most_ms ? span_ms / one_in : most_ms;
}

static unsigned warm_up_rounds(void)
{
    return span_ms < SHORT_MS ? 1 : WARM_UP_ROUNDS;
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

/* The first rounds bring in what is there once: code, the allocator's and the kernel's stores. */
static void run_rounds(void)
{
    begun_ms = now_ms();
    for (unsigned round = 0; !atomic_load(&is_interrupted); round++) {
        if (round > warm_up_rounds() && now_ms() - begun_ms >= span_ms)
            break;
        run_round(round);
        last = footprint_now();
        if (round < warm_up_rounds())
            first = last;
        else
            footprint_compare(&first, &last);
        print_at_times();
    }
}

static bool parse_number(const char *text, uint64_t most, uint64_t *number)
{
    char *end;
    errno = 0;
    *number = strtoull(text, &end, 0);
    return errno == 0 && *text >= '0' && *text <= '9' && *end == '\0' && *number <= most;
}

static void parse(int argc, char **argv)
{
    static const struct option options[] = { { "minutes", required_argument, NULL, 'm' },
                                             { "seconds", required_argument, NULL, 's' },
                                             { "seed", required_argument, NULL, 'e' },
                                             { NULL, 0, NULL, 0 } };
    uint64_t span = 10;
    int64_t unit_ms = 60000;
    int option;
    bool is_good = true;

    seed = (uint64_t)time(NULL);
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
        if (option == 'e')
            is_good = is_good && parse_number(optarg, UINT64_MAX, &seed);
        else if (option == '?')
            exit(2);
        else {
            is_good = is_good && parse_number(optarg, MINUTES_MOST, &span) && span > 0;
            unit_ms = option == 's' ? 1000 : 60000;
        }
    if (!is_good || optind < argc) {
        fprintf(stderr, "usage: soak [--minutes N | --seconds N] [--seed S]\n");
        exit(2);
    }
    span_ms = (int64_t)span * unit_ms;
}

int main(int argc, char **argv)
{
    parse(argc, argv);
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    unsetenv("UDPBATCH_GSO");
    heap_make_plain(argv);
    const char *missing = network_make();
    if (missing != NULL)
        return must_be_able(missing) ? EXIT_FAILURE : EXIT_SKIP;
    printf("the seed is %" PRIu64 " (--seed repeats it)\n", seed);
    handle_signals();
    network_restore();
    find_ways();
    run_rounds();
    print_table();
    if (atomic_load(&fault_count) > 0) {
        printf("%u things did not hold; the seed is %" PRIu64 "\n", atomic_load(&fault_count),
               seed);
        return EXIT_FAILURE;
    }
    puts(atomic_load(&is_interrupted) ? "all held until it was interrupted" : "all held");
    return atomic_load(&is_interrupted) ? 130 : EXIT_SUCCESS;
}
