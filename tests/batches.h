/* batches.h: random batches of all kinds, and the places where their datagrams may arrive, at the
 * hosts of past_stack.h.
 *
 * There is one batch at a time.
 */
#ifndef BATCHES_H
#define BATCHES_H

#include "past_stack.h"

enum { BATCH_MOST = 150, PLACES_MOST = 16, PIECES_MOST = 12, METAS = 12 };

/* A socket at which something may arrive. Most packets are for the addresses of one place, the
 * first: so one receiver sees in which order those to many targets came. */
struct place {
    struct port port;
    bool is_gate; /* of all addresses behind far; or of its own */
};

extern struct place places[PLACES_MOST];
extern size_t place_count;

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

/* A test, to come first: the hosts, their routes and the places. */
void make_places(void **state);

void choose_batch(void);

/* An equal socket for the batch, at the same port as those before; *number is that port, 0 at
 * first. */
int batch_socket(uint16_t *number);

/* Where the packet goes; NULL: nowhere that there is a place. */
const struct place *place_of(const union udpbatch_addr *to);

#endif
