/* pace.h: a token bucket that keeps a sender to a rate. Pure: the time is an argument. */
#ifndef PACE_H
#define PACE_H

#include "cli.h"
#include "units.h"

struct pace {
    struct rate rate;
    double tokens; /* packets or bits that may leave now; below 0: what left too early */
    uint64_t now_ns;
};

void pace_begin(struct pace *pace, const struct rate *rate, uint64_t now_ns);

/* Takes note of the time. Returns how long to wait before anything may leave; 0: it may. */
uint64_t pace_wait_ns(struct pace *pace, uint64_t now_ns);

/* How many of packets[0 .. n) may leave now. At least one, if the wait was over. */
size_t pace_allowance(const struct pace *pace, const struct udpbatch_packet *packets, size_t n);

/* Takes note of what has left. */
void pace_spend(struct pace *pace, uint64_t packets, uint64_t bytes);

#endif
