/* places.h: the places where datagrams may arrive, at the hosts of past_stack.h, and targets of all
 * kinds.
 */
#ifndef PLACES_H
#define PLACES_H

#include "past_stack.h"

enum { PLACES_MOST = 16, USUAL = 20, TARGETS_MOST = 128 };

/* A socket at which something may arrive. Most packets are for the addresses of one place, the
 * first: so one receiver sees in which order those to many targets came. */
struct place {
    struct port port;
    bool is_gate; /* of all addresses behind far; or of its own */
};

extern struct place places[PLACES_MOST];
extern size_t place_count;

/* Of each family in FAMILIES: addresses of the first place. */
extern union udpbatch_addr usual[2][USUAL];
/* Good and bad ones. */
extern union udpbatch_addr targets[TARGETS_MOST];
extern size_t target_count;

/* A test, to come first: the hosts, their routes and the places. */
void make_places(void **state);

/* Where the packet goes; NULL: nowhere that there is a place. */
const struct place *place_of(const union udpbatch_addr *to);

#endif
