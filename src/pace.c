/* pace.c: a token bucket that keeps a sender to its rate. Pure: the time is an argument.
 *
 * A packet leaves if the bucket holds what it costs, or what a wait ends with if that is less: then
 * it overdraws, so that packets beyond the burst and rates below one a second work, and the next
 * one waits until that is paid. What a packet does not leave for stays in the bucket, so that the
 * rate holds on average, though waits end late. */
#include "internal.h"

#include <float.h>

/* A wait ends with this much in the bucket: with less, every packet of a high rate would cost a
 * system call and a sleep of its own. */
static const double WAIT_SECONDS = 0.001;

/* What the bucket holds at most makes up for waits that end too late; more would be a burst that a
 * receiver's default buffer (208 KiB) could not take at 200 Mbit/s. Of a slow rate that is so
 * little that it may be a few packets: a thread that is held up for 10 ms then misses none. */
static const double BURST_SECONDS = 0.004;
static const double SLOW_BURST_SECONDS = 0.020;
static const double SLOW_BURST_PACKETS = 16, SLOW_BURST_BYTES = 24000;

static const double SECOND_NS = 1e9;

/* 31 years: as much as a time_t of 32 bits can wait. */
static const int64_t DELAY_MOST_NS = INT64_C(1000000000) * 1000000000;

static double lesser(double a, double b)
{
    return a < b ? a : b;
}

static double greater(double a, double b)
{
    return a > b ? a : b;
}

/* What a wait ends with is part of it, and must not be zero. NaN is neither more nor less. */
static bool is_rate(double rate)
{
    return rate >= DBL_MIN && rate <= DBL_MAX;
}

/* A token at least: so slow rates make up for late waits, too. */
static double default_burst(double rate, enum udpbatch_rate_unit unit)
{
    double few = unit == UDPBATCH_RATE_PACKETS ? SLOW_BURST_PACKETS : SLOW_BURST_BYTES;
    double of_slow = lesser(rate * SLOW_BURST_SECONDS, few);
    return greater(1, greater(rate * BURST_SECONDS, of_slow));
}

int ub_pace_begin(struct ub_pace *pace, const struct udpbatch_sender_options *options,
                  int64_t now_ns)
{
    double rate = options->rate;
    double burst =
        options->burst != 0 ? (double)options->burst : default_burst(rate, options->rate_unit);
    double enough = lesser(rate * WAIT_SECONDS, burst);

    if ((unsigned)options->rate_unit > UDPBATCH_RATE_BYTES)
        return -EINVAL;
    if (rate == 0 ? options->burst != 0 : !is_rate(rate))
        return -EINVAL;
    *pace = (struct ub_pace){ .unit = options->rate_unit,
                              .rate = rate,
                              .burst = burst,
                              .enough = enough,
                              .tokens = enough,
                              .then_ns = now_ns };
    return 0;
}

/* The time is a difference: as a double, nanoseconds since the machine was started lose digits. */
static double tokens_at(const struct ub_pace *pace, int64_t now_ns)
{
    double seconds = (double)(now_ns - pace->then_ns) / SECOND_NS;
    return lesser(pace->tokens + pace->rate * seconds, pace->burst);
}

/* Of a payload that will be refused: nothing. */
static double cost(const struct ub_pace *pace, const struct udpbatch_packet *packet)
{
    const struct udpbatch_packet payload = { .data = packet->data, .len = packet->len };

    if (pace->unit == UDPBATCH_RATE_PACKETS)
        return 1;
    int32_t bytes = ub_check(&payload, NULL, NULL);
    return bytes > 0 ? bytes : 0;
}

size_t ub_pace_allowance(const struct ub_pace *pace, int64_t now_ns,
                         const struct udpbatch_packet *packets, size_t n)
{
    double tokens = tokens_at(pace, now_ns);

    for (size_t i = 0; i < n; i++) {
        if (packets[i].status != 0)
            continue;
        double price = cost(pace, &packets[i]);
        if (tokens < lesser(price, pace->enough))
            return i;
        tokens -= price;
    }
    return n;
}

/* The time is noted with what is spent, and not before: parts of a token that very slow rates add
 * in between would be lost to rounding. */
void ub_pace_spend(struct ub_pace *pace, int64_t now_ns, uint64_t packets, uint64_t bytes)
{
    uint64_t spent = pace->unit == UDPBATCH_RATE_PACKETS ? packets : bytes;

    if (spent == 0)
        return;
    pace->tokens = tokens_at(pace, now_ns) - (double)spent;
    pace->then_ns = now_ns;
}

/* Rounded up: 0 means that something may leave. */
int64_t ub_pace_delay_ns(const struct ub_pace *pace, int64_t now_ns)
{
    double missing = pace->enough - tokens_at(pace, now_ns);
    double delay_ns = missing / pace->rate * SECOND_NS;

    if (missing <= 0)
        return 0;
    return delay_ns < (double)DELAY_MOST_NS ? (int64_t)delay_ns + 1 : DELAY_MOST_NS;
}
