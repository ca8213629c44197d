/* collect.c: from a receiver to a sink, until enough has come. */
#include "collect.h"

#include "clock.h"
#include "interrupt.h"

static bool is_over(const struct collect *collect)
{
    return interrupted() || collect->sink->packets >= collect->most ||
           clock_now_ns() >= collect->deadline_ns;
}

/* Rounded up, as a wait that ends too early would only be repeated. */
static int wait_ms(const struct collect *collect)
{
    uint64_t now_ns = clock_now_ns();
    uint64_t left_ns = collect->deadline_ns > now_ns ? collect->deadline_ns - now_ns : 0;
    return left_ns < (uint64_t)TICK_MS * NS_PER_MS ? (int)(left_ns / NS_PER_MS) + 1 : TICK_MS;
}

/* Returns false if the sink cannot go on. */
static bool take(struct collect *collect, const struct udpbatch_received *packets, size_t n)
{
    collect->last_ns = clock_now_ns();
    if (collect->first_ns == 0)
        collect->first_ns = collect->last_ns;
    return sink_write(collect->sink, packets, n, collect->deadline_ns);
}

void collect_run(struct collect *collect)
{
    struct udpbatch_received packets[SINK_PACKETS];

    while (!is_over(collect)) {
        uint64_t wanted = collect->most - collect->sink->packets;
        int count = udpbatch_receiver_receive(collect->receiver, packets,
                                              wanted < SINK_PACKETS ? wanted : SINK_PACKETS);
        if (count > 0) {
            if (!take(collect, packets, (size_t)count))
                return;
        } else if (udpbatch_error_meaning(count) == UDPBATCH_BUSY) {
            udpbatch_receiver_wait(collect->receiver, wait_ms(collect));
        } else {
            collect->error = -count;
            return;
        }
    }
}
