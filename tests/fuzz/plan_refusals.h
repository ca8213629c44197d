/* plan_refusals.h: what trains were refused for, and what trains there may be afterwards, for a
 * second each, by the contract alone. */
#ifndef PLAN_REFUSALS_H
#define PLAN_REFUSALS_H

#include "plan_world.h"

void refusals_begin(void);

/* Packets of a train, and bytes of each of them, to where it goes. */
uint32_t refusals_packets_most(void);
uint32_t refusals_segment_most(const union udpbatch_addr *to);

/* A train was refused as such with this errno. Whether its packets are asked one by one now; else
 * they were just too many. */
bool refusals_learn(const struct ub_train *train, int error);

#endif
