/* rtnetlink.h: the kernel as router: what rtnetlink(7) answers, and what it tells by itself. */
#ifndef UB_RTNETLINK_H
#define UB_RTNETLINK_H

#include "../frame.h"

/* Families are AF_INET and AF_INET6; of an IPv4 address the first four bytes count. Ports are in
 * network byte order. */

/* A destination to ask for. What is zero is left out of the question. */
struct ub_rtnl_query {
    int family;
    unsigned char to[16];
    bool has_from;
    unsigned char from[16];
    uint16_t from_port, to_port; /* for rules, and for the choice among several paths */
    uint32_t interface_index;    /* the only one that may be taken */
    uint32_t mark;               /* SO_MARK */
    uint32_t user;               /* who sends; 0, too, is asked for */
    uint8_t tos;                 /* without the ECN bits */
};

/* The route that the kernel would take. */
struct ub_rtnl_route {
    uint8_t type; /* RTN_UNICAST, RTN_LOCAL ... */
    uint32_t interface_index;
    unsigned char from[16]; /* the source address to use, if has_from */
    bool has_from;
    int next_hop_family; /* that of the gateway; 0: the destination is on the link */
    unsigned char next_hop[16];
    uint32_t mtu;      /* of the route, or learned of the path; 0: none but the device's */
    uint8_t hop_limit; /* of its own; 0: none */
    /* An encapsulation, an MTU that no path is to lower ("mtu lock"): only the stack can do it. */
    bool has_more_to_it;
};

/* What is known of a neighbour. */
struct ub_rtnl_neighbour {
    uint16_t state; /* NUD_REACHABLE ...; 0: none is known */
    unsigned char mac[UB_MAC];
    bool has_mac;
};

/* A socket that asks: a descriptor, to be closed by close(2), or -errno. Other ints are 0 or
 * -errno; a refused route is its errno, as -ENETUNREACH. */
int ub_rtnl_open(void);
int ub_rtnl_route(int fd, const struct ub_rtnl_query *query, struct ub_rtnl_route *route);
int ub_rtnl_neighbour(int fd, int family, uint32_t interface_index, const unsigned char *address,
                      struct ub_rtnl_neighbour *neighbour);

/* What has changed. */
enum ub_rtnl_what {
    UB_RTNL_NOTHING,  /* that matters here */
    UB_RTNL_ALL,      /* anything: rules, next hops, addresses, or more than can be told */
    UB_RTNL_LINK,     /* the device interface_index */
    UB_RTNL_ROUTE,    /* routes of `family` to addresses that share the first `bits` of `address` */
    UB_RTNL_NEIGHBOUR /* the neighbour `address` of interface_index */
};
struct ub_rtnl_change {
    enum ub_rtnl_what what;
    int family;
    uint32_t interface_index;
    unsigned char address[16];
    uint8_t bits;
};

/* A socket that is told of changes, and does not block; as ub_rtnl_open. */
int ub_rtnl_watch(void);
/* Reads what has come in by now and calls `tell` for each change but UB_RTNL_NOTHING; one system
 * call if that is nothing. The kernel does not tell of a path MTU that it learns, and of a link
 * alone where IPv4 routes go with it. */
void ub_rtnl_read_changes(int fd, void (*tell)(void *context, const struct ub_rtnl_change *change),
                          void *context);

size_t ub_rtnl_address_size(int family); /* 0: a family that has no part in this */

/* The pure part of the above, on messages as they come, whole or damaged: `len` bytes at
 * `message`, which is aligned as struct nlmsghdr. */
int ub_rtnl_parse_route(const void *message, size_t len, struct ub_rtnl_route *route);
int ub_rtnl_parse_neighbour(const void *message, size_t len, struct ub_rtnl_neighbour *neighbour);
void ub_rtnl_parse_changes(const void *messages, size_t len,
                           void (*tell)(void *context, const struct ub_rtnl_change *change),
                           void *context);

#endif
