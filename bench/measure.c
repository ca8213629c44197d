/* measure.c: one workload by several engines, in rounds that alternate. */
#include "measure.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contest.h"
#include "interrupt.h"
#include "syscalls.h"
#include "verify.h"

/* What a description may have room for is what a result has. */
_Static_assert((int)RESULT_TEXT >= (int)WORKLOAD_TEXT, "a description fits a result");

/* For what is wrong with none of them in particular. */
static void rule_out_all(struct contest *contest, const char *why)
{
    for (size_t i = 0; i < contest->count; i++)
        if (!contest_is_out(&contest->contenders[i]))
            contest_rule_out(&contest->contenders[i], "%s", why);
}

/* ---- Before timing -------------------------------------------------------------------------- */

static void check(struct contest *contest, struct contender *contender)
{
    contest_show(contest, contender, 0);
    if (contender->engine->one_payload && contest->workload.payload_count > 1)
        contest_rule_out(contender, "it sends one payload, and this workload has several");
    else if (contest_open(contest, contest->measurement->check_place, contender))
        verify_engine(contender->engine, contender->self, &contest->workload, &contest->receivers,
                      contender->result->fault);
    contest_close(contender);
}

static void describe(struct contest *contest)
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

static bool build(struct contest *contest, struct place *place, const union udpbatch_addr *targets,
                  size_t target_count, struct reason *reason)
{
    const struct measurement *measurement = contest->measurement;
    if (!place_prepare(place, measurement->spec, reason))
        return false;
    return workload_build(&contest->workload, measurement->spec, measurement->layout, targets,
                          target_count, &place->bad) ||
           reason_give(reason, "%s", strerror(ENOMEM));
}

static bool check_all(struct contest *contest, struct reason *reason)
{
    const struct measurement *measurement = contest->measurement;
    struct place *place = measurement->check_place;
    size_t targets = workload_targets(measurement->spec);

    if (!place_listen(place, &contest->receivers, targets, reason) ||
        !place_drop(place, &contest->receivers, false, reason) ||
        !build(contest, place, contest->receivers.targets, targets, reason))
        return false;
    describe(contest);
    for (size_t i = 0; i < contest->count && !interrupted(); i++)
        check(contest, &contest->contenders[i]);
    return true;
}

/* If it is timed elsewhere, the packets are made anew, for there. */
static bool move_to_place(struct contest *contest, struct reason *reason)
{
    const struct measurement *measurement = contest->measurement;
    const struct targets *to = measurement->place->to;

    if (measurement->place == measurement->check_place)
        return true;
    workload_free(&contest->workload);
    return build(contest, measurement->place, to->addresses, to->count, reason);
}

/* ---- Figures -------------------------------------------------------------------------------- */

struct trial {
    struct contest *contest;
    struct contender *contender;
};

static bool open_once(void *context)
{
    struct trial *trial = context;
    return contest_open(trial->contest, trial->contest->measurement->place, trial->contender);
}

static void send_once(void *context)
{
    struct contender *contender = ((struct trial *)context)->contender;
    contender->engine->send(contender->self);
}

static void count_syscalls(struct contest *contest, struct contender *contender)
{
    struct trial trial = { contest, contender };
    long count = syscalls_count(&(struct counted){ open_once, send_once, &trial });
    contender->result->syscalls_per_packet =
        count < 0 ? -1 : (double)count / (double)contest->workload.n;
}

static const struct rounds *rounds_of_original(const struct contest *contest)
{
    for (size_t i = 0; i < contest->count; i++) {
        const struct contender *contender = &contest->contenders[i];
        if (strcmp(contender->engine->name, ENGINE_ORIGINAL) == 0 && !contest_is_out(contender))
            return &contender->rounds;
    }
    return NULL;
}

static void sum_up(struct contest *contest, double *room)
{
    const struct rounds *original = rounds_of_original(contest);
    for (size_t i = 0; i < contest->count; i++)
        if (!contest_is_out(&contest->contenders[i]))
            rounds_sum_up(&contest->contenders[i].rounds, original, contest->result->rounds, room,
                          contest->contenders[i].result);
}

/* ---- The whole ------------------------------------------------------------------------------ */

static bool get_ready(struct contest *contest, struct contender *contender, struct reason *reason)
{
    struct rounds *rounds = &contender->rounds;

    if (contest_is_out(contender))
        return true;
    rounds->list = calloc(contest->measurement->rounds, sizeof *rounds->list);
    rounds->calls = calloc(1, sizeof *rounds->calls);
    rounds->latest = calloc(1, sizeof *rounds->latest);
    if (rounds->list == NULL || rounds->calls == NULL || rounds->latest == NULL)
        return reason_give(reason, "%s", strerror(ENOMEM));
    count_syscalls(contest, contender);
    return true;
}

static bool time_all(struct contest *contest, struct reason *reason)
{
    const struct measurement *measurement = contest->measurement;
    double *room = calloc(measurement->rounds, sizeof *room);

    if (room == NULL)
        return reason_give(reason, "%s", strerror(ENOMEM));
    contest_warm_up(contest);
    for (size_t round = 0; round < measurement->rounds && contest_run_round(contest, round);
         round++)
        contest->result->rounds = round + 1;
    sum_up(contest, room);
    free(room);
    return true;
}

static bool hold(struct contest *contest, struct reason *reason)
{
    const struct place *place = contest->measurement->place;

    if (!check_all(contest, reason) || !move_to_place(contest, reason) ||
        !place_drop(place, &contest->receivers, true, reason))
        return false;
    for (size_t i = 0; i < contest->count && !interrupted(); i++)
        if (!get_ready(contest, &contest->contenders[i], reason))
            return false;
    return time_all(contest, reason);
}

static void end(struct contest *contest)
{
    const struct measurement *measurement = contest->measurement;
    struct reason ignored;

    place_drop(measurement->place, &contest->receivers, false, &ignored);
    place_restore(measurement->place, measurement->spec);
    for (size_t i = 0; i < contest->count; i++) {
        contest_close(&contest->contenders[i]);
        free(contest->contenders[i].rounds.list);
        free(contest->contenders[i].rounds.calls);
        free(contest->contenders[i].rounds.latest);
    }
    workload_free(&contest->workload);
    receivers_close(&contest->receivers);
}

void measure_workload(const struct measurement *measurement, struct workload_result *result)
{
    struct contest contest = { .measurement = measurement,
                               .result = result,
                               .count = result->engine_count };
    struct reason reason = { "" };

    snprintf(result->what, sizeof result->what, "%s", measurement->spec->shape->where_from);
    for (size_t i = 0; i < contest.count; i++)
        contest.contenders[i] = (struct contender){ .engine = result->engines[i].engine,
                                                    .result = &result->engines[i],
                                                    .fd = -1 };
    if (!hold(&contest, &reason))
        rule_out_all(&contest, reason.text);
    end(&contest);
}
