/* netlink_kernel.h: a kernel that answers by rtnetlink(7) and tells of changes as an input says,
 * and a socket and a device to ask. */
#ifndef NETLINK_KERNEL_H
#define NETLINK_KERNEL_H

#include "backend/ways.h"

#include "netlink_message.h"

#include <linux/netlink.h>

enum { TOLD_MOST = 256 };

/* As bytes the same in every order. */
enum { DEVICE = 0x01010101 };

struct told {
    struct ub_rtnl_change changes[TOLD_MOST];
    size_t count;
};

/* Adds a change that is as it may be. */
void tell(void *told, const struct ub_rtnl_change *change);

struct netlink_kernel {
    struct fuzz_input *input;
    struct nlmsghdr question;
    struct told told; /* that are no question's answers, as far as that is known */
    int64_t now_ns;
};

extern struct netlink_kernel kernel;

/* Another input begins. */
void kernel_begin(struct fuzz_input *input);

#endif
