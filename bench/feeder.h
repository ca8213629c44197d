/* feeder.h: whole bursts of a workload, put into the socket of one receiver. */
#ifndef FEEDER_H
#define FEEDER_H

#include "cli.h"
#include "complain.h"
#include "place.h"
#include "receivers.h"
#include "workload.h"

struct feeder {
    union udpbatch_addr to; /* the receiver's, which the packets of the workload point at */
    in_port_t port;         /* that they come from, in network order */
    int fd;                 /* -1: not open */
    void *sender;           /* an open engine_udpbatch */
    const struct udpbatch_packet *packets; /* of one burst, the workload's */
    size_t n;
    size_t bursts; /* put in at a time */
};

/* Makes ready to feed the one receiver. Returns false, with nothing to close, if that cannot be, or
 * if a burst may be more than its buffer holds. */
bool feeder_open(struct feeder *feeder, const struct place *place,
                 const struct receivers *receivers, const struct workload_spec *spec,
                 const struct workload *workload, struct reason *reason);
/* What it has been stays to be read. */
void feeder_close(struct feeder *feeder);

/* Puts in feeder->bursts bursts of n packets, as trains where there are any. */
bool feeder_fill(struct feeder *feeder, struct reason *reason);

#endif
