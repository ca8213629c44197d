/* netlink_meaning.c: what is to be read of a message that is not damaged. */
#include "netlink_message.h"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>

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
