/* netlink.h: what rtnetlink(7) tells of a device. Anybody may ask. */
#ifndef PROBE_NETLINK_H
#define PROBE_NETLINK_H

#include "system.h"

enum { QDISC_TEXT = 16 };

struct netlink_device {
    bool is_up;
    bool has_carrier;
    uint32_t queues; /* to send by, that the driver has made; 0: not told */
};

/* Each returns 0 or an errno; that of a device that is gone is ENODEV. */
int netlink_device(const char *name, struct netlink_device *device);

/* The kinds of the device's queueing disciplines, the root first: "mq", "fq", "fq" ... Each is kept
 * once, at most `most` of them. */
struct netlink_qdiscs {
    char kinds[8][QDISC_TEXT];
    size_t count;
};
int netlink_qdiscs(const char *name, struct netlink_qdiscs *qdiscs);

#endif
