/* collect.h: from a receiver to a sink, until enough has come. */
#ifndef COLLECT_H
#define COLLECT_H

#include "cli.h"
#include "sink.h"
#include "streams.h"
#include "ticker.h"

struct collect {
    struct udpbatch_receiver *receiver;
    struct sink *sink;
    struct streams streams; /* of the packets written */
    struct ticker ticker;
    uint64_t most;        /* packets */
    uint64_t deadline_ns; /* UINT64_MAX: none */

    uint64_t first_ns, last_ns; /* when packets came */
    int error;                  /* of receiving */
};

/* Goes on until there is something to report, which it returns: call again. TICK_NONE: one of the
 * limits is reached, something failed or an interrupt came. */
enum tick collect_run(struct collect *collect);

#endif
