/* origin.h: what a UDP socket gives to all that it sends: address, port, TOS, TTL and the like. */
#ifndef UB_ORIGIN_H
#define UB_ORIGIN_H

#include "../internal.h"

/* Of one family. */
struct ub_origin_family {
    bool sends;       /* the socket can send it at all */
    bool has_address; /* it is bound to one */
    uint8_t tos;      /* or traffic class */
    uint8_t ttl;      /* or hop limit */
    unsigned char address[16];
};

/* All zero but for what was read, so that two can be compared as bytes. */
struct ub_origin {
    struct ub_origin_family in4, in6;
    bool is_in4; /* a socket of IPv4 */
    bool only_in6;
    bool needs_the_stack; /* set to what only it does */
    bool is_connected;
    bool forbids_fragments;   /* IPv4's DF bit, of what fits */
    uint16_t port;            /* as on the wire; 0: not bound yet */
    uint32_t mark;            /* SO_MARK */
    uint32_t interface_index; /* that it is bound to; or 0 */
    uint32_t owner;           /* user id */
};

/* Reads all; or address and port alone, the others being as they are in *origin. */
void ub_origin_read(struct ub_origin *origin, int fd);
void ub_origin_read_name(struct ub_origin *origin, int fd);

#endif
