/* fuzz_netlink.c: what rtnetlink answers and tells, of any bytes, and what is made of it: routes,
 * neighbours, changes, and ways that are remembered. */
#include "netlink_kernel.h"
#include "netlink_ways.h"

#include <stdlib.h>
#include <string.h>

static bool is_error(int result)
{
    return result < 0 && result > -4096;
}

/* ---- Messages -------------------------------------------------------------------------------- */

static void check_route(const struct ub_rtnl_route *route)
{
    require(route->next_hop_family == 0 || route->next_hop_family == AF_INET ||
            route->next_hop_family == AF_INET6);
}

/* What cannot be read is no answer, and may have told of anything. */
static void read_bytes(const void *bytes, size_t len)
{
    struct ub_rtnl_route route;
    struct ub_rtnl_neighbour neighbour;
    struct told told = { .count = 0 };

    const int routed = ub_rtnl_parse_route(bytes, len, &route);
    require(routed == 0 || is_error(routed));
    if (routed == 0)
        check_route(&route);
    const int known = ub_rtnl_parse_neighbour(bytes, len, &neighbour);
    require(known == 0 || is_error(known));
    require(len >= sizeof(struct nlmsghdr) || (routed < 0 && known < 0));
    ub_rtnl_parse_changes(bytes, len, tell, &told);
    require(len == 0 || len >= sizeof(struct nlmsghdr) || told.count == 1);
}

static bool is_same_change(const struct ub_rtnl_change *a, const struct ub_rtnl_change *b)
{
    return a->what == b->what && a->family == b->family && a->bits == b->bits &&
           a->interface_index == b->interface_index && memcmp(a->address, b->address, 16) == 0;
}

static void check_message(const struct netlink_message *message, const void *bytes)
{
    const struct ub_rtnl_change change = message_change(message);
    struct ub_rtnl_route route = { 0 }, wanted_route = { 0 };
    struct ub_rtnl_neighbour neighbour = { 0 }, wanted_neighbour = { 0 };
    struct told told = { .count = 0 };

    const int routed = message_route(message, &wanted_route);
    require(ub_rtnl_parse_route(bytes, message->len, &route) == routed);
    if (routed == 0) {
        require(route.type == wanted_route.type && route.mtu == wanted_route.mtu);
        require(route.interface_index == wanted_route.interface_index);
        require(route.has_from == wanted_route.has_from);
        require(memcmp(route.from, wanted_route.from, 16) == 0);
        require(route.next_hop_family == wanted_route.next_hop_family);
        require(memcmp(route.next_hop, wanted_route.next_hop, 16) == 0);
        require(route.hop_limit == wanted_route.hop_limit);
        require(route.has_more_to_it == wanted_route.has_more_to_it);
    }
    const int known = message_neighbour(message, &wanted_neighbour);
    require(ub_rtnl_parse_neighbour(bytes, message->len, &neighbour) == known);
    if (known == 0) {
        require(neighbour.state == wanted_neighbour.state);
        require(neighbour.has_mac == wanted_neighbour.has_mac);
        require(memcmp(neighbour.mac, wanted_neighbour.mac, UB_MAC) == 0);
    }
    ub_rtnl_parse_changes(bytes, message->len, tell, &told);
    require(told.count == (change.what != UB_RTNL_NOTHING));
    require(told.count == 0 || is_same_change(&told.changes[0], &change));
}

/* In memory of its own, so that what is read behind its end is found. */
static void read_message(struct fuzz_input *input)
{
    struct netlink_message message;

    message_take(&message, input, 0, 1);
    void *bytes = malloc(message.len);
    require(bytes != NULL);
    memcpy(bytes, message.bytes, message.len);
    if (!message.is_damaged)
        check_message(&message, bytes);
    read_bytes(bytes, message.len);
    free(bytes);
}

static void read_raw(struct fuzz_input *input)
{
    size_t len;
    void *bytes = take_copy(input, input->left, &len);
    read_bytes(bytes, len);
    free(bytes);
}

/* ---- Questions ------------------------------------------------------------------------------- */

static void ask(struct fuzz_input *input)
{
    const struct ub_rtnl_query query = { .family = take_bool(input) ? AF_INET6 : AF_INET,
                                         .has_from = true };
    struct ub_rtnl_route route;
    struct ub_rtnl_neighbour neighbour;

    const int routed = ub_rtnl_route(-1, &query, &route);
    require(routed == 0 || is_error(routed));
    if (routed == 0)
        check_route(&route);
    const int known = ub_rtnl_neighbour(-1, query.family, DEVICE, query.to, &neighbour);
    require(known == 0 || is_error(known));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const parts[])(struct fuzz_input *) = { read_raw, read_message, ask, find_ways };
    struct fuzz_input input = { data, size };

    kernel_begin(&input);
    parts[take_below(&input, 4)](&input);
    return 0;
}
