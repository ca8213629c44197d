/* outcome.h: what became of a batch that was sent by one way: the statuses, and which packets
 * arrived, at which place, after which others, and with what in their headers.
 *
 * To find that out is to check what holds for any way: what arrives is a packet that was sent, and
 * the next one of its destination.
 */
#ifndef OUTCOME_H
#define OUTCOME_H

#include "batches.h"

/* A way to send a batch: by level 1, or by a sender. */
struct batch_way {
    const char *name; /* for those who read of a failure */
    enum { LEVEL_1, MULTI_TARGET, SENDER } call;
    const char *backend;
    enum udpbatch_trains trains;
    bool in_order; /* across destinations too */
};

/* What became of a packet. */
struct fate {
    int32_t status;
    bool arrived;
    union udpbatch_addr from;
    int tos, ttl;
};

struct outcome {
    const struct batch_way *way;
    struct fate fates[BATCH_MOST];
    size_t arrived;
};

/* What all places have by now: to be called when everything has arrived. */
void outcome_take(struct outcome *outcome);

/* Fails the test, with the packet, where two differ. */
void outcome_compare(const struct outcome *a, const struct outcome *b);

/* Fails the test and says of which batch. */
void differ(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
