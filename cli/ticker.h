/* ticker.h: when to report while the work goes on: after each interval, and on SIGUSR1. Pure but
 * for the signal. */
#ifndef TICKER_H
#define TICKER_H

#include "cli.h"

enum tick {
    TICK_NONE,
    TICK_INTERVAL, /* an interval is over: the figures since the last one */
    TICK_TOTALS    /* the user asks for the totals so far (SIGUSR1) */
};

struct ticker {
    uint64_t interval_ns; /* 0: none */
    uint64_t begun_ns;
    uint64_t from_ns, to_ns; /* of the interval that ended last */
    uint64_t next_ns;
};

void ticker_begin(struct ticker *ticker, double seconds, uint64_t now_ns);

/* What is due now. An interval that is due begins the next one: intervals do not drift, and those
 * that were missed are one. */
enum tick ticker_due(struct ticker *ticker, uint64_t now_ns);

/* At the end: the interval that has begun ends now. Returns false if there are no intervals. */
bool ticker_end(struct ticker *ticker, uint64_t now_ns);

#endif
