/* cli.h: what every file of the command shares. To be included first, for the feature macro. */
#ifndef CLI_H
#define CLI_H

#define _GNU_SOURCE /* getopt_long, getrusage, and the sockets of <netinet/in.h> */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "udpbatch.h"

/* Exit statuses. */
enum {
    STATUS_DONE = 0,
    STATUS_INCOMPLETE = 1, /* begun, but something was refused, left over or lost */
    STATUS_USAGE = 2       /* not begun, because what was asked for cannot be done */
};

/* No wait is longer, so that an interrupt is noticed even if it comes just before the wait. */
enum { TICK_MS = 100 };

#endif
