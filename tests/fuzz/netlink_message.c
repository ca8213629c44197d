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

static size_t address_size(unsigned family)
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

/* ---- What is in them ------------------------------------------------------------------------- */

static uint32_t number_in(const unsigned char *value)
{
    uint32_t number;
    memcpy(&number, value, sizeof number);
    return number;
}

static int refusal(int error)
{
    return error < 0 && error > -4096 ? error : -EBADMSG;
}

static int error_unless(const struct netlink_message *message, uint16_t type)
{
    if (message->type == NLMSG_ERROR)
        return refusal(message->error);
    return message->type == type ? 0 : -EBADMSG;
}

static bool has_address(const struct message_attribute *attribute, unsigned family)
{
    return address_size(family) != 0 && attribute->len == address_size(family);
}

static void note_metrics(const unsigned char *metrics, struct ub_rtnl_route *route)
{
    for (size_t at = 0; at < 16; at += 8) {
        struct rtattr header;
        memcpy(&header, metrics + at, sizeof header);
        const uint32_t number = number_in(metrics + at + 4);
        if (header.rta_type == RTAX_MTU)
            route->mtu = number;
        if (header.rta_type == RTAX_HOPLIMIT)
            route->hop_limit = (uint8_t)number;
        if (header.rta_type == RTAX_LOCK && (number & 1 << RTAX_MTU) != 0)
            route->has_more_to_it = true;
    }
}

static int note_via(const struct message_attribute *via, struct ub_rtnl_route *route)
{
    uint16_t family;

    memcpy(&family, via->value, sizeof family);
    if (via->len < 2 || address_size(family) == 0 || via->len != 2 + address_size(family))
        return -EBADMSG;
    route->next_hop_family = family;
    memcpy(route->next_hop, via->value + 2, address_size(family));
    return 0;
}

static int note_of_route(const struct message_attribute *attribute, unsigned family,
                         struct ub_rtnl_route *route)
{
    const struct rta_cacheinfo *info = (const void *)attribute->value;

    switch (attribute->type) {
    case RTA_OIF:
        route->interface_index = number_in(attribute->value);
        return attribute->len < 4 ? -EBADMSG : 0;
    case RTA_PREFSRC:
        route->has_from = true;
        memcpy(route->from, attribute->value, address_size(family));
        return has_address(attribute, family) ? 0 : -EBADMSG;
    case RTA_GATEWAY:
        route->next_hop_family = (int)family;
        memcpy(route->next_hop, attribute->value, address_size(family));
        return has_address(attribute, family) ? 0 : -EBADMSG;
    case RTA_VIA:
        return note_via(attribute, route);
    case RTA_METRICS:
        note_metrics(attribute->value, route);
        return 0;
    case RTA_CACHEINFO:
        if (attribute->len < sizeof *info)
            return -EBADMSG;
        return info->rta_error == 0 ? 0 : refusal((int)info->rta_error);
    case RTA_ENCAP:
    case RTA_ENCAP_TYPE:
    case RTA_MULTIPATH:
        route->has_more_to_it = true;
        return 0;
    default:
        return 0;
    }
}

int message_route(const struct netlink_message *message, struct ub_rtnl_route *route)
{
    int error = error_unless(message, RTM_NEWROUTE);

    *route = (struct ub_rtnl_route){ .type = message->kind };
    for (size_t i = 0; error == 0 && i < message->attribute_count; i++)
        error = note_of_route(&message->attributes[i], message->family, route);
    return error;
}

int message_neighbour(const struct netlink_message *message, struct ub_rtnl_neighbour *neighbour)
{
    *neighbour = (struct ub_rtnl_neighbour){ .state = message->state };
    for (size_t i = 0; i < message->attribute_count; i++) {
        const struct message_attribute *attribute = &message->attributes[i];
        if (attribute->type == NDA_LLADDR && attribute->len == UB_MAC) {
            memcpy(neighbour->mac, attribute->value, UB_MAC);
            neighbour->has_mac = true;
        }
    }
    return error_unless(message, RTM_NEWNEIGH);
}

/* The first address of that type, or all may have changed. */
static struct ub_rtnl_change with_address(struct ub_rtnl_change change,
                                          const struct netlink_message *message, uint16_t type)
{
    size_t i = 0;
    while (i < message->attribute_count && message->attributes[i].type != type)
        i++;
    if (i == message->attribute_count || !has_address(&message->attributes[i], message->family))
        return (struct ub_rtnl_change){ .what = UB_RTNL_ALL };
    memcpy(change.address, message->attributes[i].value, address_size(message->family));
    return change;
}

static struct ub_rtnl_change change_of_route(const struct netlink_message *message)
{
    const struct ub_rtnl_change change = { .what = UB_RTNL_ROUTE,
                                           .family = message->family,
                                           .bits = message->bits };
    if (address_size(message->family) == 0)
        return (struct ub_rtnl_change){ .what = UB_RTNL_NOTHING };
    if (message->bits > 8 * address_size(message->family))
        return (struct ub_rtnl_change){ .what = UB_RTNL_ALL };
    return message->bits > 0 ? with_address(change, message, RTA_DST) : change;
}

struct ub_rtnl_change message_change(const struct netlink_message *message)
{
    struct ub_rtnl_change change = { .what = UB_RTNL_ALL };

    switch (message->type) {
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
        return change_of_route(message);
    case RTM_NEWNEIGH:
    case RTM_DELNEIGH:
        change.what = address_size(message->family) == 0 ? UB_RTNL_NOTHING : UB_RTNL_NEIGHBOUR;
        change.family = message->family;
        change.interface_index = message->interface_index;
        return change.what == UB_RTNL_NOTHING ? change : with_address(change, message, NDA_DST);
    case RTM_NEWLINK:
    case RTM_DELLINK:
        change.what = UB_RTNL_LINK;
        change.interface_index = message->interface_index;
        return change;
    case RTM_GETNEIGH:
        change.what = UB_RTNL_NOTHING;
        return change;
    default:
        return change;
    }
}
