/* refusals.h: which target refused how many datagrams, and why. */
#ifndef REFUSALS_H
#define REFUSALS_H

#include "cli.h"

/* No such row. */
#define REFUSALS_END SIZE_MAX

/* So many datagrams to one target, for one reason. */
struct refusal {
    size_t target;
    int error; /* an errno */
    uint64_t count;
    size_t next; /* row of the same target with another reason; REFUSALS_END: none */
};

struct refusals {
    struct refusal *rows;
    size_t count, capacity;
    size_t *first; /* the first row of each target, or REFUSALS_END */
    size_t target_count;
};

/* Returns false if there is no memory. */
bool refusals_begin(struct refusals *refusals, size_t target_count);

/* Takes note of a refused datagram. */
void refusals_note(struct refusals *refusals, size_t target, int error);

void refusals_free(struct refusals *refusals);

#endif
