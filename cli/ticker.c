/* ticker.c: when to report while the work goes on: after each interval, and on SIGUSR1. */
#include "ticker.h"

#include <signal.h>

#include "clock.h"

static volatile sig_atomic_t asked_for_totals;

static void take_note(int number)
{
    (void)number;
    asked_for_totals = 1;
}

/* With SA_RESTART, so that no line is lost to a reader that is slow; poll(2) and nanosleep(2) end
 * all the same (signal(7)), and so the answer comes at once. */
void ticker_hear(void)
{
    struct sigaction action = { .sa_handler = take_note, .sa_flags = SA_RESTART };
    sigemptyset(&action.sa_mask);
    sigaction(SIGUSR1, &action, NULL);
}

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
    if (asked_for_totals != 0) {
        asked_for_totals = 0;
        return TICK_TOTALS;
    }
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
