/* contest.c: rounds of several engines in turn. */
#include "contest.h"

#include <stdio.h>

#include "clock.h"
#include "interrupt.h"

/* What is still on its way after a round has so long to arrive, each time that something does. */
enum { SETTLE_MS = 100 };

/* Sends for so long. The time of each call goes into the histogram, if there is one. */
static void send_for(struct contender *contender, size_t n, uint64_t round_ns,
                     struct histogram *calls, struct round *round)
{
    double cpu_before = clock_cpu_seconds();
    uint64_t begun_ns = clock_now_ns(), now_ns = begun_ns;

    *round = (struct round){ 0 };
    do {
        uint64_t before_ns = now_ns;
        struct outcome outcome = contender->engine->send(contender->self);
        now_ns = clock_now_ns();
        if (calls != NULL)
            histogram_add(calls, now_ns - before_ns);
        round->packets += n;
        round->sent += outcome.sent;
        round->refused += outcome.refused;
    } while (now_ns - begun_ns < round_ns && !interrupted());
    round->seconds = clock_seconds(now_ns - begun_ns);
    round->cpu_seconds = clock_cpu_seconds() - cpu_before;
}

/* Waits until so much has arrived, or no more comes. Returns how much has. */
static uint64_t wait_for_arrivals(const struct contest *contest, uint64_t wanted)
{
    const struct place *place = contest->measurement->place;
    uint64_t amount = place_arrived(place, &contest->receivers).amount;

    for (int idle_ms = 0; amount < wanted && idle_ms < SETTLE_MS; idle_ms++) {
        clock_sleep_ns(NS_PER_MS);
        uint64_t before = amount;
        amount = place_arrived(place, &contest->receivers).amount;
        if (amount > before)
            idle_ms = 0;
    }
    return amount;
}

/* How many of the packets that were sent in a round never arrived. */
static uint64_t count_vanished(const struct contest *contest, const struct arrived *before,
                               uint64_t sent)
{
    const struct workload *workload = &contest->workload;
    const size_t good = workload->n - workload->bad;
    double each = before->in_bytes && good > 0 ? (double)workload->bytes / (double)good : 1;
    uint64_t expected = (uint64_t)((double)sent * each + 0.5);

    if (!before->known)
        return 0;
    uint64_t arrived = wait_for_arrivals(contest, before->amount + expected) - before->amount;
    return arrived < expected ? (uint64_t)((double)(expected - arrived) / each + 0.5) : 0;
}

static void run_round(struct contest *contest, struct contender *contender, size_t index)
{
    const struct measurement *measurement = contest->measurement;
    struct round *round = &contender->rounds.list[index];
    struct arrived before = place_arrived(measurement->place, &contest->receivers);

    send_for(contender, contest->workload.n, measurement->round_ns, contender->rounds.calls, round);
    round->vanished = count_vanished(contest, &before, round->sent);
}

static void show(const struct contest *contest, const struct contender *contender, double part)
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

/* Each goes first in its turn, so that none is always behind the same other. */
bool contest_run_round(struct contest *contest, size_t index)
{
    const size_t rounds = contest->measurement->rounds, count = contest->count;

    for (size_t k = 0; k < count; k++) {
        struct contender *contender = &contest->contenders[(k + index) % count];
        show(contest, contender, (double)(index * count + k) / (double)(rounds * count));
        if (contender->self != NULL)
            run_round(contest, contender, index);
        if (interrupted())
            return false;
    }
    return true;
}

void contest_warm_up(struct contest *contest)
{
    enum { PART = 4 }; /* of a round */
    struct round ignored;

    for (size_t i = 0; i < contest->count && !interrupted(); i++)
        if (contest->contenders[i].self != NULL)
            send_for(&contest->contenders[i], contest->workload.n,
                     contest->measurement->round_ns / PART, NULL, &ignored);
}
