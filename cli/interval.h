/* interval.h: what was done in an interval, for people and for programs. */
#ifndef INTERVAL_H
#define INTERVAL_H

#include <stdio.h>

#include "cli.h"

/* Figures of this time alone. */
struct interval {
    bool sending; /* else receiving */
    const char *backend;
    double from, to;         /* seconds since the begin */
    uint64_t packets, bytes; /* sent, or received and written; the latter of payload */
    const char *count_name;  /* of packets: "refused" or "dropped" */
    uint64_t count;
    uint64_t system_calls;
    uint64_t waits; /* only of sending */
};

/* A line, as a rule of less than 80 columns, at once. */
void interval_report(FILE *file, const struct interval *interval);

/* An object in one line on stdout, at once. Returns false if there is no memory for it. */
bool interval_print_json(const struct interval *interval);

#endif
