/* netlink_message.h: rtnetlink(7)'s messages as an input tells, and what is in them. */
#ifndef NETLINK_MESSAGE_H
#define NETLINK_MESSAGE_H

#include "backend/rtnetlink.h"

#include "fuzz.h"

enum { MESSAGE_ATTRIBUTES = 6, MESSAGE_VALUE = 48, MESSAGE_MOST = 1024 };

struct message_attribute {
    uint16_t type;
    size_t len;
    unsigned char value[MESSAGE_VALUE];
};

struct netlink_message {
    _Alignas(8) unsigned char bytes[MESSAGE_MOST];
    size_t len;
    bool is_damaged; /* it may be anything; the rest tells what it was */
    uint16_t type;
    uint8_t family;
    uint8_t bits; /* of a route's destination */
    uint8_t kind; /* of a route */
    uint16_t state;
    uint32_t interface_index;
    int error;
    struct message_attribute attributes[MESSAGE_ATTRIBUTES];
    size_t attribute_count;
};

/* `type`: what it most often is; 0: any. */
void message_take(struct netlink_message *message, struct fuzz_input *input, uint16_t type,
                  uint32_t number);

size_t address_size(unsigned family); /* 0: it is none of IP's */

/* What is to be read of one that is not damaged: 0 or -errno. */
int message_route(const struct netlink_message *message, struct ub_rtnl_route *route);
int message_neighbour(const struct netlink_message *message, struct ub_rtnl_neighbour *neighbour);
struct ub_rtnl_change message_change(const struct netlink_message *message);

#endif
