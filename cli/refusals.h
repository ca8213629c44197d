/* refusals.h: which target refused how many datagrams, and why. Memory is taken for those alone. */
#ifndef REFUSALS_H
#define REFUSALS_H

#include "cli.h"

/* No such row. */
#define REFUSALS_END SIZE_MAX

/* So many datagrams to one address, for one reason. */
struct refusal {
    union udpbatch_addr target;
    int error; /* an errno */
    uint64_t count;
    bool first;  /* row of its target */
    size_t next; /* row of the same target with another reason; REFUSALS_END: none */
};

/* Zeroed, it is empty. Duplicates of a target are one. */
struct refusals {
    struct refusal *rows; /* in the order in which they came up */
    size_t count, capacity;
    size_t *first; /* by hash of the target: its first row, or REFUSALS_END */
    size_t slots;  /* of these: a power of two, at least twice the capacity */
};

/* Takes note of a refused datagram. */
void refusals_note(struct refusals *refusals, const union udpbatch_addr *target, int error);

void refusals_free(struct refusals *refusals);

#endif
