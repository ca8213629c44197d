/* transfer.h: from the source to where its payloads go, a step at a time. */
#ifndef TRANSFER_H
#define TRANSFER_H

#include "cli.h"
#include "refusals.h"
#include "source.h"
#include "targets.h"

/* As many packets as one system call takes. */
enum { TRANSFER_PACKETS = 1024 };

struct transfer {
    /* Given by the caller, and closed by it. */
    struct source *source;
    const struct targets *targets; /* each gets all, unless payloads have addresses of their own */
    struct refusals *refusals;
    struct udpbatch_sender *sender;
    const struct udpbatch_meta *meta; /* of every datagram; NULL: as the socket is set */

    /* The batch at hand: some payloads, each to every target. */
    struct udpbatch_packet payloads[TRANSFER_PACKETS];
    size_t payload_count;
    uint64_t taken_before; /* of the source, by earlier batches */
    size_t begun;          /* packets of the batch in front of packets[0] */

    /* Those of it that are being sent: packets[next .. count) are to be looked at. */
    struct udpbatch_packet packets[TRANSFER_PACKETS];
    size_t next, count;
};

/* Sends something, or waits at most so long for the room, the rate or the source to do so. Returns
 * false when the source has ended, or failed, and all of it has its fate. */
bool transfer_step(struct transfer *transfer, int timeout_ms);

/* Takes note of what was refused, when there is no further step. */
void transfer_end(struct transfer *transfer);

/* Packets that were to be sent, as far as is known, and have no fate. */
uint64_t transfer_unsent(const struct transfer *transfer);

/* How much of the source is dealt with, 0 to 1; below 0: not known. */
double transfer_part(const struct transfer *transfer);

#endif
