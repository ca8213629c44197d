/* batches.h: random batches of all kinds, to the targets of places.h.
 *
 * There is one batch at a time.
 */
#ifndef BATCHES_H
#define BATCHES_H

#include "places.h"

enum { BATCH_MOST = 150, PIECES_MOST = 12, METAS = 12 };

/* One batch, to be sent from equal sockets by every way. */
extern struct batch {
    struct udpbatch_packet packets[BATCH_MOST];
    union udpbatch_addr targets[BATCH_MOST]; /* the packets' own copies */
    struct udpbatch_piece pieces[BATCH_MOST][PIECES_MOST];
    struct udpbatch_meta metas[METAS];
    unsigned long number; /* the first is 1 */
    size_t count;
    size_t first_part; /* so many of them are in a first call, and all in those that follow */
    bool is_fan_out;   /* one payload to many targets */
    unsigned calm;     /* how seldom a packet is one that is anything but usual */
    /* The socket: */
    int family;
    const char *bound;               /* to this address */
    const union udpbatch_addr *peer; /* connected to; or NULL */
    int tos, ttl, discover, buffer;  /* -1: as it is */
    bool hears_errors;
    bool blocks;
    /* Of a sender, what is no part of the way: */
    double rate;
    uint64_t burst;
} batch;

void choose_batch(void);

/* An equal socket for the batch, at the same port as those before; *number is that port, 0 at
 * first. */
int batch_socket(uint16_t *number);

#endif
