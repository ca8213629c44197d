/* clock.h: the time that passes, that of the day, and the processor time that is used. */
#ifndef CLOCK_H
#define CLOCK_H

#include "cli.h"

enum { NS_PER_MS = 1000000, NS_PER_SECOND = 1000000000 };

uint64_t clock_now_ns(void);

/* Since 1970, by the clock that another host may have in common with this one. */
uint64_t clock_time_of_day_ns(void);

/* User and system time of this process so far. */
double clock_cpu_seconds(void);

double clock_seconds(uint64_t ns);

/* When so much time has passed; UINT64_MAX, which is never, for 0 seconds. */
uint64_t clock_deadline_ns(uint64_t now_ns, double seconds);

/* Sleeps, or less if a signal comes. */
void clock_sleep_ns(uint64_t ns);

#endif
