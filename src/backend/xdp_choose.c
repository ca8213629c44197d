/* xdp_choose.c: which way each train of a plan goes, so that no packet overtakes another to its
 * destination. */
#include "xdp.h"

#if UB_HAVE_XDP

#include <string.h>
#include <sys/ioctl.h>

/* ---- Which way a train goes ------------------------------------------------------------------ */

static bool asks_for(const struct ub_train *train, uint32_t flag)
{
    return train->meta != NULL && (train->meta->flags & flag) != 0;
}

uint8_t ub_xdp_tos(const struct ub_xdp *xdp, const struct ub_train *train, bool is_in4)
{
    const struct ub_origin *origin = &xdp->ways.origin;
    if (asks_for(train, UDPBATCH_META_TOS))
        return train->meta->tos;
    return is_in4 ? origin->in4.tos : origin->in6.tos;
}

uint8_t ub_xdp_ttl(const struct ub_xdp *xdp, const struct ub_train *train, bool is_in4)
{
    const struct ub_origin *origin = &xdp->ways.origin;
    if (asks_for(train, UDPBATCH_META_TTL))
        return train->meta->ttl;
    return is_in4 ? origin->in4.ttl : origin->in6.ttl;
}

static const union udpbatch_addr *from_of(const struct ub_train *train)
{
    return asks_for(train, UDPBATCH_META_LOCAL) ? &train->meta->local : NULL;
}

/* The train's destination; NULL if there is none. */
static const union udpbatch_addr *to_of(struct ub_xdp *xdp, const struct ub_train *train)
{
    socklen_t len = sizeof xdp->peer;

    if (train->to != NULL)
        return train->to;
    if (xdp->peer_known_in != xdp->ways.plan) {
        xdp->peer_known_in = xdp->ways.plan;
        memset(&xdp->peer, 0, sizeof xdp->peer);
        if (getpeername(xdp->ways.fd, &xdp->peer.sa, &len) < 0)
            xdp->peer.sa.sa_family = AF_UNSPEC;
    }
    return xdp->peer.sa.sa_family != AF_UNSPEC ? &xdp->peer : NULL;
}

/* A source that stands for its link, too, or is left to the stack, whatever the socket is bound to.
 */
static bool is_special(const union udpbatch_addr *from)
{
    unsigned char host[16];

    if (from == NULL)
        return false;
    ub_addr_host(from, host);
    if (ub_addr_is_in4(from))
        return ub_addr_is_zero(host + UB_IN4_AT, 4);
    return IN6_IS_ADDR_LINKLOCAL(&from->in6.sin6_addr) ||
           IN6_IS_ADDR_UNSPECIFIED(&from->in6.sin6_addr);
}

/* An interface, a time, a flow label: these the stack knows how to set. */
static bool train_needs_the_stack(const struct ub_train *train, const union udpbatch_addr *to)
{
    return asks_for(train, UDPBATCH_META_INTERFACE | UDPBATCH_META_DEPARTURE) ||
           is_special(from_of(train)) ||
           (to->sa.sa_family == AF_INET6 && to->in6.sin6_flowinfo != 0);
}

/* Whether the socket's queue is empty; asked once per plan. */
static bool is_drained(struct ub_xdp *xdp)
{
    int queued = 0;
    if (xdp->looked_in != xdp->ways.plan && ioctl(xdp->ways.fd, UB_OUTQ, &queued) == 0 &&
        queued == 0)
        xdp->drained_at = xdp->ways.plan;
    xdp->looked_in = xdp->ways.plan;
    return xdp->drained_at == xdp->ways.plan;
}

/* What went by the socket in that plan may still be in the queue of the device, which the ring does
 * not see. */
static bool would_overtake(struct ub_xdp *xdp, uint64_t by_socket)
{
    return by_socket >= xdp->drained_at && !is_drained(xdp);
}

static uint64_t *by_socket_to(struct ub_xdp *xdp, const union udpbatch_addr *to)
{
    return &xdp->by_socket_to[ub_group_hash(to) % UB_XDP_PLACES];
}

/* Remembers that in this plan something goes to its destination by the socket. */
void ub_xdp_take_socket(struct ub_xdp *xdp, struct ub_train *train, enum udpbatch_detour detour)
{
    const union udpbatch_addr *to = to_of(xdp, train);

    train->way = (uint8_t)detour;
    xdp->by_socket = xdp->ways.plan;
    if (to != NULL)
        *by_socket_to(xdp, to) = xdp->ways.plan;
}

static enum udpbatch_detour judge_way(struct ub_xdp *xdp, const struct ub_train *train,
                                      const union udpbatch_addr *to, struct ub_way *way)
{
    if (way == NULL)
        return UDPBATCH_DETOUR_ROUTE;
    if (way->detour != UDPBATCH_DETOUR_NONE)
        return way->detour;
    if (train->bytes > way->payload_most)
        return UDPBATCH_DETOUR_SIZE;
    if (way->is_to_be_confirmed) {
        way->is_to_be_confirmed = false;
        return UDPBATCH_DETOUR_NEIGHBOUR;
    }
    if (would_overtake(xdp, xdp->by_socket) && would_overtake(xdp, *by_socket_to(xdp, to)))
        return UDPBATCH_DETOUR_ORDER;
    return UDPBATCH_DETOUR_NONE;
}

/* *way gets the destination's, if the train goes by the ring. */
static enum udpbatch_detour choose(struct ub_xdp *xdp, const struct ub_train *train,
                                   struct ub_way **way)
{
    const union udpbatch_addr *to = to_of(xdp, train);

    *way = NULL;
    if (train->count > 1)
        return UDPBATCH_DETOUR_TRAIN;
    if (to == NULL)
        return UDPBATCH_DETOUR_SOCKET;
    /* An address of the other form than the socket's is refused, by the socket itself. */
    if (to->sa.sa_family == AF_INET6 && xdp->ways.origin.is_in4)
        return UDPBATCH_DETOUR_SOCKET;
    if (train_needs_the_stack(train, to))
        return UDPBATCH_DETOUR_META;
    if (!*xdp->is_ours || !xdp->ways.link.is_up)
        return UDPBATCH_DETOUR_LINK;
    uint8_t tos = ub_xdp_tos(xdp, train, ub_addr_is_in4(to));
    *way = ub_ways_find(&xdp->ways, to, from_of(train), tos);
    return judge_way(xdp, train, to, *way);
}

static bool goes_by_ring(const struct ub_train *train)
{
    return train->way == UDPBATCH_DETOUR_NONE;
}

/* Chooses for all trains; returns how many go by the ring. */
static size_t choose_all(struct ub_xdp *xdp, struct ub_plan *plan)
{
    size_t by_ring = 0;

    for (size_t i = 0; i < plan->count; i++) {
        struct ub_train *train = &plan->trains[i];
        enum udpbatch_detour detour = choose(xdp, train, &xdp->way_of[i]);
        train->way = UDPBATCH_DETOUR_NONE;
        if (detour != UDPBATCH_DETOUR_NONE)
            ub_xdp_take_socket(xdp, train, detour);
        by_ring += goes_by_ring(train);
    }
    return by_ring;
}

/* ---- One way for each destination ------------------------------------------------------------ */

static size_t take_socket_for_all(struct ub_xdp *xdp, struct ub_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        if (goes_by_ring(&plan->trains[i]))
            ub_xdp_take_socket(xdp, &plan->trains[i], UDPBATCH_DETOUR_ORDER);
    return 0;
}

/* What is to a destination of which something goes by the socket, goes by it, too. Returns how many
 * go by the ring then. */
static size_t keep_order_of_each(struct ub_xdp *xdp, struct ub_plan *plan)
{
    size_t by_ring = 0;

    for (size_t i = 0; i < plan->count; i++) {
        struct ub_train *train = &plan->trains[i];
        if (!goes_by_ring(train))
            continue;
        if (*by_socket_to(xdp, to_of(xdp, train)) == xdp->ways.plan)
            ub_xdp_take_socket(xdp, train, UDPBATCH_DETOUR_ORDER);
        by_ring += goes_by_ring(train);
    }
    return by_ring;
}

static size_t keep_order(struct ub_xdp *xdp, struct ub_plan *plan, size_t by_ring)
{
    bool is_mixed = by_ring > 0 && by_ring < plan->count;

    if (!plan->in_order)
        return is_mixed ? keep_order_of_each(xdp, plan) : by_ring;
    if (is_mixed || (by_ring > 0 && would_overtake(xdp, xdp->by_socket)))
        return take_socket_for_all(xdp, plan);
    return by_ring;
}

/* Puts the trains of the ring before those of the socket; each kind keeps its order. */
static void sort(struct ub_xdp *xdp, struct ub_plan *plan)
{
    size_t kept = 0, aside = 0;

    for (size_t i = 0; i < plan->count; i++) {
        if (!goes_by_ring(&plan->trains[i])) {
            xdp->aside[aside++] = plan->trains[i];
        } else if (kept++ != i) {
            plan->trains[kept - 1] = plan->trains[i];
            xdp->way_of[kept - 1] = xdp->way_of[i];
        }
    }
    memcpy(&plan->trains[kept], xdp->aside, aside * sizeof *xdp->aside);
}

size_t ub_xdp_choose(struct ub_xdp *xdp, struct ub_plan *plan)
{
    size_t by_ring = keep_order(xdp, plan, choose_all(xdp, plan));

    if (by_ring > 0 && by_ring < plan->count)
        sort(xdp, plan);
    return by_ring;
}

#endif
