/* clock_posix.c: the clocks of POSIX. */
#include "clock.h"

#ifndef _WIN32

#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>

static uint64_t read_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

uint64_t clock_now_ns(void)
{
    return read_ns(CLOCK_MONOTONIC);
}

uint64_t clock_time_of_day_ns(void)
{
    return read_ns(CLOCK_REALTIME);
}

static double timeval_seconds(const struct timeval *time)
{
    return (double)time->tv_sec + (double)time->tv_usec / 1e6;
}

double clock_cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return timeval_seconds(&usage.ru_utime) + timeval_seconds(&usage.ru_stime);
}

void clock_sleep_ns(uint64_t ns)
{
    struct timespec pause = { .tv_sec = (time_t)(ns / NS_PER_SECOND),
                              .tv_nsec = (long)(ns % NS_PER_SECOND) };
    nanosleep(&pause, NULL);
}

#endif
