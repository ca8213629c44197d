/* group.c: which train of a plan is the newest to a destination: a hash table by content. Pure. */
#include "internal.h"

#include <string.h>

/* A destination that is not found within so many steps is not remembered, and its packets go on
 * alone. So the time is linear even for destinations that were chosen to collide. */
enum { PROBES = 8 };

/* An entry is the stamp of the plan that made it, and a train. */
enum { INDEX_BITS = 16, INDEX_MASK = (1 << INDEX_BITS) - 1 };

static bool is_free(const struct ub_plan *plan, uint32_t entry)
{
    return entry >> INDEX_BITS != plan->stamp;
}

/* Address and port, in whatever form; scopes are left out, as one may be given and one implied. */
struct destination {
    uint64_t high, low;
    uint64_t port;
};

static const uint64_t IS_IN4 = UINT64_C(1) << 16; /* beside the port */

static struct destination in4_destination(const struct in_addr *addr, uint16_t port)
{
    return (struct destination){ 0, addr->s_addr, IS_IN4 | port };
}

static struct destination in6_destination(const struct sockaddr_in6 *to)
{
    struct destination it = { .port = to->sin6_port };
    struct in_addr mapped;

    if (IN6_IS_ADDR_V4MAPPED(&to->sin6_addr)) {
        memcpy(&mapped, to->sin6_addr.s6_addr + 12, sizeof mapped);
        return in4_destination(&mapped, to->sin6_port);
    }
    memcpy(&it.high, to->sin6_addr.s6_addr, sizeof it.high);
    memcpy(&it.low, to->sin6_addr.s6_addr + sizeof it.high, sizeof it.low);
    return it;
}

static struct destination destination_of(const union udpbatch_addr *to)
{
    if (to == NULL)
        return (struct destination){ 0 };
    if (to->sa.sa_family == AF_INET)
        return in4_destination(&to->in4.sin_addr, to->in4.sin_port);
    return in6_destination(&to->in6);
}

/* Whether these are one destination. Most are IPv4 in the same form. */
bool ub_group_is_same(const union udpbatch_addr *a, const union udpbatch_addr *b)
{
    if (a == b || a == NULL || b == NULL)
        return a == b;
    if (a->sa.sa_family == AF_INET && b->sa.sa_family == AF_INET)
        return a->in4.sin_addr.s_addr == b->in4.sin_addr.s_addr &&
               a->in4.sin_port == b->in4.sin_port;
    const struct destination first = destination_of(a), second = destination_of(b);
    return first.low == second.low && first.port == second.port && first.high == second.high;
}

/* Multiplication by large odd numbers, of which the high bits are taken (Knuth, 6.4). */
uint32_t ub_group_hash(const union udpbatch_addr *to)
{
    const struct destination it = destination_of(to);
    uint64_t mixed = (it.low ^ it.port << 32) * UINT64_C(0x9e3779b97f4a7c15) ^ it.high;
    mixed = (mixed ^ mixed >> 32) * UINT64_C(0xd6e8feb86659fd93);
    return (uint32_t)(mixed >> 32);
}

/* The old entries are free from here on. */
void ub_group_begin(struct ub_plan *plan)
{
    if (++plan->stamp < UINT32_C(1) << INDEX_BITS)
        return;
    memset(plan->groups, 0, (plan->group_mask + 1) * sizeof plan->groups[0]);
    plan->stamp = 1;
}

/* The destination's place in the table; NULL if there is none for it. *train is its newest train,
 * NULL if it has none yet. */
uint32_t *ub_group_find(struct ub_plan *plan, const union udpbatch_addr *to,
                        struct ub_train **train)
{
    uint32_t at = ub_group_hash(to);

    *train = NULL;
    for (unsigned probe = 0; probe < PROBES; probe++, at++) {
        uint32_t *entry = &plan->groups[at & plan->group_mask];
        if (is_free(plan, *entry))
            return entry;
        struct ub_train *candidate = &plan->trains[*entry & INDEX_MASK];
        if (ub_group_is_same(candidate->to, to)) {
            *train = candidate;
            return entry;
        }
    }
    return NULL;
}

/* Notes the train as the newest of the destination whose place it is. */
void ub_group_put(const struct ub_plan *plan, uint32_t *entry, size_t train)
{
    *entry = plan->stamp << INDEX_BITS | (uint32_t)train;
}
