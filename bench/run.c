/* run.c: all the workloads that were asked for, one after the other. */
#include "run.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "interrupt.h"

/* Without --seconds all is done in about so long, but a round need not be longer than this. */
static const double USUAL_SECONDS = 32, LONGEST_ROUND = 0.5;

/* Filling a socket takes longer than emptying it. */
enum { RECEIVING_COST = 4 };

/* The points of a curve are many: their rounds are a part as long. */
enum { CURVE_PART = 4 };

#ifdef __OPTIMIZE__
static const bool OPTIMISED = true;
#else
static const bool OPTIMISED = false;
#endif

/* All that a run holds. */
struct run {
    const struct run_settings *settings;
    struct place place;
    struct place loopback;     /* where engines are checked for addresses of the user's own */
    struct place *check_place; /* one of the two */
    const struct engine *engines[ENGINES_MAX];
    size_t engine_count;
    double work; /* of all workloads, as long as a round of one engine is 1 */
    struct progress progress;
};

/* ---- Engines -------------------------------------------------------------------------------- */

/* Returns 0, or why not. */
static int try_to_open(const struct run *run, const struct engine *engine)
{
    const struct workload_spec *spec = &run->settings->workloads.list[0];
    const union udpbatch_addr sample = place_sample(&run->place);
    const struct udpbatch_packet packet = { .to = &sample };
    struct reason ignored;
    int fd = place_socket(&run->place, spec, &ignored), error = 0;

    if (fd < 0)
        return errno;
    void *self = engine->open(engine, fd, &packet, 1);
    if (self != NULL)
        engine->close(self);
    else
        error = errno;
    close(fd);
    return error;
}

/* NULL, or why it is left out unless it is asked for. */
static const char *why_not(const struct run *run, const struct engine *engine)
{
    if (run->place.kind == PLACE_ADDRESS && engine_is_past_the_stack(engine))
        return "it takes a queue of your device, and cannot be checked first: name it to have it";
    int error = try_to_open(run, engine);
    return error != 0 ? engine_explain(engine, error) : NULL;
}

static void leave_out(struct report *report, const struct engine *engine, const char *why)
{
    struct left_out *left_out = &report->left_out[report->left_out_count++];
    left_out->engine = engine;
    snprintf(left_out->reason, sizeof left_out->reason, "%s", why);
}

/* All that open here. */
static bool take_all_engines(struct run *run, struct report *report, struct reason *reason)
{
    const struct engine *list[ENGINES_MAX];
    size_t count = engines_list(run->settings->direction, list);

    for (size_t i = 0; i < count; i++) {
        const char *why = why_not(run, list[i]);
        if (why == NULL)
            run->engines[run->engine_count++] = list[i];
        else
            leave_out(report, list[i], why);
    }
    return run->engine_count > 0 ||
           reason_give(reason, "no engine can be opened here: %s", report->left_out[0].reason);
}

static bool choose_engines(struct run *run, struct report *report, struct reason *reason)
{
    const struct run_settings *settings = run->settings;

    if (settings->engine_count == 0)
        return take_all_engines(run, report, reason);
    for (size_t i = 0; i < settings->engine_count; i++) {
        int error = try_to_open(run, settings->engines[i]);
        if (error != 0)
            return reason_give(reason, "%s cannot be opened here: %s", settings->engines[i]->name,
                               engine_explain(settings->engines[i], error));
        run->engines[run->engine_count++] = settings->engines[i];
    }
    return true;
}

/* An engine that sends one payload is left out where it cannot take part, unless asked for. */
static bool takes_part(const struct run *run, const struct engine *engine,
                       const struct workload_spec *spec)
{
    return !engine->one_payload || run->settings->engine_count > 0 ||
           workload_has_one_payload(spec);
}

/* ---- Time ----------------------------------------------------------------------------------- */

static double length_of(const struct workload_spec *spec)
{
    return spec->curve != NULL ? 1.0 / CURVE_PART : 1;
}

static double work_of(const struct run *run, const struct workload_spec *spec)
{
    size_t count = 0;
    for (size_t i = 0; i < run->engine_count; i++)
        count += takes_part(run, run->engines[i], spec);
    return (double)count * length_of(spec);
}

static void add_up_work(struct run *run)
{
    const struct workload_specs *specs = &run->settings->workloads;
    for (size_t i = 0; i < specs->count; i++)
        run->work += work_of(run, &specs->list[i]);
}

/* With a round's worth for what is done before and between them. */
static double choose_seconds(const struct run *run)
{
    double cost = run->settings->direction == RECEIVING ? RECEIVING_COST : 1;
    double seconds = USUAL_SECONDS / (cost * run->work * (double)(run->settings->rounds + 1));
    if (run->settings->seconds > 0)
        return run->settings->seconds;
    return seconds < LONGEST_ROUND ? seconds : LONGEST_ROUND;
}

/* ---- Workloads ------------------------------------------------------------------------------ */

static void begin_result(const struct run *run, const struct workload_spec *spec,
                         struct workload_result *result)
{
    memcpy(result->name, spec->name, sizeof result->name);
    result->curve = spec->curve;
    result->parameter = spec->parameter;
    result->axis = spec->shape->parameter;
    for (size_t i = 0; i < run->engine_count; i++)
        if (takes_part(run, run->engines[i], spec))
            result->engines[result->engine_count++].engine = run->engines[i];
}

static void measure_all(struct run *run, struct report *report)
{
    const struct run_settings *settings = run->settings;
    double done = 0;

    assert(report->workloads != NULL);
    for (size_t i = 0; i < settings->workloads.count && !interrupted(); i++) {
        const struct workload_spec *spec = &settings->workloads.list[i];
        double work = work_of(run, spec);
        struct measurement measurement = {
            .direction = settings->direction,
            .place = &run->place,
            .check_place = run->check_place,
            .spec = spec,
            .layout = &settings->layout,
            .rounds = settings->rounds,
            .round_ns = (uint64_t)(report->seconds * length_of(spec) * NS_PER_SECOND),
            .progress = &run->progress,
            .part_done = done / run->work,
            .part = work / run->work,
        };
        begin_result(run, spec, &report->workloads[i]);
        measure_workload(&measurement, &report->workloads[i]);
        report->count = i + 1;
        done += work;
    }
    /* What was begun when the user ended it, and has no round to show, is not shown. */
    if (interrupted() && report->count > 0 && report->workloads[report->count - 1].rounds == 0)
        report->count--;
}

/* ---- The whole ------------------------------------------------------------------------------ */

static bool open_places(struct run *run, struct reason *reason)
{
    static const struct place_settings on_loopback = { 0 };

    run->check_place = run->settings->place.to != NULL ? &run->loopback : &run->place;
    return place_open(&run->place, &run->settings->place, reason) &&
           (run->check_place == &run->place || place_open(&run->loopback, &on_loopback, reason));
}

static bool begin_report(const struct run *run, struct report *report, struct reason *reason)
{
    report->direction = run->settings->direction;
    machine_describe(&report->machine);
    report->where = run->place.where;
    report->optimised = OPTIMISED;
    report->contiguous = run->settings->layout.contiguous;
    report->rounds = run->settings->rounds;
    report->seconds = choose_seconds(run);
    report->workloads = calloc(run->settings->workloads.count, sizeof *report->workloads);
    return report->workloads != NULL || reason_give(reason, "%s", strerror(ENOMEM));
}

bool run_all(const struct run_settings *settings, struct report *report, struct reason *reason)
{
    struct run run = { .settings = settings, .place = PLACE_CLOSED, .loopback = PLACE_CLOSED };

    *report = (struct report){ 0 };
    bool begun = open_places(&run, reason) && choose_engines(&run, report, reason);
    if (begun) {
        add_up_work(&run);
        begun = begin_report(&run, report, reason);
    }
    if (begun) {
        progress_begin(&run.progress, settings->quiet, clock_now_ns());
        measure_all(&run, report);
        progress_end(&run.progress);
        report->interrupted = interrupted();
    }
    place_close(&run.loopback);
    place_close(&run.place);
    return begun;
}

void run_free(struct report *report)
{
    free(report->workloads);
    *report = (struct report){ 0 };
}
