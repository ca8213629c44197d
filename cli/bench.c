/* bench.c: udpbatch bench: its options, and what it prints. */
#ifdef HAVE_BENCH

#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bench_json.h"
#include "interrupt.h"
#include "options.h"
#include "plot.h"
#include "run.h"
#include "source.h"
#include "table.h"
#include "units.h"

/* Bad targets are of IPv4, and there is back pressure only where a slow queue is made. */
static const char USUAL_WORKLOADS[] = "W1,W2,W3,W4,W5,W6", SPOILT[] = "W7", PRESSED[] = "W8";
static const char CURVES[] = "W3:1..1024,W1:1..1024";
static const char USUAL_RECEIVED[] = "W3";

enum { USUAL_ROUNDS = 7 };

struct bench_settings {
    struct common_settings common;
    struct run_settings run;
    struct targets targets;
    const char *plot;
    bool receive, list;
};

/* ---- Options -------------------------------------------------------------------------------- */

static bool set_workload(void *settings, const char *argument, struct reason *reason)
{
    return workload_add(&((struct bench_settings *)settings)->run.workloads, argument, reason);
}

static bool add_engine(struct run_settings *run, const char *name, struct reason *reason)
{
    const struct engine *engine = engines_find(name);

    if (name[0] == '\0')
        return reason_give(reason,
                           "there is no engine without a name; udpbatch bench --list has them");
    if (engine == NULL && strcmp(name, "libuv") == 0)
        return reason_give(reason, "this udpbatch was built without libuv (libuv1-dev)");
    if (engine == NULL)
        return reason_give(reason, "there is no engine %s; udpbatch bench --list names them", name);
    for (size_t i = 0; i < run->engine_count; i++)
        if (run->engines[i] == engine)
            return reason_give(reason, "name %s once", name);
    run->engines[run->engine_count++] = engine;
    return true;
}

static bool set_engine(void *settings, const char *argument, struct reason *reason)
{
    struct bench_settings *bench = settings;
    char name[64];

    for (const char *next = argument;; next++) {
        size_t len = strcspn(next, ",");
        snprintf(name, sizeof name, "%.*s", (int)(len < sizeof name ? len : sizeof name), next);
        if (!add_engine(&bench->run, name, reason))
            return false;
        next += len;
        if (*next == '\0')
            return true;
    }
}

static bool set_rounds(void *settings, const char *argument, struct reason *reason)
{
    uint64_t rounds;
    if (!units_read_count(argument, 1, ROUNDS_MOST, &rounds))
        return reason_give(reason, "write a number from 1 to %d", ROUNDS_MOST);
    ((struct bench_settings *)settings)->run.rounds = (size_t)rounds;
    return true;
}

static bool set_seconds(void *settings, const char *argument, struct reason *reason)
{
    return units_read_seconds(argument, &((struct bench_settings *)settings)->run.seconds) ||
           reason_give(reason, "write a time above 0 in seconds, such as 0.3");
}

static bool set_offload(void *settings, const char *argument, struct reason *reason)
{
    struct place_settings *place = &((struct bench_settings *)settings)->run.place;
    place->offload_off = strcmp(argument, "off") == 0;
    return place->offload_off || strcmp(argument, "on") == 0 ||
           reason_give(reason, "write on or off");
}

static bool set_to(void *settings, const char *argument, struct reason *reason)
{
    return targets_add(&((struct bench_settings *)settings)->targets, argument, reason);
}

static bool set_size(void *settings, const char *argument, struct reason *reason)
{
    uint64_t size;
    if (!units_read_count(argument, PAYLOAD_LEAST, PAYLOAD_MAX, &size))
        return reason_give(reason, "write a number of bytes from %d to %d", PAYLOAD_LEAST,
                           PAYLOAD_MAX);
    ((struct bench_settings *)settings)->run.layout.bytes = (size_t)size;
    return true;
}

static bool set_plot(void *settings, const char *argument, struct reason *reason)
{
    ((struct bench_settings *)settings)->plot = argument;
    return plot_check(argument, reason);
}

static const struct option_row rows[] = {
    { "workload", 'w', "LIST", "what to send, such as W1,W3:200,W1:1..1024",
      "What to send: workloads with commas between them, see \"Workloads\". Can be given many "
      "times. The default is W1 to W7 as they are without a parameter, and with --netns W8 too.",
      set_workload, 0 },
    { "engine", 'e', "LIST", "how to send or receive; by default by all there are",
      "How to send: engines with commas between them, see \"Engines\". Can be given many times, "
      "but each engine once. The default is all that can be opened here; the result says who is "
      "left out, and why.",
      set_engine, 0 },
    { "list", 0, NULL, "name the workloads and engines", "Name the workloads and engines, and end.",
      NULL, offsetof(struct bench_settings, list) },
    { "receive", 0, NULL, "measure receiving: how fast a full socket is emptied",
      "Measure receiving: the packets of the workload are put into a receiver's socket, as trains "
      "where they can be, and what is timed is taking them out again. It takes the workloads that "
      "have one target; the default is W3. What the kernel does before a datagram is in the socket "
      "is left out, as the cutting of a train for a socket that does not take trains. Excludes "
      "--to and --plot.",
      NULL, offsetof(struct bench_settings, receive) },
    { "netns", 0, NULL, "send to another network namespace, which drops",
      "Send to another network namespace, which drops. Needs root, or `unshare -Ur`, and ip(8).",
      NULL, offsetof(struct bench_settings, run.place.netns) },
    { "offload", 0, "on|off", "segmentation offload of the device of --netns",
      "With `off`, `tx-udp-segmentation` of the sending device is switched off. This needs "
      "--netns, as no device of the user's is changed.",
      set_offload, 0 },
    { "to", 't', "HOST:PORT", "send to an address of your own; can be repeated",
      "Send to this address, as fast as can be: it is real traffic. Can be given many times; "
      "excludes --netns.",
      set_to, 0 },
    { "size", 's', "BYTES", "of each payload, instead of the workload's own",
      "Make each payload so long, 8 to 65507, instead of as the workload has it.", set_size, 0 },
    { "contiguous", 0, NULL, "lay the payloads side by side in memory",
      "Lay the payloads side by side in memory. Without it each begins on a cache line of its own, "
      "with one free between.",
      NULL, offsetof(struct bench_settings, run.layout.contiguous) },
    { "rounds", 0, "N", "of each engine, alternating; 7 by default",
      "So many rounds of each engine, 1 to 1000; the default is 7.", set_rounds, 0 },
    { "seconds", 0, "SECONDS", "of a round; by default all takes half a minute",
      "Make a round so long, for example 0.3. Without it a round is so long that all takes about "
      "half a minute, but at most 0.5 seconds.",
      set_seconds, 0 },
    { "plot", 0, "FILE", "draw it into FILE, .svg or .png, with two curves",
      "Draw into FILE, which ends in `.svg` or `.png`, with gnuplot(1): CPU time per packet as "
      "bars with the spread drawn, and a curve for each range. Unless --workload has a range, "
      "`W3:1..1024,W1:1..1024` is added.",
      set_plot, 0 },
    { "json", 'j', NULL, "print the result as a JSON object",
      "Print the result as a JSON object in one line; only if built with jansson.", set_json, 0 },
    { "quiet", 'q', NULL, "show no progress", "Show no progress.", NULL,
      offsetof(struct bench_settings, common.quiet) },
    { 0 },
};

static int bench_run(int argc, char **argv);

const struct command bench_command = {
    .name = "bench",
    .summary = "Measures ways to send or receive UDP side by side, on this machine.",
    .synopsis = "[OPTION]...",
    .rows = rows,
    .run = bench_run,
    .notes = "Without --netns and --to it sends to receivers that it starts on loopback, and\n"
             "needs no privilege. --netns needs root, or `unshare -Ur`. Each engine is checked\n"
             "first: one that loses or damages a payload gets no figures. --receive takes the\n"
             "workloads that have one target, such as W3 and W5.\n"
             "\n"
             "Exit status: 0 all was measured, 1 interrupted, or a workload has no figures at\n"
             "all, 2 the arguments are wrong and nothing was begun. Ctrl-C prints what is\n"
             "done.\n",
};

/* ---- What is asked for ---------------------------------------------------------------------- */

static bool is_in4(const struct targets *targets)
{
    return targets->count == 0 || targets->addresses[0].sa.sa_family == AF_INET;
}

static bool add_usual_workloads(struct run_settings *run, bool in4, struct reason *reason)
{
    return workload_add(&run->workloads, USUAL_WORKLOADS, reason) &&
           (!in4 || workload_add(&run->workloads, SPOILT, reason)) &&
           (!run->place.netns || workload_add(&run->workloads, PRESSED, reason));
}

static bool check_workloads(struct run_settings *run, bool in4, struct reason *reason)
{
    if (run->workloads.count == 0 && run->direction == RECEIVING)
        return workload_add(&run->workloads, USUAL_RECEIVED, reason);
    if (run->workloads.count == 0)
        return add_usual_workloads(run, in4, reason);
    for (size_t i = 0; i < run->workloads.count; i++)
        if (run->workloads.list[i].shape->spoils && !in4)
            return reason_give(reason, "%s needs targets of IPv4", run->workloads.list[i].name);
    return true;
}

/* The direction may be told after the engines and the workloads. */
static bool check_direction(const struct run_settings *run, struct reason *reason)
{
    for (size_t i = 0; i < run->engine_count; i++)
        if (engine_direction(run->engines[i]) != run->direction)
            return reason_give(reason, "%s does not %s; udpbatch bench --list tells who does",
                               run->engines[i]->name,
                               run->direction == SENDING ? "send" : "receive");
    for (size_t i = 0; run->direction == RECEIVING && i < run->workloads.count; i++)
        if (!workload_is_for_one(&run->workloads.list[i]))
            return reason_give(reason,
                               "--receive takes what is for one receiver, as W3 and W5: %s"
                               " is not",
                               run->workloads.list[i].name);
    return true;
}

static bool check_receiving(const struct bench_settings *settings, struct reason *reason)
{
    if (!settings->receive)
        return true;
    if (settings->plot != NULL)
        return reason_give(reason, "--plot draws sending: give either --receive or --plot");
    return settings->targets.count == 0 || reason_give(reason, "give either --receive or --to");
}

static bool check(struct bench_settings *settings, struct reason *reason)
{
    struct run_settings *run = &settings->run;

    run->direction = run->place.direction = settings->receive ? RECEIVING : SENDING;
    if (!check_receiving(settings, reason) || !check_direction(run, reason))
        return false;
    if (run->place.netns && settings->targets.count > 0)
        return reason_give(reason, "give either --netns or --to");
    if (run->place.offload_off && !run->place.netns)
        return reason_give(reason, "--offload off needs --netns: no device of yours is changed");
    if (settings->targets.count > 0) {
        targets_choose_family(&settings->targets);
        run->place.to = &settings->targets;
    }
    if (!check_workloads(run, is_in4(&settings->targets), reason))
        return false;
    if (settings->plot != NULL && !workload_has_curve(&run->workloads, NULL) &&
        !workload_add(&run->workloads, CURVES, reason))
        return false;
    run->place.bytes = run->layout.bytes;
    run->quiet = settings->common.quiet;
    return true;
}

/* ---- What is shown -------------------------------------------------------------------------- */

static void list_engines(enum direction direction)
{
    const struct engine *engines[ENGINES_MAX];
    size_t count = engines_list(direction, engines);

    for (size_t i = 0; i < count; i++)
        printf("  %-26s %s\n", engines[i]->name, engines[i]->what);
}

static int list(void)
{
    const struct shape *shape;

    printf("Workloads, with what the number behind a colon is and what it is without one:\n\n");
    for (size_t i = 0; (shape = workload_shape(i)) != NULL; i++)
        printf("  %s:%-4zu %-16s %s\n", shape->name, shape->usual, shape->parameter,
               shape->where_from);
    printf("\nEngines:\n\n");
    list_engines(SENDING);
    printf("\nEngines of --receive:\n\n");
    list_engines(RECEIVING);
    return STATUS_DONE;
}

static bool has_figures(const struct workload_result *result)
{
    for (size_t i = 0; i < result->engine_count; i++)
        if (result->engines[i].packets_per_second.known)
            return true;
    return false;
}

static bool is_complete(const struct report *report)
{
    for (size_t i = 0; i < report->count; i++)
        if (!has_figures(&report->workloads[i]))
            return false;
    return !report->interrupted;
}

static int show(const struct report *report, const struct bench_settings *settings)
{
    struct reason reason;
    bool shown = true;

    if (!settings->common.json)
        table_print(report, stdout);
    else if (!(shown = bench_json_print(report)))
        complain("cannot write JSON: %s", words_of_error(ENOMEM));
    bool nothing_to_draw = report->interrupted && report->count == 0;
    if (settings->plot != NULL && !nothing_to_draw && !plot_draw(report, settings->plot, &reason)) {
        complain("%s", reason.text);
        shown = false;
    }
    return shown && is_complete(report) ? STATUS_DONE : STATUS_INCOMPLETE;
}

static int measure_and_show(struct bench_settings *settings)
{
    struct report report = { 0 };
    struct reason reason;
    int status = STATUS_USAGE;

    interrupt_catch();
    if (check(settings, &reason) && run_all(&settings->run, &report, &reason))
        status = show(&report, settings);
    else if (interrupted())
        status = STATUS_INCOMPLETE; /* and the commands that were cut short have no more to say */
    else
        complain("%s", reason.text);
    run_free(&report);
    return status;
}

static int bench_run(int argc, char **argv)
{
    struct bench_settings settings = { .run = { .rounds = USUAL_ROUNDS } };
    int status = options_parse(&bench_command, &settings, argc, argv);

    if (status == OPTIONS_GO_ON)
        status = settings.list ? list() : measure_and_show(&settings);
    workload_specs_free(&settings.run.workloads);
    targets_free(&settings.targets);
    return status;
}

#else

typedef int bench_is_not_built;

#endif
