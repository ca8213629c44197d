/* measure.c: one workload by several engines, in rounds that alternate. */
#include "measure.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contest.h"
#include "interrupt.h"
#include "syscalls.h"

static const struct discipline *const disciplines[] = {
    [SENDING] = &discipline_sending, [RECEIVING] = &discipline_receiving
};

/* For what is wrong with none of them in particular. */
static void rule_out_all(struct contest *contest, const char *why)
{
    for (size_t i = 0; i < contest->count; i++)
        if (!contest_is_out(&contest->contenders[i]))
            contest_rule_out(&contest->contenders[i], "%s", why);
}

/* ---- Figures -------------------------------------------------------------------------------- */

struct trial {
    struct contest *contest;
    struct contender *contender;
};

static bool open_once(void *context)
{
    struct trial *trial = context;
    return trial->contest->discipline->open(trial->contest, trial->contender);
}

static bool prepare_work(void *context)
{
    struct contest *contest = ((struct trial *)context)->contest;
    return contest->discipline->prepare == NULL || contest->discipline->prepare(contest);
}

static void work_once(void *context)
{
    struct trial *trial = context;
    trial->contest->discipline->work(trial->contest, trial->contender);
}

static void count_syscalls(struct contest *contest, struct contender *contender)
{
    struct trial trial = { contest, contender };
    const struct counted counted = { .begin = open_once,
                                     .prepare = prepare_work,
                                     .work = work_once,
                                     .context = &trial,
                                     .calls_to_warm_up = contest_calls_to_warm_up(contest) };
    long count = syscalls_count(&counted);
    contender->result->syscalls_per_packet =
        count < 0 ? -1 : (double)count / (double)contest->discipline->work_packets(contest);
}

static const struct rounds *rounds_of_baseline(const struct contest *contest)
{
    const char *baseline = engines_baseline(contest->measurement->direction);
    for (size_t i = 0; i < contest->count; i++) {
        const struct contender *contender = &contest->contenders[i];
        if (strcmp(contender->engine->name, baseline) == 0 && !contest_is_out(contender))
            return &contender->rounds;
    }
    return NULL;
}

static void sum_up(struct contest *contest, double *room)
{
    const struct rounds *baseline = rounds_of_baseline(contest);
    for (size_t i = 0; i < contest->count; i++)
        if (!contest_is_out(&contest->contenders[i]))
            rounds_sum_up(&contest->contenders[i].rounds, baseline, contest->result->rounds, room,
                          contest->contenders[i].result);
}

/* ---- The whole ------------------------------------------------------------------------------ */

static bool get_ready(struct contest *contest, struct contender *contender, struct reason *reason)
{
    if (contest_is_out(contender))
        return true;
    if (!rounds_open(&contender->rounds, contest->measurement->rounds))
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
    if (!contest->discipline->begin(contest, reason))
        return false;
    for (size_t i = 0; i < contest->count && !interrupted(); i++)
        if (!get_ready(contest, &contest->contenders[i], reason))
            return false;
    return time_all(contest, reason);
}

static void end(struct contest *contest)
{
    if (contest->discipline->end != NULL)
        contest->discipline->end(contest);
    for (size_t i = 0; i < contest->count; i++)
        rounds_close(&contest->contenders[i].rounds);
    workload_free(&contest->workload);
    receivers_close(&contest->receivers);
}

void measure_workload(const struct measurement *measurement, struct workload_result *result)
{
    struct contest contest = { .discipline = disciplines[measurement->direction],
                               .measurement = measurement,
                               .result = result,
                               .fd = -1,
                               .feeder.fd = -1,
                               .count = result->engine_count };
    struct reason reason = { "" };

    snprintf(result->what, sizeof result->what, "%s", measurement->spec->shape->where_from);
    for (size_t i = 0; i < contest.count; i++)
        contest.contenders[i] = (struct contender){ .engine = result->engines[i].engine,
                                                    .result = &result->engines[i] };
    if (!hold(&contest, &reason))
        rule_out_all(&contest, reason.text);
    end(&contest);
}
