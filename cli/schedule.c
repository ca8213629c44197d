/* schedule.c: when captured payloads leave, with the capture's own timing. */
#include "schedule.h"

#include "clock.h"

/* Packets that several queues bring are a little out of order. A step back of more than this is
 * a clock that was set, or one capture behind another. */
static const int64_t STEP_NS = NS_PER_SECOND;

/* Thirty years: what is due later is never due, and does not overflow. */
static const double MOST_NS = 1e18;

void schedule_begin(struct schedule *schedule, double speed)
{
    *schedule = (struct schedule){ .speed = speed };
}

/* Times wrap around, as a damaged capture's can be anything. */
static int64_t since(uint64_t ns, uint64_t earlier_ns)
{
    return (int64_t)(ns - earlier_ns);
}

uint64_t schedule_due_ns(struct schedule *schedule, uint64_t captured_ns, uint64_t now_ns)
{
    if (schedule->speed <= 0)
        return now_ns;
    if (!schedule->begun || since(captured_ns, schedule->newest_ns) < -STEP_NS) {
        schedule->begun = true;
        schedule->captured_ns = schedule->newest_ns = captured_ns;
        schedule->now_ns = now_ns;
    }
    if (since(captured_ns, schedule->newest_ns) > 0)
        schedule->newest_ns = captured_ns;
    double wait_ns = (double)since(captured_ns, schedule->captured_ns) / schedule->speed;
    if (wait_ns <= 0)
        return schedule->now_ns;
    return schedule->now_ns + (uint64_t)(wait_ns < MOST_NS ? wait_ns : MOST_NS);
}
