/* cli.h: what every file of the command shares. To be included first, for the feature macro. */
#ifndef CLI_H
#define CLI_H

/* getopt_long, getrusage and the sockets of <netinet/in.h>; files beyond 2 GiB, where a long has 32
 * bits; no old headers of Windows, which define words such as `interface`. */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#define WIN32_LEAN_AND_MEAN
#ifndef _WIN32_WINNT
#define _WIN32_WINNT 0x0602 /* Windows 8, whose clocks are precise */
#endif

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "udpbatch.h"

/* What __attribute__((format)) takes for the printf that is used: mingw-w64's own knows %zu. */
#ifdef __MINGW32__
#define PRINTF_STYLE gnu_printf
#else
#define PRINTF_STYLE printf
#endif

/* Exit statuses. */
enum {
    STATUS_DONE = 0,
    STATUS_INCOMPLETE = 1, /* begun, but something was refused, left over or lost */
    STATUS_USAGE = 2       /* not begun, because what was asked for cannot be done */
};

/* No wait is longer, so that an interrupt is noticed even if it comes just before the wait. */
enum { TICK_MS = 100 };

#endif
