/* collect.c: from a receiver to a sink, until enough has come. */
#include "collect.h"

#include "clock.h"
#include "interrupt.h"

static bool can_go_on(const struct collect *collect)
{
    return collect->error == 0 && collect->sink->error == 0 &&
           collect->sink->packets < collect->most;
}

static bool is_over(const struct collect *collect, uint64_t now_ns)
{
    return !can_go_on(collect) || interrupted() || now_ns >= collect->deadline_ns;
}

/* Rounded up, as a wait that ends too early would only be repeated. */
static int wait_ms(const struct collect *collect, uint64_t now_ns)
{
    uint64_t end_ns = collect->deadline_ns;
    if (collect->ticker.interval_ns > 0 && collect->ticker.next_ns < end_ns)
        end_ns = collect->ticker.next_ns;
    const uint64_t left_ns = end_ns > now_ns ? end_ns - now_ns : 0;
    return left_ns < (uint64_t)TICK_MS * NS_PER_MS ? (int)(left_ns / NS_PER_MS) + 1 : TICK_MS;
}

static void follow(struct collect *collect, const struct udpbatch_received *packets, size_t n)
{
    struct numbered header;

    for (size_t i = 0; i < n; i++) {
        const struct udpbatch_meta *meta = packets[i].meta;
        if (!numbered_read(&header, packets[i].data, packets[i].len))
            continue;
        const bool told = meta != NULL && (meta->flags & UDPBATCH_META_CAME_AT) != 0;
        streams_take(&collect->streams, packets[i].from, &header, told ? meta->time_ns : 0);
    }
}

static void take(struct collect *collect, const struct udpbatch_received *packets, size_t n)
{
    const uint64_t before = collect->sink->packets;

    collect->last_ns = clock_now_ns();
    if (collect->first_ns == 0)
        collect->first_ns = collect->last_ns;
    sink_write(collect->sink, packets, n, collect->deadline_ns);
    follow(collect, packets, (size_t)(collect->sink->packets - before));
}

static void receive(struct collect *collect, uint64_t now_ns)
{
    struct udpbatch_received packets[SINK_PACKETS];
    const uint64_t wanted = collect->most - collect->sink->packets;
    const size_t most = wanted < SINK_PACKETS ? (size_t)wanted : SINK_PACKETS;
    const int count = udpbatch_receiver_receive(collect->receiver, packets, most);
    if (count > 0)
        take(collect, packets, (size_t)count);
    else if (udpbatch_error_meaning(count) == UDPBATCH_BUSY)
        udpbatch_receiver_wait(collect->receiver, wait_ms(collect, now_ns));
    else
        collect->error = -count;
}

static bool is_something_held(struct udpbatch_receiver *receiver)
{
    struct udpbatch_receiver_stats stats = { .size = sizeof stats };

    udpbatch_receiver_stats(receiver, &stats);
    return stats.held > 0;
}

/* What the kernel has handed over came in time, and nobody else will ever get it. */
static void receive_rest(struct collect *collect, uint64_t now_ns)
{
    while (can_go_on(collect) && is_something_held(collect->receiver))
        receive(collect, now_ns);
}

enum tick collect_run(struct collect *collect)
{
    uint64_t now_ns = clock_now_ns();

    while (!is_over(collect, now_ns)) {
        const enum tick tick = ticker_due(&collect->ticker, now_ns);
        if (tick != TICK_NONE)
            return tick;
        receive(collect, now_ns);
        now_ns = clock_now_ns();
    }
    receive_rest(collect, now_ns);
    return TICK_NONE;
}
