/* clock.c: the time that no administrator changes. */
#include "internal.h"

#include <time.h>

int64_t ub_clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}
