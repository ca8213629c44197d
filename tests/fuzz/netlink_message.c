/* netlink_message.c: rtnetlink's messages, made and damaged as an input tells. */
#include "netlink_message.h"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>

/* ---- Attributes ------------------------------------------------------------------------------ */

/* The types that matter, and how long their values are. */
static const struct {
    uint16_t type;
    uint8_t len; /* 0: as an address is */
} of_route[] = {
    { RTA_OIF, 4 },  { RTA_PREFSRC, 0 },    { RTA_GATEWAY, 0 },
    { RTA_VIA, 6 },  { RTA_METRICS, 16 },   { RTA_CACHEINFO, sizeof(struct rta_cacheinfo) },
    { RTA_DST, 0 },  { RTA_ENCAP, 8 },      { RTA_MULTIPATH, 8 },
    { RTA_VIA, 18 }, { RTA_ENCAP_TYPE, 2 }, { 99, 5 },
};

size_t address_size(unsigned family)
{
    return family == AF_INET ? 4 : family == AF_INET6 ? 16 : 0;
}

static bool is_of_neighbours(unsigned type)
{
    return type == RTM_NEWNEIGH || type == RTM_DELNEIGH;
}

/* Of two metrics; the bytes of others are the input's. */
static void take_metrics(struct message_attribute *attribute, struct fuzz_input *input)
{
    static const uint16_t types[] = { RTAX_MTU, RTAX_HOPLIMIT, RTAX_LOCK, RTAX_ADVMSS };
    attribute->len = 16;
    for (size_t at = 0; at < 16; at += 8) {
        const struct rtattr header = { .rta_len = 8, .rta_type = types[take_8(input) % 4] };
        const uint32_t number = take_16(input);
        memcpy(attribute->value + at, &header, sizeof header);
        memcpy(attribute->value + at + 4, &number, sizeof number);
    }
}

static void take_via(struct message_attribute *attribute, struct fuzz_input *input)
{
    static const uint16_t families[] = { AF_INET, AF_INET6, AF_UNIX, 0 };
    const uint16_t family = families[take_8(input) % 4];
    memcpy(attribute->value, &family, sizeof family);
    take_bytes(input, attribute->value + 2, 4);
}

static void take_cache_info(struct message_attribute *attribute, struct fuzz_input *input)
{
    static const int errors[] = { 0, -ENETUNREACH, -EACCES, -4095, -4096, 1 };
    struct rta_cacheinfo info = { 0 };
    info.rta_error = (uint32_t)errors[take_8(input) % 6];
    memcpy(attribute->value, &info, sizeof info);
}

static void take_value(struct message_attribute *attribute, struct fuzz_input *input)
{
    switch (attribute->type) {
    case RTA_METRICS:
        take_metrics(attribute, input);
        break;
    case RTA_VIA:
        take_via(attribute, input);
        break;
    case RTA_CACHEINFO:
        take_cache_info(attribute, input);
        break;
    default:
        take_bytes(input, attribute->value, attribute->len < 6 ? attribute->len : 6);
    }
}

static void take_attribute(struct netlink_message *message, struct fuzz_input *input)
{
    static const uint16_t of_neighbour[] = { NDA_DST, NDA_LLADDR, NDA_CACHEINFO };
    struct message_attribute *attribute = &message->attributes[message->attribute_count++];
    const uint8_t which = take_8(input), len = take_8(input);

    memset(attribute, 0, sizeof *attribute);
    if (is_of_neighbours(message->type)) {
        attribute->type = of_neighbour[which % 3];
        attribute->len = attribute->type == NDA_DST ? address_size(message->family) : UB_MAC;
        take_bytes(input, attribute->value, attribute->len);
    } else {
        attribute->type = of_route[which % 12].type;
        attribute->len = of_route[which % 12].len;
        if (attribute->len == 0)
            attribute->len = address_size(message->family);
        take_value(attribute, input);
    }
    if (len >= 240 && attribute->type != RTA_METRICS)
        attribute->len = (size_t)(len - 240) * 3;
}

/* ---- Bytes ----------------------------------------------------------------------------------- */

static void add(struct netlink_message *message, const void *data, size_t len)
{
    require(message->len + len + 3 < sizeof message->bytes);
    memcpy(message->bytes + message->len, data, len);
    message->len += (len + 3) & ~(size_t)3;
}

static void add_about(struct netlink_message *message)
{
    const struct rtmsg route = { .rtm_family = message->family,
                                 .rtm_dst_len = message->bits,
                                 .rtm_type = message->kind };
    const struct ndmsg neighbour = { .ndm_family = message->family,
                                     .ndm_ifindex = (int)message->interface_index,
                                     .ndm_state = message->state };
    const struct ifinfomsg link = { .ifi_index = (int)message->interface_index };

    if (message->type == NLMSG_ERROR)
        add(message, &message->error, sizeof message->error);
    else if (is_of_neighbours(message->type))
        add(message, &neighbour, sizeof neighbour);
    else if (message->type == RTM_NEWLINK || message->type == RTM_DELLINK)
        add(message, &link, sizeof link);
    else
        add(message, &route, sizeof route);
}

static void add_all(struct netlink_message *message, uint32_t number)
{
    struct nlmsghdr header = { .nlmsg_type = message->type, .nlmsg_seq = number };

    message->len = 0;
    memset(message->bytes, 0, sizeof message->bytes);
    add(message, &header, sizeof header);
    add_about(message);
    for (size_t i = 0; i < message->attribute_count; i++) {
        const struct message_attribute *attribute = &message->attributes[i];
        const struct rtattr start = { .rta_len = (uint16_t)(sizeof start + attribute->len),
                                      .rta_type = attribute->type };
        add(message, &start, sizeof start);
        add(message, attribute->value, attribute->len);
    }
    header.nlmsg_len = (uint32_t)message->len;
    memcpy(message->bytes, &header, sizeof header);
}

/* Lengths most of all are at even places. */
static void damage(struct netlink_message *message, struct fuzz_input *input, uint8_t times)
{
    message->is_damaged = times > 0;
    for (; times > 0; times--) {
        const uint8_t what = take_8(input);
        const size_t at = take_16(input) % message->len;
        if (what < 192)
            message->bytes[at & ~(size_t)1] = what;
        else if (what < 224)
            message->bytes[at] = take_8(input);
        else
            message->len = at + 1;
    }
}

void message_take(struct netlink_message *message, struct fuzz_input *input, uint16_t type,
                  uint32_t number)
{
    static const uint16_t types[] = { RTM_NEWROUTE, RTM_NEWNEIGH, NLMSG_ERROR,  RTM_DELROUTE,
                                      RTM_DELNEIGH, RTM_NEWLINK,  RTM_DELLINK,  RTM_GETNEIGH,
                                      NLMSG_DONE,   RTM_NEWADDR,  RTM_NEWROUTE, RTM_NEWNEIGH };
    static const uint8_t families[] = { AF_INET, AF_INET6, AF_BRIDGE, 0 };
    static const int errors[] = { -ENETUNREACH, -ENOENT, -EOPNOTSUPP, 0, 5, -4096, INT32_MIN };
    const uint8_t shape = take_8(input);

    const uint8_t kind = take_8(input);

    *message =
        (struct netlink_message){ .type = kind < 200 && type != 0 ? type : types[kind % 12] };
    message->family = families[take_8(input) % 4];
    message->bits = take_8(input);
    message->kind = take_8(input) % 12;
    message->state = (uint16_t)(1u << take_8(input) % 9);
    message->interface_index = take_8(input);
    message->error = errors[take_8(input) % 7];
    for (uint8_t i = 0; message->type != NLMSG_ERROR && i < shape % (MESSAGE_ATTRIBUTES + 1); i++)
        take_attribute(message, input);
    add_all(message, number);
    damage(message, input, shape >= 192 ? shape % 4 : 0);
}
