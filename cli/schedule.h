/* schedule.h: when captured payloads leave, with the capture's own timing. Pure: the time is an
 * argument. */
#ifndef SCHEDULE_H
#define SCHEDULE_H

#include "cli.h"

/* What the distances are kept to. */
struct anchor {
    uint64_t captured_ns; /* the capture's time ... */
    uint64_t now_ns;      /* ... and when it was or is here */
    uint64_t newest_ns;   /* of the capture's times that were asked for */
};

struct schedule {
    double speed; /* 0: as fast as possible */
    bool begun;
    struct anchor anchor;
    struct anchor before; /* the time went back */
    bool may_return;      /* as but one time was asked for since then, which may be damaged */
};

void schedule_begin(struct schedule *schedule, double speed);

/* When what was captured then is due: the first at once. To be asked in the order of the capture,
 * and of each when those before it have left; asking again is allowed. */
uint64_t schedule_due_ns(struct schedule *schedule, uint64_t captured_ns, uint64_t now_ns);

#endif
