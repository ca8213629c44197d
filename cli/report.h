/* report.h: what became of it all, for people. */
#ifndef REPORT_H
#define REPORT_H

#include <stdio.h>

#include "cli.h"
#include "refusals.h"
#include "targets.h"

struct send_result {
    const struct targets *targets;
    const struct refusals *refusals;
    struct udpbatch_sender_stats stats;
    uint64_t unsent; /* datagrams known to be left */
    double seconds, cpu_seconds;
    bool interrupted;
};

struct recv_result {
    const union udpbatch_addr *address;
    struct udpbatch_receiver_stats stats;
    uint64_t packets, bytes;     /* of payload, written */
    double seconds, cpu_seconds; /* the former from the first packet to the last */
    bool interrupted;
};

/* count / of, and 0 where there is nothing. */
double report_ratio(double count, double of);

/* The reports, on stdout that of sending, on stderr that of receiving. */
void report_send(const struct send_result *result);
void report_recv(const struct recv_result *result);

#endif
