/* collect.h: from a receiver to a sink, until enough has come. */
#ifndef COLLECT_H
#define COLLECT_H

#include "cli.h"
#include "sink.h"

struct collect {
    struct udpbatch_receiver *receiver;
    struct sink *sink;
    uint64_t most;        /* packets */
    uint64_t deadline_ns; /* UINT64_MAX: none */

    uint64_t first_ns, last_ns; /* when packets came */
    int error;                  /* of receiving */
};

/* Goes on until one of the limits is reached, something fails or an interrupt comes. */
void collect_run(struct collect *collect);

#endif
