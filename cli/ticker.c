/* ticker.c: when to report while the work goes on: after each interval, and when the totals are
 * wished for. */
#include "ticker.h"

#include "clock.h"
#include "interrupt.h"

void ticker_begin(struct ticker *ticker, double seconds, uint64_t now_ns)
{
    const uint64_t interval_ns = (uint64_t)(seconds * NS_PER_SECOND);
    *ticker = (struct ticker){ .interval_ns = interval_ns,
                               .begun_ns = now_ns,
                               .from_ns = now_ns,
                               .to_ns = now_ns,
                               .next_ns = now_ns + interval_ns };
}

static void end_interval(struct ticker *ticker, uint64_t now_ns)
{
    ticker->from_ns = ticker->to_ns;
    ticker->to_ns = now_ns;
}

enum tick ticker_due(struct ticker *ticker, uint64_t now_ns)
{
    if (totals_wished())
        return TICK_TOTALS;
    if (ticker->interval_ns == 0 || now_ns < ticker->next_ns)
        return TICK_NONE;
    end_interval(ticker, now_ns);
    ticker->next_ns += ticker->interval_ns * ((now_ns - ticker->next_ns) / ticker->interval_ns + 1);
    return TICK_INTERVAL;
}

bool ticker_end(struct ticker *ticker, uint64_t now_ns)
{
    if (ticker->interval_ns == 0)
        return false;
    end_interval(ticker, now_ns);
    return true;
}
