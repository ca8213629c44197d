/* receiving.c: what is done to engines that receive: the buffer of their socket is filled, untimed,
 * then they empty it. So one thread is enough, and neither waits for the other. */
#include "contest.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>

#include "clock.h"
#include "interrupt.h"
#include "verify_receiver.h"

/* What is still on its way to the socket has so long to arrive. */
enum { SETTLE_MS = 100 };

/* ---- Open ----------------------------------------------------------------------------------- */

/* The packets of the workload point at the feeder's address of the receiver, whatever it is. */
static bool open_sockets(struct contest *contest, struct reason *reason)
{
    const struct measurement *measurement = contest->measurement;

    if (!place_listen(measurement->place, &contest->receivers, 1, reason))
        return false;
    fcntl(contest->receivers.fds[0], F_SETFL, O_NONBLOCK);
    return feeder_open(&contest->feeder, measurement->place, &contest->receivers, measurement->spec,
                       &contest->workload, reason);
}

static bool open_receiving(struct contest *contest, struct contender *contender)
{
    struct reason reason;

    if (open_sockets(contest, &reason))
        return contest_open_engine(contest, contender, contest->receivers.fds[0]);
    contest_rule_out(contender, "%s", reason.text);
    return false;
}

static void close_receiving(struct contest *contest)
{
    feeder_close(&contest->feeder);
    receivers_close(&contest->receivers);
}

/* ---- Before timing -------------------------------------------------------------------------- */

static void check(struct contest *contest, struct contender *contender)
{
    contest_show(contest, contender, 0);
    if (open_receiving(contest, contender))
        verify_receiver(contender->engine, contender->self, contest->receivers.fds[0],
                        &contest->feeder, contender->result->fault);
    contest_close(contest, contender);
}

static bool begin_receiving(struct contest *contest, struct reason *reason)
{
    const struct measurement *measurement = contest->measurement;

    if (!workload_build(&contest->workload, measurement->spec, measurement->layout,
                        &contest->feeder.to, 1, &measurement->place->bad))
        return reason_give(reason, "%s", strerror(ENOMEM));
    contest_describe(contest);
    for (size_t i = 0; i < contest->count && !interrupted(); i++)
        check(contest, &contest->contenders[i]);
    return true;
}

/* ---- A round -------------------------------------------------------------------------------- */

/* So many are asked for at once, as many as the baseline takes. */
enum { AT_ONCE = 64 };

/* Takes packets until there are so many, or no more. */
static size_t take(const struct contender *contender, size_t wanted, struct round *round)
{
    struct udpbatch_received packets[AT_ONCE];
    size_t taken = 0;

    while (taken < wanted) {
        int count = contender->engine->receive(contender->self, packets, AT_ONCE);
        if (count < 0 && count != -EAGAIN && count != -EINTR)
            round->first_error = -count;
        if (count <= 0)
            break;
        taken += (size_t)count;
    }
    return taken;
}

static bool comes_more(const struct contest *contest)
{
    struct pollfd arrival = { .fd = contest->receivers.fds[0], .events = POLLIN };
    return poll(&arrival, 1, SETTLE_MS) > 0 && !interrupted();
}

static size_t packets_of_fill(const struct contest *contest)
{
    return contest->feeder.n * contest->feeder.bursts;
}

/* Empties the socket once. What comes late is waited for, untimed. */
static void empty(const struct contest *contest, const struct contender *contender,
                  struct round *round)
{
    size_t wanted = packets_of_fill(contest), taken = 0;

    do {
        double cpu_before = clock_cpu_seconds();
        uint64_t begun_ns = clock_now_ns();
        taken += take(contender, wanted - taken, round);
        round->seconds += clock_seconds(clock_now_ns() - begun_ns);
        round->cpu_seconds += clock_cpu_seconds() - cpu_before;
    } while (taken < wanted && round->first_error == 0 && comes_more(contest));
    round->packets += wanted;
    round->sent += taken;
}

/* The histogram gets the time of a burst, as the mean of those that were there at once. */
static void run_receiving(struct contest *contest, struct contender *contender, uint64_t round_ns,
                          struct round *round)
{
    const double limit = clock_seconds(round_ns);
    struct reason reason;

    round->vanished_known = true;
    do {
        double before = round->seconds;
        if (!feeder_fill(&contest->feeder, &reason)) {
            contest_rule_out(contender, "%s", reason.text);
            return;
        }
        empty(contest, contender, round);
        histogram_add(
            contender->rounds.latest,
            (uint64_t)((round->seconds - before) * NS_PER_SECOND / (double)contest->feeder.bursts));
    } while (round->seconds < limit && round->sent == round->packets && !interrupted());
    round->sent += take(contender, 1, round); /* what is there once too often */
}

/* All that was put into the socket has to come out, and no more. */
static void judge_receiving(struct contest *contest, struct contender *contender,
                            const struct round *round)
{
    uint64_t dropped = 0;

    if (contest_is_out(contender))
        return;
    receivers_dropped(&contest->receivers, &dropped);
    if (round->first_error != 0)
        contest_rule_out(contender, "it failed while timed: %s", strerror(round->first_error));
    else if (dropped > 0)
        contest_rule_out(contender, "its socket dropped %" PRIu64 " packets while timed", dropped);
    else if (round->sent != round->packets)
        contest_rule_out(contender, "it gave out %" PRIu64 " of %" PRIu64 " packets while timed",
                         round->sent, round->packets);
}

/* ---- System calls --------------------------------------------------------------------------- */

static bool fill_once(struct contest *contest)
{
    struct reason ignored;
    return feeder_fill(&contest->feeder, &ignored);
}

static void take_once(struct contest *contest, struct contender *contender)
{
    struct round ignored = { 0 };
    take(contender, packets_of_fill(contest), &ignored);
}

const struct discipline discipline_receiving = {
    .begin = begin_receiving,
    .open = open_receiving,
    .close = close_receiving,
    .run = run_receiving,
    .judge = judge_receiving,
    .prepare = fill_once,
    .work = take_once,
    .work_packets = packets_of_fill,
};
