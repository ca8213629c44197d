/* sending.c: what is done to engines that send: their packets are looked at, then dropped. */
#include "contest.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "interrupt.h"
#include "verify.h"

/* What is still on its way after a round has so long to arrive, each time that something does. */
enum { SETTLE_MS = 100 };

/* ---- Open ----------------------------------------------------------------------------------- */

static bool open_at(struct contest *contest, const struct place *place, struct contender *contender)
{
    struct reason reason;

    contest->fd = place_socket(place, contest->measurement->spec, &reason);
    if (contest->fd >= 0)
        return contest_open_engine(contest, contender, contest->fd);
    contest_rule_out(contender, "%s", reason.text);
    return false;
}

static bool open_sending(struct contest *contest, struct contender *contender)
{
    return open_at(contest, contest->measurement->place, contender);
}

static void close_sending(struct contest *contest)
{
    if (contest->fd >= 0)
        close(contest->fd);
    contest->fd = -1;
}

/* ---- Before timing -------------------------------------------------------------------------- */

/* As often as it is not timed later, so that what is timed is what was checked. */
static void verify(const struct contest *contest, struct contender *contender)
{
    bool well = true;
    for (size_t i = contest_calls_to_warm_up(contest); well && i > 0 && !interrupted(); i--)
        well = verify_engine(contender->engine, contender->self, &contest->workload,
                             &contest->receivers, contender->result->fault);
}

/* On loopback nothing goes past the network stack: who does that cannot be checked there. */
static bool can_be_checked(const struct contest *contest, const struct engine *engine)
{
    return contest->measurement->place == contest->measurement->check_place ||
           !engine_is_past_the_stack(engine);
}

static void check(struct contest *contest, struct contender *contender)
{
    contest_show(contest, contender, 0);
    if (contender->engine->one_payload && contest->workload.payload_count > 1)
        contest_rule_out(contender, "it sends one payload, and this workload has several");
    else if (can_be_checked(contest, contender->engine) &&
             open_at(contest, contest->measurement->check_place, contender))
        verify(contest, contender);
    contest_close(contest, contender);
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
    contest_describe(contest);
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

static bool begin_sending(struct contest *contest, struct reason *reason)
{
    return check_all(contest, reason) && move_to_place(contest, reason) &&
           place_drop(contest->measurement->place, &contest->receivers, true, reason);
}

static void end_sending(struct contest *contest)
{
    const struct measurement *measurement = contest->measurement;
    struct reason ignored;

    place_drop(measurement->place, &contest->receivers, false, &ignored);
    place_restore(measurement->place, measurement->spec);
}

/* ---- A round -------------------------------------------------------------------------------- */

/* Sends for so long, once at least. The time of each call goes into the histogram. */
static void send_for(struct contender *contender, size_t n, uint64_t round_ns,
                     struct histogram *calls, struct round *round)
{
    double cpu_before = clock_cpu_seconds();
    uint64_t begun_ns = clock_now_ns(), now_ns = begun_ns;

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

static void run_sending(struct contest *contest, struct contender *contender, uint64_t round_ns,
                        struct round *round)
{
    struct arrived before = place_arrived(contest->measurement->place, &contest->receivers);

    send_for(contender, contest->workload.n, round_ns, contender->rounds.latest, round);
    count_vanished(contest, &before, round);
}

/* What it gave up while timed, or was refused without need, no check beforehand could see. */
static void judge_sending(struct contest *contest, struct contender *contender,
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

/* ---- System calls --------------------------------------------------------------------------- */

static void send_once(struct contest *contest, struct contender *contender)
{
    (void)contest;
    contender->engine->send(contender->self);
}

static size_t packets_of_call(const struct contest *contest)
{
    return contest->workload.n;
}

const struct discipline discipline_sending = {
    .begin = begin_sending,
    .end = end_sending,
    .open = open_sending,
    .close = close_sending,
    .run = run_sending,
    .judge = judge_sending,
    .work = send_once,
    .work_packets = packets_of_call,
};
