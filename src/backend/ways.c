/* ways.c: how to reach each destination past the network stack. The kernel is the router: it is
 * asked once for each destination, and tells when its answer holds no longer. */
#include "ways.h"

#if UB_HAVE_XDP

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Destinations that are remembered. One is looked for at so many places at most, so that the time
 * does not grow however they were chosen. */
enum { WAYS = 4096, WAY_PROBES = 8 };

/* Destinations that are asked for in a plan: each costs four system calls. The others take the
 * socket until it is their turn. */
enum { ASKS_MOST = 64 };

/* What the kernel tells nobody about is looked at again: a path's MTU that it has learned, what
 * routers have told of the link, and what the socket is set to. */
#define WAY_LASTS_NS    INT64_C(1000000000)
#define ORIGIN_LASTS_NS INT64_C(10000000)

enum { IN4_HEADERS = UB_FRAME_IN4 + UB_FRAME_UDP, IN6_HEADERS = UB_FRAME_IN6 + UB_FRAME_UDP };

static_assert(sizeof(struct ub_way_key) == 40, "keys are compared as bytes");

/* ---- Open and close -------------------------------------------------------------------------- */

/* Since Linux 5.14; before, it is not known. */
static uint64_t namespace_of(int fd)
{
    uint64_t cookie = 0;
    socklen_t len = sizeof cookie;
    getsockopt(fd, SOL_SOCKET, UB_NETNS_COOKIE, &cookie, &len);
    return cookie;
}

static int open_all(struct ub_ways *ways, const char *device)
{
    ways->questions = ub_rtnl_open();
    if (ways->questions < 0)
        return ways->questions;
    ways->changes = ub_rtnl_watch();
    if (ways->changes < 0)
        return ways->changes;
    ways->network = namespace_of(ways->questions);
    if (namespace_of(ways->fd) != ways->network)
        return -EXDEV;
    int error = ub_link_open(&ways->link, device, ways->questions);
    if (error < 0)
        return error;
    ways->table = calloc(WAYS, sizeof *ways->table);
    ways->live = calloc(WAYS, sizeof *ways->live);
    return ways->table != NULL && ways->live != NULL ? 0 : -ENOMEM;
}

int ub_ways_open(struct ub_ways *ways, int fd, const char *device)
{
    *ways = (struct ub_ways){ .fd = fd, .questions = -1, .changes = -1, .generation = 1 };
    int error = open_all(ways, device);
    if (error < 0)
        ub_ways_close(ways);
    return error;
}

void ub_ways_close(struct ub_ways *ways)
{
    if (ways->questions >= 0)
        close(ways->questions);
    if (ways->changes >= 0)
        close(ways->changes);
    free(ways->table);
    free(ways->live);
    *ways = (struct ub_ways){ .questions = -1, .changes = -1 };
}

/* ---- Changes --------------------------------------------------------------------------------- */

static void forget_all(struct ub_ways *ways)
{
    ways->generation++;
    ways->live_count = 0;
}

static bool shares_bits(const unsigned char *a, const unsigned char *b, unsigned bits)
{
    unsigned char mask = (unsigned char)(0xff00 >> bits % 8);

    return memcmp(a, b, bits / 8) == 0 &&
           (bits % 8 == 0 || ((a[bits / 8] ^ b[bits / 8]) & mask) == 0);
}

static bool is_routed_by(const struct ub_way *way, const struct ub_rtnl_change *change)
{
    if (way->key.is_in4 != (change->family == AF_INET))
        return false;
    return shares_bits(way->key.to + (way->key.is_in4 ? UB_IN4_AT : 0), change->address,
                       change->bits);
}

static bool goes_to(const struct ub_way *way, const struct ub_rtnl_change *change)
{
    return way->next_hop_family == change->family &&
           memcmp(way->next_hop, change->address, change->family == AF_INET ? 4 : 16) == 0;
}

static void forget_those(struct ub_ways *ways, const struct ub_rtnl_change *change,
                         bool (*are_touched)(const struct ub_way *, const struct ub_rtnl_change *))
{
    size_t kept = 0;
    for (size_t i = 0; i < ways->live_count; i++) {
        struct ub_way *way = &ways->table[ways->live[i]];
        if (are_touched(way, change))
            way->generation = 0;
        else
            ways->live[kept++] = ways->live[i];
    }
    ways->live_count = kept;
}

/* With a device, routes may go or come of which the kernel does not tell by themselves. */
static void take_in(void *context, const struct ub_rtnl_change *change)
{
    struct ub_ways *ways = context;

    if (change->what == UB_RTNL_ROUTE) {
        forget_those(ways, change, is_routed_by);
    } else if (change->what == UB_RTNL_NEIGHBOUR) {
        if (change->interface_index == ways->link.index)
            forget_those(ways, change, goes_to);
    } else {
        ways->link_until_ns = 0;
        forget_all(ways);
    }
}

/* What pads a structure counts too. Where that alone differs, ways are asked for once more. */
static bool differ(const void *before, const void *now, size_t size)
{
    return memcmp(before, now, size) != 0;
}

static void look_at_link(struct ub_ways *ways)
{
    struct ub_link before;

    if (ways->now_ns < ways->link_until_ns)
        return;
    ways->link_until_ns = ways->now_ns + WAY_LASTS_NS;
    memcpy(&before, &ways->link, sizeof before);
    ub_link_read(&ways->link, ways->questions);
    if (differ(&before, &ways->link, sizeof before))
        forget_all(ways);
}

static void look_at_socket(struct ub_ways *ways)
{
    struct ub_origin before;

    memcpy(&before, &ways->origin, sizeof before);
    ub_origin_read_name(&ways->origin, ways->fd);
    bool is_other = differ(&before, &ways->origin, sizeof before);
    if (is_other || ways->now_ns >= ways->origin_until_ns) {
        ub_origin_read(&ways->origin, ways->fd);
        ways->origin.needs_the_stack |= namespace_of(ways->fd) != ways->network;
        ways->origin_until_ns = ways->now_ns + ORIGIN_LASTS_NS;
    }
    if (differ(&before, &ways->origin, sizeof before))
        forget_all(ways);
}

void ub_ways_begin(struct ub_ways *ways, bool will_find)
{
    ways->plan++;
    if (!will_find)
        return;
    ways->may_ask = ASKS_MOST;
    ways->now_ns = ub_clock_ns();
    ub_rtnl_read_changes(ways->changes, take_in, ways);
    look_at_link(ways);
    look_at_socket(ways);
}

void ub_ways_look_at_link(struct ub_ways *ways)
{
    ub_rtnl_read_changes(ways->changes, take_in, ways);
    ways->link_until_ns = 0;
    look_at_link(ways);
}

/* ---- Asking the kernel ----------------------------------------------------------------------- */

static struct ub_rtnl_query query_for(const struct ub_ways *ways, const struct ub_way_key *key)
{
    const struct ub_origin *origin = &ways->origin;
    const struct ub_origin_family *family = key->is_in4 ? &origin->in4 : &origin->in6;
    const size_t at = key->is_in4 ? UB_IN4_AT : 0;
    struct ub_rtnl_query query = { .family = key->is_in4 ? AF_INET : AF_INET6,
                                   .from_port = origin->port,
                                   .to_port = key->port,
                                   .interface_index = key->scope,
                                   .mark = origin->mark,
                                   .user = origin->owner,
                                   .tos = key->dscp };

    if (query.interface_index == 0)
        query.interface_index = origin->interface_index;
    memcpy(query.to, key->to + at, 16 - at);
    query.has_from = family->has_address;
    memcpy(query.from, family->address, sizeof query.from);
    if (!ub_addr_is_zero(key->from, sizeof key->from)) {
        query.has_from = true;
        memcpy(query.from, key->from + at, 16 - at);
    }
    return query;
}

static bool is_group(const struct ub_way_key *key)
{
    const unsigned char *in4 = key->to + UB_IN4_AT;
    return key->is_in4 ? (in4[0] & 0xf0) == 0xe0 : key->to[0] == 0xff;
}

/* What a socket tells as its hop limit may be another's: that of the route to its peer if it is
 * connected, or the usual one where the device has one of its own. */
static bool knows_hop_limit(const struct ub_ways *ways)
{
    const struct ub_link *link = &ways->link;
    bool is_usual = ways->origin.in6.ttl == link->usual_hop_limit;

    if (ways->origin.is_connected && !is_usual)
        return false;
    return link->hop_limit != 0 && link->hop_limit == link->usual_hop_limit;
}

/* What needs no question. */
static enum udpbatch_detour refuse_unasked(const struct ub_ways *ways, const struct ub_way_key *key)
{
    const struct ub_origin_family *family = key->is_in4 ? &ways->origin.in4 : &ways->origin.in6;
    const size_t at = key->is_in4 ? UB_IN4_AT : 0;

    if (!family->sends || ways->origin.needs_the_stack || ways->origin.port == 0 || key->port == 0)
        return UDPBATCH_DETOUR_SOCKET;
    if (is_group(key))
        return UDPBATCH_DETOUR_GROUP;
    if (ub_addr_is_zero(key->to + at, 16 - at)) /* which stands for this host */
        return UDPBATCH_DETOUR_DEVICE;
    if (!key->is_in4 && !knows_hop_limit(ways))
        return UDPBATCH_DETOUR_ROUTE;
    return UDPBATCH_DETOUR_NONE;
}

/* A hop limit of the route's own is that of a socket which has none; but a socket does not tell
 * whether it has. So they have to agree. */
static bool has_other_hop_limit(const struct ub_ways *ways, const struct ub_way_key *key,
                                const struct ub_rtnl_route *route)
{
    uint8_t ttl = key->is_in4 ? ways->origin.in4.ttl : ways->origin.in6.ttl;
    return route->hop_limit != 0 && route->hop_limit != ttl;
}

static enum udpbatch_detour judge_route(const struct ub_ways *ways, const struct ub_way_key *key,
                                        const struct ub_rtnl_route *route)
{
    if (route->type == RTN_BROADCAST || route->type == RTN_MULTICAST || route->type == RTN_ANYCAST)
        return UDPBATCH_DETOUR_GROUP;
    if (route->type == RTN_LOCAL)
        return UDPBATCH_DETOUR_DEVICE;
    if (route->type != RTN_UNICAST)
        return UDPBATCH_DETOUR_ROUTE;
    if (route->interface_index != ways->link.index)
        return UDPBATCH_DETOUR_DEVICE;
    if (route->has_more_to_it || has_other_hop_limit(ways, key, route))
        return UDPBATCH_DETOUR_ROUTE;
    return UDPBATCH_DETOUR_NONE;
}

/* A stale neighbour is sent to, as the kernel does, but it is the kernel's use of it that has it
 * confirmed (RFC 4861, 7.3): so one packet goes by the socket. */
static bool ask_for_neighbour(struct ub_ways *ways, struct ub_way *way, struct ub_frame_flow *flow)
{
    const uint16_t usable =
        NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_PROBE | NUD_STALE | NUD_DELAY;
    struct ub_rtnl_neighbour neighbour;

    if (ub_rtnl_neighbour(ways->questions, way->next_hop_family, ways->link.index, way->next_hop,
                          &neighbour) < 0 ||
        !neighbour.has_mac || (neighbour.state & usable) == 0)
        return false;
    memcpy(flow->to_mac, neighbour.mac, UB_MAC);
    way->is_to_be_confirmed = (neighbour.state & NUD_STALE) != 0;
    return true;
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t payload_most(const struct ub_ways *ways, bool is_in4, uint32_t path_mtu)
{
    const uint32_t headers = is_in4 ? IN4_HEADERS : IN6_HEADERS;
    uint32_t mtu = is_in4 ? ways->link.mtu : ways->link.mtu_in6;

    mtu = path_mtu != 0 ? smaller(mtu, path_mtu) : mtu;
    mtu = smaller(mtu, ways->frame_size - UB_FRAME_ETHERNET);
    return mtu > headers ? mtu - headers : 0;
}

static struct ub_frame_flow flow_of(const struct ub_ways *ways, const struct ub_way_key *key,
                                    const struct ub_rtnl_query *query,
                                    const struct ub_rtnl_route *route)
{
    struct ub_frame_flow flow = { .is_in4 = key->is_in4 != 0,
                                  .from_port = ways->origin.port,
                                  .to_port = key->port };

    memcpy(flow.from_mac, ways->link.mac, UB_MAC);
    memcpy(flow.to, query->to, sizeof flow.to);
    memcpy(flow.from, query->has_from ? query->from : route->from, sizeof flow.from);
    return flow;
}

/* IPv4 answers to a source that is not this host's with a refusal, IPv6 does not look at it. */
static bool may_send_from(const struct ub_ways *ways, const struct ub_way_key *key)
{
    struct ub_rtnl_query query = { .family = AF_INET6, .user = ways->origin.owner };
    struct ub_rtnl_route route;

    if (key->is_in4 || ub_addr_is_zero(key->from, sizeof key->from))
        return true;
    memcpy(query.to, key->from, sizeof query.to);
    return ub_rtnl_route(ways->questions, &query, &route) == 0 && route.type == RTN_LOCAL;
}

/* Fills the way but for its key. */
static enum udpbatch_detour find_out(struct ub_ways *ways, struct ub_way *way)
{
    const struct ub_rtnl_query query = query_for(ways, &way->key);
    struct ub_rtnl_route route;
    enum udpbatch_detour detour = refuse_unasked(ways, &way->key);

    if (detour != UDPBATCH_DETOUR_NONE)
        return detour;
    ways->may_ask--;
    if (!may_send_from(ways, &way->key))
        return UDPBATCH_DETOUR_META;
    if (ub_rtnl_route(ways->questions, &query, &route) < 0)
        return UDPBATCH_DETOUR_ROUTE;
    detour = judge_route(ways, &way->key, &route);
    if (detour != UDPBATCH_DETOUR_NONE)
        return detour;
    if (!query.has_from && !route.has_from)
        return UDPBATCH_DETOUR_ROUTE;
    bool has_gateway = route.next_hop_family != 0;
    way->next_hop_family = has_gateway ? route.next_hop_family : query.family;
    memcpy(way->next_hop, has_gateway ? route.next_hop : query.to, sizeof way->next_hop);
    struct ub_frame_flow flow = flow_of(ways, &way->key, &query, &route);
    if (!ask_for_neighbour(ways, way, &flow))
        return UDPBATCH_DETOUR_NEIGHBOUR;
    way->payload_most = payload_most(ways, flow.is_in4, route.mtu);
    ub_frame_prepare(&way->headers, &flow);
    return UDPBATCH_DETOUR_NONE;
}

static void ask_kernel(struct ub_ways *ways, struct ub_way *way)
{
    way->generation = ways->generation;
    way->until_ns = ways->now_ns + WAY_LASTS_NS;
    way->is_to_be_confirmed = false;
    way->next_hop_family = 0;
    way->detour = (uint8_t)find_out(ways, way);
}

/* ---- The table ------------------------------------------------------------------------------- */

static struct ub_way_key key_of(const union udpbatch_addr *to, const union udpbatch_addr *from,
                                uint8_t tos)
{
    struct ub_way_key key = { .dscp = tos & 0xfc, .is_in4 = ub_addr_is_in4(to) };

    ub_addr_host(to, key.to);
    if (from != NULL)
        ub_addr_host(from, key.from);
    if (to->sa.sa_family == AF_INET) {
        key.port = to->in4.sin_port;
        return key;
    }
    key.port = to->in6.sin6_port;
    if (IN6_IS_ADDR_LINKLOCAL(&to->in6.sin6_addr)) /* others have no scope (ipv6(7)) */
        key.scope = to->in6.sin6_scope_id;
    return key;
}

/* Multiplication by large odd numbers, of which the high bits are taken (Knuth, 6.4). */
static uint32_t hash(const struct ub_way_key *key)
{
    uint64_t words[sizeof *key / sizeof(uint64_t)], mixed = 0;

    memcpy(words, key, sizeof words);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        mixed = (mixed ^ words[i]) * UINT64_C(0x9e3779b97f4a7c15);
        mixed ^= mixed >> 32;
    }
    return (uint32_t)(mixed * UINT64_C(0xd6e8feb86659fd93) >> 32);
}

static bool is_valid(const struct ub_ways *ways, const struct ub_way *way)
{
    return way->generation == ways->generation;
}

/* The way with that key, or the one whose place it may take: one that is not valid, or else the
 * oldest. NULL: all of them are in use. */
static struct ub_way *place_of(const struct ub_ways *ways, const struct ub_way_key *key)
{
    uint32_t at = hash(key);
    struct ub_way *place = NULL;

    for (unsigned probe = 0; probe < WAY_PROBES; probe++, at++) {
        struct ub_way *way = &ways->table[at % WAYS];
        if (memcmp(&way->key, key, sizeof *key) == 0)
            return way;
        if (is_valid(ways, way) && way->used_in == ways->plan)
            continue;
        if (place == NULL ||
            (is_valid(ways, place) && (!is_valid(ways, way) || way->until_ns < place->until_ns)))
            place = way;
    }
    return place;
}

static struct ub_way *renew(struct ub_ways *ways, struct ub_way *way, const struct ub_way_key *key)
{
    if (ways->may_ask == 0 && refuse_unasked(ways, key) == UDPBATCH_DETOUR_NONE)
        return NULL;
    if (!is_valid(ways, way))
        ways->live[ways->live_count++] = (uint16_t)(way - ways->table);
    way->key = *key;
    ask_kernel(ways, way);
    return way;
}

struct ub_way *ub_ways_find(struct ub_ways *ways, const union udpbatch_addr *to,
                            const union udpbatch_addr *from, uint8_t tos)
{
    const struct ub_way_key key = key_of(to, from, tos);
    struct ub_way *way = place_of(ways, &key);

    if (way == NULL)
        return NULL;
    if (!is_valid(ways, way) || memcmp(&way->key, &key, sizeof key) != 0)
        way = renew(ways, way, &key);
    else if (way->until_ns <= ways->now_ns && ways->may_ask > 0 && way->used_in != ways->plan)
        ask_kernel(ways, way);
    if (way != NULL)
        way->used_in = ways->plan;
    return way;
}

#else
typedef int ub_ways_are_left_out; /* C11 wants a declaration in every file */
#endif
