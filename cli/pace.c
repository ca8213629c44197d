/* pace.c: a token bucket that keeps a sender to a rate. Pure: the time is an argument.
 *
 * The last packet of a burst may overdraw the bucket, so that a packet larger than the burst can
 * leave at all; the next one waits until that is paid, and the rate holds on average. */
#include "pace.h"

#include "clock.h"

/* A bucket that is waited for has this much in it: below, every packet would cost a system call
 * and a sleep of its own. What it holds at most makes up for sleeps that last too long; more
 * would be a burst that a receiver's default buffer (208 KiB) could not take at 200 Mbit/s. */
static const double WAKE_SECONDS = 0.001;
static const double BURST_SECONDS = 0.004;

static double cost(const struct pace *pace, uint64_t packets, uint64_t bytes)
{
    return pace->rate.unit == RATE_BITS ? 8 * (double)bytes : (double)packets;
}

void pace_begin(struct pace *pace, const struct rate *rate, uint64_t now_ns)
{
    *pace =
        (struct pace){ .rate = *rate, .tokens = rate->per_second * WAKE_SECONDS, .now_ns = now_ns };
}

uint64_t pace_wait_ns(struct pace *pace, uint64_t now_ns)
{
    const double per_second = pace->rate.per_second;

    if (pace->rate.unit == RATE_UNLIMITED)
        return 0;
    pace->tokens += per_second * clock_seconds(now_ns - pace->now_ns);
    pace->now_ns = now_ns;
    if (pace->tokens > per_second * BURST_SECONDS)
        pace->tokens = per_second * BURST_SECONDS;
    double missing_seconds = WAKE_SECONDS - pace->tokens / per_second;
    if (missing_seconds <= 0)
        return 0;
    /* Rounded up: a wait of 0 must mean that there is something to spend. */
    return missing_seconds < 1 ? (uint64_t)(missing_seconds * NS_PER_SECOND) + 1 : NS_PER_SECOND;
}

size_t pace_allowance(const struct pace *pace, const struct udpbatch_packet *packets, size_t n)
{
    double tokens = pace->tokens;
    size_t i = 0;

    if (pace->rate.unit == RATE_UNLIMITED)
        return n;
    for (; i < n && tokens > 0; i++)
        tokens -= cost(pace, 1, packets[i].len);
    return i;
}

void pace_spend(struct pace *pace, uint64_t packets, uint64_t bytes)
{
    if (pace->rate.unit != RATE_UNLIMITED)
        pace->tokens -= cost(pace, packets, bytes);
}
