/* clock_windows.c: the time that no administrator changes. */
#include "internal.h"

#if UB_HAVE_WINSOCK

enum { NS_PER_MS = 1000000 };

static const int64_t LONGEST_NS = (int64_t)INT32_MAX * NS_PER_MS; /* for Sleep */
static const int64_t SECOND_IN_NS = 1000000000;

/* The counter's frequency does not change while the system is up. Counts are divided in two steps
 * as their product with a second would overflow after hours. */
int64_t ub_clock_ns(void)
{
    LARGE_INTEGER frequency, now;
    QueryPerformanceFrequency(&frequency);
    QueryPerformanceCounter(&now);
    return now.QuadPart / frequency.QuadPart * SECOND_IN_NS +
           now.QuadPart % frequency.QuadPart * SECOND_IN_NS / frequency.QuadPart;
}

#ifndef CREATE_WAITABLE_TIMER_HIGH_RESOLUTION
#define CREATE_WAITABLE_TIMER_HIGH_RESOLUTION 2 /* since Windows 10 version 1803 */
#endif

/* Timers count in units of 100 ns; a time from now on is negative. */
static bool sleep_by_timer(int64_t ns)
{
    LARGE_INTEGER due = { .QuadPart = -(ns / 100) };
    HANDLE timer =
        CreateWaitableTimerExW(NULL, NULL, CREATE_WAITABLE_TIMER_HIGH_RESOLUTION, TIMER_ALL_ACCESS);
    if (timer == NULL)
        return false;
    bool has_slept = SetWaitableTimer(timer, &due, 0, NULL, NULL, FALSE) &&
                     WaitForSingleObject(timer, INFINITE) == WAIT_OBJECT_0;
    CloseHandle(timer);
    return has_slept;
}

/* Sleep is for whole ticks of the system's clock, of up to 15.6 ms; of less than half a millisecond
 * it gives away the processor alone. */
int ub_sleep_ns(int64_t ns)
{
    if (ns > 0 && !sleep_by_timer(ns))
        Sleep(ns < LONGEST_NS ? (DWORD)((ns + NS_PER_MS / 2) / NS_PER_MS) : INT32_MAX);
    return 0;
}

#endif
