/* gso.c: may packets leave as trains? What the system says, and what refusals have taught. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

/* How long a refusal is remembered. Each costs a system call and a plan. */
#define COOL_DOWN_NS INT64_C(1000000000)

/* So many refused trains in one call are enough. */
enum { SPLITS_MOST = 128 };

/* ---- What the system says -------------------------------------------------------------------- */

static bool is_switched_off(enum udpbatch_trains wanted)
{
    const char *variable = getenv("UDPBATCH_GSO");
    return wanted == UDPBATCH_TRAINS_OFF || (variable != NULL && strcmp(variable, "off") == 0);
}

/* Kernels before 4.18 ignore the segment size that comes with a message, and would send a train as
 * one datagram. So it is not tried: the socket is asked. */
void ub_gso_ask(struct ub_gso *gso, udpbatch_socket fd, enum udpbatch_trains wanted)
{
    enum ub_gso_kernel kernel =
        wanted == UDPBATCH_TRAINS_ALWAYS ? UB_GSO_WELL : ub_gso_this_kernel();

    gso->equal_only = kernel == UB_GSO_EQUAL_ONLY;
    if (is_switched_off(wanted) || kernel == UB_GSO_DAMAGES || !ub_socket_has_trains(fd))
        gso->segments_at_best = 1;
    gso->segments = gso->segments_at_best;
}

/* ---- What refusals teach --------------------------------------------------------------------- */

static void forget_routes(struct ub_gso *gso, int64_t now)
{
    size_t kept = 0;
    for (size_t i = 0; i < gso->route_count; i++)
        if (gso->routes[i].until_ns > now)
            gso->routes[kept++] = gso->routes[i];
    gso->route_count = kept;
}

void ub_gso_remember(struct ub_gso *gso)
{
    gso->splits = 0;
    if (gso->route_count == 0 && gso->segments == gso->segments_at_best)
        return;
    int64_t now = ub_clock_ns();
    forget_routes(gso, now);
    if (gso->until_ns <= now)
        gso->segments = gso->segments_at_best;
}

static struct ub_route *find(const struct ub_gso *gso, const unsigned char host[16])
{
    for (size_t i = 0; i < gso->route_count; i++)
        if (memcmp(gso->routes[i].host, host, 16) == 0)
            return &gso->routes[i];
    return NULL;
}

/* How long the packets of a train to that host may be. */
uint32_t ub_gso_segment_most(const struct ub_gso *gso, const union udpbatch_addr *to)
{
    unsigned char host[16];
    ub_addr_host(to, host);
    const struct ub_route *route = find(gso, host);
    return route != NULL ? route->segment_most : UINT32_MAX;
}

static void limit_segments(struct ub_gso *gso, uint32_t segments, int64_t until_ns)
{
    gso->segments = segments;
    gso->until_ns = until_ns;
}

/* Packets as long as these were too long for a train, or so it seems: shorter ones may do. EINVAL
 * is what kernels before 6.15 say of packets above the MTU (net/ipv4/udp.c, udp_send_skb). */
static uint32_t shorter_than(const struct ub_train *train)
{
    return train->error == EMSGSIZE || train->error == EINVAL ? train->segment - 1 : 0;
}

static void limit_route(struct ub_gso *gso, const struct ub_train *train, int64_t until_ns)
{
    unsigned char host[16];
    ub_addr_host(train->to, host);
    struct ub_route *route = find(gso, host);

    if (route != NULL) {
        route->segment_most = 0; /* though its packets were shorter */
        route->until_ns = until_ns;
    } else if (gso->route_count < gso->route_capacity) {
        route = &gso->routes[gso->route_count++];
        memcpy(route->host, host, sizeof route->host);
        route->segment_most = shorter_than(train);
        route->until_ns = until_ns;
    } else {
        limit_segments(gso, 1, until_ns); /* it is not the hosts, then */
    }
}

static bool asks_for_origin(const struct udpbatch_meta *meta)
{
    return meta != NULL && (meta->flags & (UDPBATCH_META_LOCAL | UDPBATCH_META_INTERFACE)) != 0;
}

/* Port 0 is not sent to. It is at the same place in both families. */
static bool has_port(const union udpbatch_addr *to)
{
    return to == NULL || to->in4.sin_port != 0;
}

/* Whether the error says that the host does not get trains. Or else these packets have an error of
 * their own, or a queue had no room for all of them at once. */
static bool is_about_trains(const struct ub_train *train)
{
    switch (train->error) {
    case EIO:
    case EMSGSIZE:
    case ENOPROTOOPT:
    case EOPNOTSUPP:
        return true;
    case EINVAL:
        return !asks_for_origin(train->meta) && has_port(train->to);
    default:
        return false;
    }
}

/* Returns whether the train's packets are to go singly now; otherwise shorter trains may do. Who
 * meets ever more refusals gets no more trains in this call, as each costs a plan of all that
 * remains. */
bool ub_gso_learn(struct ub_gso *gso, const struct ub_train *train)
{
    if (++gso->splits > SPLITS_MOST)
        limit_segments(gso, 1, 0);
    if (!is_about_trains(train))
        return true;
    int64_t until_ns = ub_clock_ns() + COOL_DOWN_NS;
    bool is_too_long = train->error == EINVAL && train->count > UB_SEGMENTS_OLD;

    if (is_too_long)
        limit_segments(gso, UB_SEGMENTS_OLD, until_ns);
    else
        limit_route(gso, train, until_ns);
    return !is_too_long;
}
