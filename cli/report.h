/* report.h: what became of it all, for people. */
#ifndef REPORT_H
#define REPORT_H

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
    bool interrupted;
};

/* What was done between two times, in seconds since the begin. */
struct send_interval {
    double from, to;
    const char *backend;
    uint64_t packets, bytes, refused, system_calls, waits;
};

/* count / of, and 0 where there is nothing. */
double report_ratio(double count, double of);

void report_send(FILE *file, const struct send_result *result);

/* A line of less than 80 columns, on stdout. */
void report_send_interval(const struct send_interval *interval);

#endif
