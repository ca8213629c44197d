/* clock_windows.c: the clocks of Windows. */
#include "clock.h"

#ifdef _WIN32

#include <windows.h>

/* Times of Windows are in units of 100 ns, those of the day since 1601: so many before 1970. */
enum { NS_PER_UNIT = 100 };
static const uint64_t UNITS_BEFORE_1970 = UINT64_C(116444736000000000);

static uint64_t units_of(const FILETIME *time)
{
    return (uint64_t)time->dwHighDateTime << 32 | time->dwLowDateTime;
}

uint64_t clock_now_ns(void)
{
    LARGE_INTEGER count, per_second;

    QueryPerformanceCounter(&count);
    QueryPerformanceFrequency(&per_second);
    const uint64_t seconds = (uint64_t)(count.QuadPart / per_second.QuadPart);
    const uint64_t rest = (uint64_t)(count.QuadPart % per_second.QuadPart);
    return seconds * NS_PER_SECOND + rest * NS_PER_SECOND / (uint64_t)per_second.QuadPart;
}

uint64_t clock_time_of_day_ns(void)
{
    FILETIME now;
    GetSystemTimePreciseAsFileTime(&now);
    return (units_of(&now) - UNITS_BEFORE_1970) * NS_PER_UNIT;
}

double clock_cpu_seconds(void)
{
    FILETIME begun, ended, kernel, user;
    if (!GetProcessTimes(GetCurrentProcess(), &begun, &ended, &kernel, &user))
        return 0;
    return (double)(units_of(&kernel) + units_of(&user)) * NS_PER_UNIT / NS_PER_SECOND;
}

/* Rounded up, as a sleep that ends too early would only be repeated. */
void clock_sleep_ns(uint64_t ns)
{
    const uint64_t ms = (ns + NS_PER_MS - 1) / NS_PER_MS;
    Sleep(ms < INT32_MAX ? (DWORD)ms : INT32_MAX);
}

#endif
