/* rtnetlink_parse.c: the kernel's answers and reports, as they come or damaged. Pure. */
#include "rtnetlink.h"

#if UB_HAVE_XDP

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>

/* ---- Messages -------------------------------------------------------------------------------- */

/* What is left to be read. */
struct bytes {
    const unsigned char *at;
    size_t len;
};

struct message {
    struct nlmsghdr header;
    struct bytes body;
};

struct attribute {
    unsigned type;
    struct bytes value;
};

/* Everything in a message begins at a multiple of four; the last may end short of one. */
static void skip(struct bytes *bytes, size_t len)
{
    size_t aligned = len + (-len & (NLMSG_ALIGNTO - 1));
    if (aligned > bytes->len)
        aligned = bytes->len;
    bytes->at += aligned;
    bytes->len -= aligned;
}

/* Copies what is at the front; false if there is less. */
static bool peek(const struct bytes *bytes, void *into, size_t len)
{
    if (bytes->len < len)
        return false;
    memcpy(into, bytes->at, len);
    return true;
}

static bool take(struct bytes *bytes, void *into, size_t len)
{
    if (!peek(bytes, into, len))
        return false;
    skip(bytes, len);
    return true;
}

/* False at the end, where nothing is left, or at damage, where something is. */
static bool next_message(struct bytes *messages, struct message *message)
{
    struct nlmsghdr header;
    if (!peek(messages, &header, sizeof header) || header.nlmsg_len < sizeof header ||
        header.nlmsg_len > messages->len)
        return false;
    message->header = header;
    message->body.at = messages->at + sizeof header;
    message->body.len = header.nlmsg_len - sizeof header;
    skip(messages, header.nlmsg_len);
    return true;
}

/* As next_message. */
static bool next_attribute(struct bytes *attributes, struct attribute *attribute)
{
    struct rtattr header;
    if (!peek(attributes, &header, sizeof header) || header.rta_len < sizeof header ||
        header.rta_len > attributes->len)
        return false;
    attribute->type = header.rta_type & (unsigned)NLA_TYPE_MASK;
    attribute->value.at = attributes->at + sizeof header;
    attribute->value.len = header.rta_len - sizeof header;
    skip(attributes, header.rta_len);
    return true;
}

/* ---- Values ---------------------------------------------------------------------------------- */

size_t ub_rtnl_address_size(int family)
{
    return family == AF_INET ? 4 : family == AF_INET6 ? 16 : 0;
}

/* The readers of values return 0 or -errno. */
static int read_number(const struct bytes *value, uint32_t *number)
{
    return peek(value, number, sizeof *number) ? 0 : -EBADMSG;
}

static int read_address(const struct bytes *value, int family, unsigned char *address)
{
    if (value->len == 0 || value->len != ub_rtnl_address_size(family))
        return -EBADMSG;
    memcpy(address, value->at, value->len);
    return 0;
}

/* False if there is none, or damage before it. */
static bool find_address(struct bytes attributes, unsigned type, int family, unsigned char *address)
{
    struct attribute attribute;
    while (next_attribute(&attributes, &attribute))
        if (attribute.type == type)
            return read_address(&attribute.value, family, address) == 0;
    return false;
}

/* The kernel's refusal, where it is one. */
static int error_of(int error)
{
    enum { ERRNO_MOST = 4095 }; /* MAX_ERRNO of Linux */
    return error < 0 && error >= -ERRNO_MOST ? error : -EBADMSG;
}

/* Takes the front of the one message that is to be of this type. */
static int open_answer(const void *message, size_t len, unsigned type, struct bytes *body,
                       void *about, size_t about_size)
{
    struct bytes messages = { message, len };
    struct message answer;
    int error;

    if (!next_message(&messages, &answer))
        return -EBADMSG;
    *body = answer.body;
    if (answer.header.nlmsg_type == NLMSG_ERROR)
        return peek(body, &error, sizeof error) ? error_of(error) : -EBADMSG;
    return answer.header.nlmsg_type == type && take(body, about, about_size) ? 0 : -EBADMSG;
}

/* ---- Routes ---------------------------------------------------------------------------------- */

/* A gateway of another family than the destination (RFC 5549). */
static int read_via(struct bytes value, struct ub_rtnl_route *route)
{
    __kernel_sa_family_t family;
    if (!peek(&value, &family, sizeof family))
        return -EBADMSG;
    value.at += sizeof family;
    value.len -= sizeof family;
    route->next_hop_family = family;
    return read_address(&value, family, route->next_hop);
}

static int read_metrics(struct bytes metrics, struct ub_rtnl_route *route)
{
    struct attribute metric;
    uint32_t number;

    while (next_attribute(&metrics, &metric)) {
        if (metric.type != RTAX_MTU && metric.type != RTAX_HOPLIMIT && metric.type != RTAX_LOCK)
            continue;
        if (read_number(&metric.value, &number) < 0)
            return -EBADMSG;
        if (metric.type == RTAX_MTU)
            route->mtu = number;
        else if (metric.type == RTAX_HOPLIMIT)
            route->hop_limit = (uint8_t)number;
        else /* of the MTU: the stack then fragments where it else would forbid it (ip(7)) */
            route->has_more_to_it |= (number & UINT32_C(1) << RTAX_MTU) != 0;
    }
    return metrics.len == 0 ? 0 : -EBADMSG;
}

/* IPv6 answers with the route that refuses, IPv4 refuses itself. */
static int read_refusal(const struct bytes *value)
{
    struct rta_cacheinfo info;
    if (!peek(value, &info, sizeof info))
        return -EBADMSG;
    return info.rta_error == 0 ? 0 : error_of((int)info.rta_error);
}

static int read_of_route(const struct attribute *attribute, int family, struct ub_rtnl_route *route)
{
    switch (attribute->type) {
    case RTA_OIF:
        return read_number(&attribute->value, &route->interface_index);
    case RTA_PREFSRC:
        route->has_from = true;
        return read_address(&attribute->value, family, route->from);
    case RTA_GATEWAY:
        route->next_hop_family = family;
        return read_address(&attribute->value, family, route->next_hop);
    case RTA_VIA:
        return read_via(attribute->value, route);
    case RTA_METRICS:
        return read_metrics(attribute->value, route);
    case RTA_CACHEINFO:
        return read_refusal(&attribute->value);
    case RTA_ENCAP:
    case RTA_ENCAP_TYPE:
    case RTA_NEWDST:
    case RTA_MULTIPATH:
        route->has_more_to_it = true;
        return 0;
    default:
        return 0;
    }
}

int ub_rtnl_parse_route(const void *message, size_t len, struct ub_rtnl_route *route)
{
    struct rtmsg about;
    struct bytes body;
    struct attribute attribute;
    int error = open_answer(message, len, RTM_NEWROUTE, &body, &about, sizeof about);

    *route = (struct ub_rtnl_route){ 0 };
    if (error < 0)
        return error;
    route->type = about.rtm_type;
    while (next_attribute(&body, &attribute)) {
        error = read_of_route(&attribute, about.rtm_family, route);
        if (error < 0)
            return error;
    }
    return body.len == 0 ? 0 : -EBADMSG;
}

/* ---- Neighbours ------------------------------------------------------------------------------ */

int ub_rtnl_parse_neighbour(const void *message, size_t len, struct ub_rtnl_neighbour *neighbour)
{
    struct ndmsg about;
    struct bytes body;
    struct attribute attribute;
    int error = open_answer(message, len, RTM_NEWNEIGH, &body, &about, sizeof about);

    *neighbour = (struct ub_rtnl_neighbour){ 0 };
    if (error < 0)
        return error;
    neighbour->state = about.ndm_state;
    while (next_attribute(&body, &attribute)) {
        if (attribute.type != NDA_LLADDR || attribute.value.len != UB_MAC)
            continue;
        memcpy(neighbour->mac, attribute.value.at, UB_MAC);
        neighbour->has_mac = true;
    }
    return body.len == 0 ? 0 : -EBADMSG;
}

/* ---- Changes --------------------------------------------------------------------------------- */

/* What cannot be read may have said anything. */
static const struct ub_rtnl_change anything = { .what = UB_RTNL_ALL };
static const struct ub_rtnl_change nothing = { .what = UB_RTNL_NOTHING };

static struct ub_rtnl_change change_of_link(struct bytes body)
{
    struct ifinfomsg about;
    if (!take(&body, &about, sizeof about))
        return anything;
    return (struct ub_rtnl_change){ .what = UB_RTNL_LINK,
                                    .interface_index = (uint32_t)about.ifi_index };
}

static struct ub_rtnl_change change_of_route(struct bytes body)
{
    struct ub_rtnl_change change = { .what = UB_RTNL_ROUTE };
    struct rtmsg about;

    if (!take(&body, &about, sizeof about))
        return anything;
    if (ub_rtnl_address_size(about.rtm_family) == 0)
        return nothing;
    if (about.rtm_dst_len > 8 * ub_rtnl_address_size(about.rtm_family))
        return anything;
    change.family = about.rtm_family;
    change.bits = about.rtm_dst_len;
    if (change.bits > 0 && !find_address(body, RTA_DST, change.family, change.address))
        return anything;
    return change;
}

static struct ub_rtnl_change change_of_neighbour(struct bytes body)
{
    struct ub_rtnl_change change = { .what = UB_RTNL_NEIGHBOUR };
    struct ndmsg about;

    if (!take(&body, &about, sizeof about))
        return anything;
    if (ub_rtnl_address_size(about.ndm_family) == 0)
        return nothing;
    change.family = about.ndm_family;
    change.interface_index = (uint32_t)about.ndm_ifindex;
    return find_address(body, NDA_DST, change.family, change.address) ? change : anything;
}

static struct ub_rtnl_change change_of(const struct message *message)
{
    switch (message->header.nlmsg_type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
        return change_of_link(message->body);
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
        return change_of_route(message->body);
    case RTM_NEWNEIGH:
    case RTM_DELNEIGH:
        return change_of_neighbour(message->body);
    case RTM_GETNEIGH: /* the kernel asks a daemon to resolve one (app_solicit of arp(7)) */
        return nothing;
    default:
        return anything;
    }
}

void ub_rtnl_parse_changes(const void *messages, size_t len,
                           void (*tell)(void *context, const struct ub_rtnl_change *change),
                           void *context)
{
    struct bytes rest = { messages, len };
    struct message message;

    while (next_message(&rest, &message)) {
        struct ub_rtnl_change change = change_of(&message);
        if (change.what != UB_RTNL_NOTHING)
            tell(context, &change);
    }
    if (rest.len > 0)
        tell(context, &anything);
}

#endif
