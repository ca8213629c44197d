/* contest.c: rounds of several engines in turn. */
#include "contest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "interrupt.h"

/* What is still on its way after a round has so long to arrive, each time that something does. */
enum { SETTLE_MS = 100 };

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

/* ---- Engines, opened and closed ------------------------------------------------------------- */

static void note_what_it_uses(const struct contender *contender)
{
    const struct engine *engine = contender->engine;
    if (engine->uses != NULL)
        snprintf(contender->result->uses, sizeof contender->result->uses, "%s",
                 engine->uses(contender->self));
}

bool contest_open(struct contest *contest, const struct place *place, struct contender *contender)
{
    const struct engine *engine = contender->engine;
    const struct workload *workload = &contest->workload;
    struct reason reason;

    contender->fd = place_socket(place, contest->measurement->spec, &reason);
    if (contender->fd < 0) {
        contest_rule_out(contender, "%s", reason.text);
        return false;
    }
    contender->self = engine->open(engine, contender->fd, workload->packets, workload->n);
    if (contender->self == NULL) {
        contest_rule_out(contender, "cannot be opened: %s", strerror(errno));
        contest_close(contender);
        return false;
    }
    note_what_it_uses(contender);
    return true;
}

void contest_close(struct contender *contender)
{
    if (contender->self != NULL)
        contender->engine->close(contender->self);
    if (contender->fd >= 0)
        close(contender->fd);
    contender->self = NULL;
    contender->fd = -1;
}

/* ---- A round of one ------------------------------------------------------------------------- */

/* Sends for so long, once at least. The time of each call goes into the histogram. */
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
        histogram_add(calls, now_ns - before_ns);
        round->packets += n;
        round->sent += outcome.sent;
        round->refused += outcome.refused;
        if (outcome.first_error != 0)
            round->first_error = outcome.first_error;
    } while (now_ns - begun_ns < round_ns && !interrupted());
    round->seconds = clock_seconds(now_ns - begun_ns);
    round->cpu_seconds = clock_cpu_seconds() - cpu_before;
}

/* Waits until so much has arrived, or no more comes. */
static struct arrived wait_for_arrivals(const struct contest *contest, uint64_t wanted)
{
    const struct place *place = contest->measurement->place;
    struct arrived arrived = place_arrived(place, &contest->receivers);
    uint64_t most = arrived.amount;

    for (int idle_ms = 0; arrived.known && arrived.amount < wanted && idle_ms < SETTLE_MS;
         idle_ms++) {
        clock_sleep_ns(NS_PER_MS);
        arrived = place_arrived(place, &contest->receivers);
        if (arrived.amount > most) {
            most = arrived.amount;
            idle_ms = 0;
        }
    }
    return arrived;
}

/* How many of the packets that were sent in a round never arrived. */
static void count_vanished(const struct contest *contest, const struct arrived *before,
                           struct round *round)
{
    const struct workload *workload = &contest->workload;
    const size_t good = workload->n - workload->bad;
    double each = before->in_bytes && good > 0 ? (double)workload->bytes / (double)good : 1;
    uint64_t expected = (uint64_t)((double)round->sent * each + 0.5);

    if (!before->known)
        return;
    struct arrived after = wait_for_arrivals(contest, before->amount + expected);
    uint64_t arrived = after.amount - before->amount;
    round->vanished_known = after.known;
    if (after.known && arrived < expected)
        round->vanished = (uint64_t)((double)(expected - arrived) / each + 0.5);
}

static void run_round(const struct contest *contest, struct contender *contender, uint64_t round_ns,
                      struct round *round)
{
    struct arrived before = place_arrived(contest->measurement->place, &contest->receivers);

    *contender->rounds.latest = (struct histogram){ 0 };
    send_for(contender, contest->workload.n, round_ns, contender->rounds.latest, round);
    count_vanished(contest, &before, round);
}

/* What it gave up while timed, or was refused without need, no check beforehand could see. */
static void judge(const struct contest *contest, struct contender *contender,
                  const struct round *round)
{
    const struct workload *workload = &contest->workload;
    uint64_t bad = round->packets / workload->n * workload->bad;
    uint64_t given_up = round->packets - round->sent - round->refused;

    if (given_up > 0)
        contest_rule_out(contender, "it gave up %" PRIu64 " of %" PRIu64 " packets while timed",
                         given_up, round->packets);
    else if (round->refused != bad)
        contest_rule_out(
            contender, "%" PRIu64 " packets were refused while timed, and %" PRIu64 " are bad: %s",
            round->refused, bad, strerror(round->first_error));
}

/* Opened anew, with one call that is not timed, for what is done only the first time. */
static void open_and_run(struct contest *contest, struct contender *contender, uint64_t round_ns,
                         struct round *round)
{
    if (!contest_open(contest, contest->measurement->place, contender))
        return;
    run_round(contest, contender, 0, round);
    if (!interrupted())
        run_round(contest, contender, round_ns, round);
    if (!interrupted())
        judge(contest, contender, round);
    contest_close(contender);
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
