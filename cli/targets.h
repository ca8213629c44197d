/* targets.h: the list of addresses that everything is sent to. */
#ifndef TARGETS_H
#define TARGETS_H

#include <stdio.h>

#include "cli.h"
#include "complain.h"

/* Zeroed, it is the empty list. Duplicates are allowed, and are sent to as often. */
struct targets {
    union udpbatch_addr *addresses;
    size_t count, capacity;
};

bool targets_add(struct targets *targets, const char *text, struct reason *reason);

/* Opens a list of them, and reads nothing yet. NULL: it cannot be. */
FILE *targets_open_file(const char *name, struct reason *reason);

/* Adds a HOST:PORT from each line of the file of that name, and closes it; "#" begins a comment.
 * The reason names the line. */
bool targets_add_file(struct targets *targets, FILE *file, const char *name, struct reason *reason);

/* The family of the socket that reaches all of them: AF_INET if all are IPv4; otherwise AF_INET6,
 * and those of IPv4 are mapped for it. */
int targets_choose_family(struct targets *targets);

void targets_free(struct targets *targets);

#endif
