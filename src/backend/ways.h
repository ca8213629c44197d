/* ways.h: how to reach each destination past the network stack, as the kernel says, remembered. */
#ifndef UB_WAYS_H
#define UB_WAYS_H

#include "link.h"
#include "origin.h"
#include "rtnetlink.h"

/* A destination, and what a route may depend on besides. Without gaps, to be compared as bytes. */
struct ub_way_key {
    unsigned char to[16], from[16]; /* IPv4 is mapped; from is zero: as the socket says */
    uint32_t scope;
    uint16_t port;
    uint8_t dscp; /* the TOS byte without ECN */
    uint8_t is_in4;
};

enum { UB_IN4_AT = 12 }; /* where the IPv4 address is in a mapped one */

struct ub_way {
    struct ub_way_key key;
    uint8_t detour;          /* enum udpbatch_detour: the socket has to be taken; or none */
    bool is_to_be_confirmed; /* one packet by the socket makes the kernel ask the neighbour */
    int next_hop_family;
    unsigned char next_hop[16];
    uint32_t payload_most;
    uint64_t generation; /* that of the table, or it is not valid */
    uint64_t used_in;    /* the plan that it was last found for */
    int64_t until_ns;    /* to be asked for again */
    struct ub_frame_headers headers;
};

struct ub_ways {
    int fd;                 /* the UDP socket */
    int questions, changes; /* rtnetlink */
    uint64_t network;       /* the namespace that they are of */
    struct ub_link link;
    int64_t link_until_ns; /* to be read again, as origin_until_ns */
    uint32_t frame_size;
    struct ub_origin origin;
    int64_t origin_until_ns;
    int64_t now_ns;
    uint64_t plan; /* the number of plans so far */
    uint64_t generation;
    unsigned may_ask; /* in this plan */
    struct ub_way *table;
    uint16_t *live; /* where in the table the valid ways are, in any order */
    size_t live_count;
};

/* Returns 0 or -errno; ENODEV, EMEDIUMTYPE and EXDEV as udpbatch_sender_open says of "xdp". */
int ub_ways_open(struct ub_ways *ways, int fd, const char *device);
void ub_ways_close(struct ub_ways *ways);

/* Once per plan: takes in what has changed, if ways are to be found in it. Those found before hold
 * no longer. */
void ub_ways_begin(struct ub_ways *ways, bool will_find);

/* Between plans: takes in what has changed of the device. */
void ub_ways_look_at_link(struct ub_ways *ways);

/* The way to an address, for packets of that TOS byte and source; from is NULL or an address of the
 * same family. NULL: not known, and not to be asked for now. It holds until the plan ends. */
struct ub_way *ub_ways_find(struct ub_ways *ways, const union udpbatch_addr *to,
                            const union udpbatch_addr *from, uint8_t tos);

#endif
