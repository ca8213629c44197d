/* report_recv.h: what was received, for people. On stderr, as the payloads may go to stdout. */
#ifndef REPORT_RECV_H
#define REPORT_RECV_H

#include "cli.h"
#include "streams.h"

struct recv_result {
    const union udpbatch_addr *address;
    const struct streams *streams;
    struct udpbatch_receiver_stats stats;
    uint64_t packets, bytes;     /* of payload, written */
    double seconds, cpu_seconds; /* the former from the first packet to the last */
    bool ended;                  /* else more may come */
    bool interrupted;
};

/* Two lines, and two or three more for each sender of numbered packets. */
void report_recv(const struct recv_result *result);

#endif
