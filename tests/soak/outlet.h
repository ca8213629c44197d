/* outlet.h: a socket of any kind with its handles, as a worker opens them one after the other. */
#ifndef OUTLET_H
#define OUTLET_H

#include "load.h"

/* A socket and its handles, and what was done with them. */
struct outlet {
    struct worker *worker;
    int fd, family;
    bool has_peer;
    struct spot peer;
    struct udpbatch_sender *sender;     /* NULL: level 1 */
    struct udpbatch_receiver *receiver; /* of network errors; or NULL */
    uint64_t sent, refused, bytes;
};

/* False if it cannot be: in calm that is a fault. To be closed in any case. */
bool outlet_open(struct outlet *outlet, struct worker *worker);
/* Compares what the sender counts with what was noted of it. */
void outlet_close(struct outlet *outlet);

#endif
