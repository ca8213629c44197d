/* xdp.h: what the back end "xdp" has for a sender. */
#ifndef UB_XDP_H
#define UB_XDP_H

#include "ways.h"
#include "xsk.h"

/* Destinations that share a place may be taken to have packets in the queue that they have not. */
enum { UB_XDP_PLACES = 16384 };

/* Sums of payloads that were met in this plan, by address and length: one payload to many targets
 * is summed up once. */
enum { UB_SUMS = 64 };
struct ub_sum {
    const void *data;
    size_t len;
    uint64_t plan;
    uint16_t value;
};

struct ub_xdp {
    unsigned char *is_ours; /* 0 in a process that was forked off: the ring is its parent's */
    struct ub_xsk xsk;
    struct ub_ways ways;
    size_t border;          /* trains[.. border) go by the ring, the others by the socket */
    struct ub_way **way_of; /* each train's, if it goes by the ring */
    struct ub_train *aside; /* room to sort */
    uint16_t id;            /* of the next IPv4 packet that may be fragmented */
    struct ub_sum sums[UB_SUMS];

    /* The connected peer, as of that plan; of family AF_UNSPEC: none. */
    union udpbatch_addr peer;
    uint64_t peer_known_in;

    /* Plans by their number, ways.plan. */
    uint64_t by_socket;                   /* the last of which something went by the socket */
    uint64_t drained_at;                  /* when its queue was seen empty */
    uint64_t looked_in;                   /* when it was looked at last */
    uint64_t by_socket_to[UB_XDP_PLACES]; /* as by_socket, of the destinations with that hash */
};

/* xdp_choose.c: notes in each train->way the enum udpbatch_detour, and puts those of the ring,
 * whose way is xdp->way_of[], before those of the socket. Returns how many these are. */
size_t ub_xdp_choose(struct ub_xdp *xdp, struct ub_plan *plan);
/* Lets one take the socket after all. */
void ub_xdp_take_socket(struct ub_xdp *xdp, struct ub_train *train, enum udpbatch_detour detour);
/* What its packets leave with, by its meta or the socket. */
uint8_t ub_xdp_tos(const struct ub_xdp *xdp, const struct ub_train *train, bool is_in4);
uint8_t ub_xdp_ttl(const struct ub_xdp *xdp, const struct ub_train *train, bool is_in4);

#endif
