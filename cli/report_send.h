/* report_send.h: what was sent, for people. */
#ifndef REPORT_SEND_H
#define REPORT_SEND_H

#include <stdio.h>

#include "capture_source.h"
#include "cli.h"
#include "refusals.h"

struct send_result {
    size_t targets; /* 0: each datagram has its own */
    const struct refusals *refusals;
    const struct capture_skipped *skipped; /* NULL: it was no capture */
    struct udpbatch_sender_stats stats;
    uint64_t unsent; /* datagrams known to be left */
    double seconds, cpu_seconds;
    bool ended; /* else more is to be sent */
    bool interrupted;
};

/* Two lines, and before them what was refused and skipped. */
void report_send(FILE *file, const struct send_result *result);

#endif
