/* clock.c: what is reckoned with times. The clocks are in system/. */
#include "clock.h"

double clock_seconds(uint64_t ns)
{
    return (double)ns / NS_PER_SECOND;
}

uint64_t clock_deadline_ns(uint64_t now_ns, double seconds)
{
    return seconds > 0 ? now_ns + (uint64_t)(seconds * NS_PER_SECOND) : UINT64_MAX;
}
