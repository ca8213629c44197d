/* transfer.h: from the source to all targets, at a pace, with progress. */
#ifndef TRANSFER_H
#define TRANSFER_H

#include "cli.h"
#include "pace.h"
#include "progress.h"
#include "refusals.h"
#include "source.h"
#include "targets.h"

/* As many packets as one system call takes. */
enum { TRANSFER_PACKETS = 1024 };

struct transfer {
    /* Given by the caller, and closed by it. */
    struct source *source;
    const struct targets *targets;
    struct refusals *refusals;
    struct udpbatch_sender *sender;
    const struct udpbatch_meta *meta; /* of every datagram; NULL: as the socket is set */
    struct pace pace;
    struct progress progress;

    /* The batch at hand: some payloads, each to every target. */
    struct udpbatch_packet payloads[TRANSFER_PACKETS];
    struct udpbatch_fanout fanout;
    uint64_t taken_before; /* bytes of the source that earlier batches were */
    size_t done;           /* packets of the batch that are dealt with */
    struct udpbatch_packet packets[TRANSFER_PACKETS];
};

/* Sends until the source ends or fails, or an interrupt comes. */
void transfer_run(struct transfer *transfer);

/* Packets that were to be sent, as far as is known, and have no fate. */
uint64_t transfer_unsent(const struct transfer *transfer);

#endif
