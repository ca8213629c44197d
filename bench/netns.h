/* netns.h: two network namespaces joined by a pair of veth devices, to send across.
 *
 * The process moves into the near one and stays there. The far one has a route that makes every
 * address of 10.98.0.0/16 its own, so that each target can have an address to itself; the near one
 * has a route to them by way of the far device, whose link address it knows for good: nothing but
 * the packets themselves is sent. Both vanish with the process. */
#ifndef NETNS_H
#define NETNS_H

#include "cli.h"
#include "complain.h"

#define NETNS_DEVICE "near"

struct netns {
    int near_fd, far_fd;         /* the namespaces; -1: none, as for all four */
    int control_fd, counters_fd; /* a socket and /proc/net/dev of the far one */
};

/* Not open: netns_close does nothing to it. */
#define NETNS_CLOSED                                                                               \
    {                                                                                              \
        -1, -1, -1, -1                                                                             \
    }

/* Makes them and waits until packets pass, with devices of this MTU. Needs CAP_SYS_ADMIN and
 * CAP_NET_ADMIN in the user namespace of the process, and ip(8). On failure nothing has been
 * changed that a caller who now ends would mind. */
bool netns_open(struct netns *netns, int mtu, struct reason *reason);
void netns_close(struct netns *netns);

/* The last 16 bits of the address of host i, so that none ends in 0 or 255. i is below 64000. */
uint32_t netns_host(size_t i);

/* The address of target i, without its port. i is below 64000. */
union udpbatch_addr netns_target(size_t i);

/* An IPv4 UDP socket of the far namespace, for a receiver. It blocks. Returns -1 with errno set. */
int netns_far_socket(const struct netns *netns);

/* Whether the far namespace drops at its door all that arrives: its device gets another link
 * address, and the kernel drops what is not for it (PACKET_OTHERHOST) before any protocol. */
bool netns_drop(const struct netns *netns, bool drop, struct reason *reason);

/* What has arrived at the far device so far, dropped or not. Take differences: making the
 * namespaces has counted too. */
struct arrivals {
    uint64_t frames; /* a train is one */
    uint64_t bytes;  /* with link, IP and UDP headers, those of a train once */
};
bool netns_arrivals(const struct netns *netns, struct arrivals *arrivals);

/* Puts a queue in front of the near device that lets 200 Mbit/s through (tbf), so that a sender
 * meets back pressure; or takes it away, which fails if there is none. Needs tc(8). */
bool netns_press(const struct netns *netns, bool press, struct reason *reason);

/* Forbids, by a packet filter (nft(8)), what is sent from here to netns_forbidden_target: EPERM;
 * or allows it again, which fails if it is not forbidden. */
bool netns_forbid(const struct netns *netns, bool forbid, struct reason *reason);
union udpbatch_addr netns_forbidden_target(void);

#endif
