/* plan_world.h: what an input of fuzz_plan tells: the packets, the socket, the time, the answers.
 */
#ifndef PLAN_WORLD_H
#define PLAN_WORLD_H

#include "internal.h"

#include "fuzz.h"

enum { WORLD_PACKETS = 400, WORLD_ADDRESSES = 14 };

struct world {
    struct fuzz_input input; /* what is left of it: the back end's answers */
    struct udpbatch_packet packets[WORLD_PACKETS];
    size_t n;
    size_t from, end; /* the array of them at hand: packets[from .. end) */
    unsigned peer;    /* the address that the socket is connected to */
    int64_t now_ns;

    /* The engine. */
    bool in_order;
    uint32_t segments; /* per train at most */
    size_t capacity, packet_capacity, piece_capacity, control_capacity, route_capacity, groups;

    /* Of the system, for good, and of the socket, for a call. */
    bool has_trains;
    enum ub_gso_kernel kernel;
    bool has_txtime, forbids_fragments, hears_icmp;
    uint32_t takes_most; /* bytes that the socket ever has room for */
};

extern struct world world;

void world_begin(const uint8_t *data, size_t size);

/* Another call begins: what may have changed. */
void world_next_call(void);

/* The same number for what is one destination, in whatever form: below WORLD_ADDRESSES. */
unsigned world_destination(const union udpbatch_addr *to);

bool world_is_in4(const union udpbatch_addr *to);

#endif
