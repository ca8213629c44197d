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

static bool goes_back(const struct anchor *anchor, uint64_t captured_ns)
{
    return since(captured_ns, anchor->newest_ns) < -STEP_NS;
}

/* A damaged time stands by itself: the capture goes on behind it where it was. */
static void return_if_damaged(struct schedule *schedule, uint64_t captured_ns)
{
    if (!schedule->may_return || captured_ns == schedule->anchor.captured_ns)
        return;
    schedule->may_return = false;
    if (!goes_back(&schedule->before, captured_ns))
        schedule->anchor = schedule->before;
}

static void begin_anew(struct schedule *schedule, uint64_t captured_ns, uint64_t now_ns)
{
    schedule->before = schedule->anchor;
    schedule->may_return = schedule->begun;
    schedule->begun = true;
    schedule->anchor = (struct anchor){ captured_ns, now_ns, captured_ns };
}

uint64_t schedule_due_ns(struct schedule *schedule, uint64_t captured_ns, uint64_t now_ns)
{
    struct anchor *anchor = &schedule->anchor;

    if (schedule->speed <= 0)
        return now_ns;
    return_if_damaged(schedule, captured_ns);
    if (!schedule->begun || goes_back(anchor, captured_ns))
        begin_anew(schedule, captured_ns, now_ns);
    if (since(captured_ns, anchor->newest_ns) > 0)
        anchor->newest_ns = captured_ns;
    double wait_ns = (double)since(captured_ns, anchor->captured_ns) / schedule->speed;
    if (wait_ns <= 0)
        return anchor->now_ns;
    return anchor->now_ns + (uint64_t)(wait_ns < MOST_NS ? wait_ns : MOST_NS);
}
