/* clock.c: the time that no administrator changes. */
#include "internal.h"

#if !UB_HAVE_WINSOCK

#include <time.h>

int64_t ub_clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

int ub_sleep_ns(int64_t ns)
{
    struct timespec pause = { .tv_sec = (time_t)(ns / 1000000000),
                              .tv_nsec = (long)(ns % 1000000000) };

    return ns > 0 && nanosleep(&pause, NULL) < 0 ? -errno : 0;
}

#endif
