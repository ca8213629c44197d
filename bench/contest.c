/* contest.c: rounds of several engines in turn. */
#include "contest.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "interrupt.h"

/* What a description may have room for is what a result has. */
_Static_assert((int)RESULT_TEXT >= (int)WORKLOAD_TEXT, "a description fits a result");

bool contest_is_out(const struct contender *contender)
{
    return contender->result->fault[0] != '\0';
}

void contest_rule_out(struct contender *contender, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(contender->result->fault, sizeof contender->result->fault, format, arguments);
    va_end(arguments);
}

void contest_describe(const struct contest *contest)
{
    const struct workload *workload = &contest->workload;
    struct workload_result *result = contest->result;
    const struct measurement *measurement = contest->measurement;

    workload_describe(workload, measurement->spec, result->what);
    if (measurement->spec->shape->pressed && measurement->place->kind != PLACE_NETNS)
        strncat(result->what, "; no slow queue here",
                sizeof result->what - strlen(result->what) - 1);
    result->packets = workload->n;
    result->payloads = workload->payload_count;
    result->targets = workload->target_count;
    result->bad = workload->bad;
    result->least_bytes = workload->least_bytes;
    result->most_bytes = workload->most_bytes;
}

/* ---- Engines, opened and closed ------------------------------------------------------------- */

static void note_what_it_uses(const struct contender *contender)
{
    const struct engine *engine = contender->engine;
    if (engine->uses != NULL)
        snprintf(contender->result->uses, sizeof contender->result->uses, "%s",
                 engine->uses(contender->self));
}

bool contest_open_engine(const struct contest *contest, struct contender *contender, int fd)
{
    const struct engine *engine = contender->engine;
    const struct workload *workload = &contest->workload;

    contender->self = engine->open(engine, fd, workload->packets, workload->n);
    if (contender->self == NULL) {
        contest_rule_out(contender, "cannot be opened: %s", engine_explain(engine, errno));
        return false;
    }
    note_what_it_uses(contender);
    return true;
}

void contest_close(struct contest *contest, struct contender *contender)
{
    if (contender->self != NULL)
        contender->engine->close(contender->self);
    contender->self = NULL;
    contest->discipline->close(contest);
}

/* ---- A round of one ------------------------------------------------------------------------- */

static void run_round(struct contest *contest, struct contender *contender, uint64_t round_ns,
                      struct round *round)
{
    *round = (struct round){ 0 };
    *contender->rounds.latest = (struct histogram){ 0 };
    contest->discipline->run(contest, contender, round_ns, round);
}

/* The library's "xdp" asks the kernel for the way to so many targets per call, from its second call
 * on, as the first one binds the socket. */
enum { LEARNT_PER_CALL = 64, CALLS_BESIDES = 2 };

size_t contest_calls_to_warm_up(const struct contest *contest)
{
    return CALLS_BESIDES + contest->workload.target_count / LEARNT_PER_CALL;
}

/* Opened anew, with calls that are not timed. */
static void open_and_run(struct contest *contest, struct contender *contender, uint64_t round_ns,
                         struct round *round)
{
    if (contest->discipline->open(contest, contender)) {
        for (size_t i = contest_calls_to_warm_up(contest); i > 0 && !interrupted(); i--)
            run_round(contest, contender, 0, round);
        if (!interrupted())
            run_round(contest, contender, round_ns, round);
        if (!interrupted())
            contest->discipline->judge(contest, contender, round);
    }
    contest_close(contest, contender);
}

/* ---- A round of each ------------------------------------------------------------------------ */

void contest_show(const struct contest *contest, const struct contender *contender, double part)
{
    const struct measurement *measurement = contest->measurement;
    struct progress *progress = measurement->progress;
    uint64_t now_ns = clock_now_ns();
    struct progress_state state = { .part = measurement->part_done + part * measurement->part };

    if (!progress_is_due(progress, now_ns))
        return;
    snprintf(state.what, sizeof state.what, "%s %s", measurement->spec->name,
             contender->engine->name);
    progress_show(progress, &state, now_ns);
}

/* Who is next: each goes first in its turn, and every second round goes backwards, so that none is
 * always behind the same other. */
static struct contender *next_of(struct contest *contest, size_t index, size_t k)
{
    size_t place = (k + index) % contest->count;
    return &contest->contenders[index % 2 == 0 ? place : contest->count - 1 - place];
}

static void keep_times(struct contest *contest)
{
    for (size_t i = 0; i < contest->count; i++) {
        struct rounds *rounds = &contest->contenders[i].rounds;
        if (!contest_is_out(&contest->contenders[i]))
            histogram_merge(rounds->calls, rounds->latest);
    }
}

bool contest_run_round(struct contest *contest, size_t index)
{
    const struct measurement *measurement = contest->measurement;
    const size_t count = contest->count;

    for (size_t k = 0; k < count; k++) {
        struct contender *contender = next_of(contest, index, k);
        contest_show(contest, contender,
                     (double)(index * count + k) / (double)(measurement->rounds * count));
        if (!contest_is_out(contender))
            open_and_run(contest, contender, measurement->round_ns, &contender->rounds.list[index]);
        if (interrupted())
            return false;
    }
    keep_times(contest);
    return true;
}

void contest_warm_up(struct contest *contest)
{
    enum { PART = 4 }; /* of a round */
    struct round ignored;

    for (size_t i = 0; i < contest->count && !interrupted(); i++)
        if (!contest_is_out(&contest->contenders[i]))
            open_and_run(contest, &contest->contenders[i], contest->measurement->round_ns / PART,
                         &ignored);
}
