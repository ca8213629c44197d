/* plan_refusals.c: what is remembered of refused trains. */
#include "plan_refusals.h"

#include <string.h>

enum { HOSTS = 64, SECOND_NS = 1000000000 };

/* A host that trains were refused to gets none of longer packets for a second. */
struct refusal {
    unsigned char host[16];
    uint32_t segment_most;
    int64_t until_ns;
};

static struct refusal refusals[HOSTS];
static size_t refusal_count;
static int64_t short_until_ns; /* no train of more than 64 */

void refusals_begin(void)
{
    refusal_count = 0;
    short_until_ns = 0;
}

static void host_of(const union udpbatch_addr *to, unsigned char host[16])
{
    memset(host, 0, 16);
    if (to != NULL && to->sa.sa_family == AF_INET6) {
        memcpy(host, &to->in6.sin6_addr, 16);
    } else if (to != NULL) {
        host[10] = host[11] = 0xff;
        memcpy(host + 12, &to->in4.sin_addr, 4);
    }
}

static struct refusal *refusal_to(const union udpbatch_addr *to)
{
    unsigned char host[16];
    host_of(to, host);
    for (size_t i = 0; i < refusal_count; i++)
        if (memcmp(refusals[i].host, host, sizeof host) == 0 && refusals[i].until_ns > world.now_ns)
            return &refusals[i];
    return NULL;
}

uint32_t refusals_packets_most(void)
{
    return world.now_ns >= short_until_ns || world.segments < 64 ? world.segments : 64;
}

uint32_t refusals_segment_most(const union udpbatch_addr *to)
{
    const struct refusal *refusal = refusal_to(to);
    return refusal != NULL ? refusal->segment_most : UINT32_MAX;
}

/* Whether the error is one of trains, and not of these packets. */
static bool is_of_trains(const struct ub_train *train, int error)
{
    const uint32_t origin = UDPBATCH_META_LOCAL | UDPBATCH_META_INTERFACE;
    const bool asks_for_origin = train->meta != NULL && (train->meta->flags & origin) != 0;
    const bool has_port = train->to == NULL || train->to->in4.sin_port != 0;

    return error == EIO || error == EMSGSIZE || error == ENOPROTOOPT || error == EOPNOTSUPP ||
           (error == EINVAL && !asks_for_origin && has_port);
}

static void note_host(const struct ub_train *train, int error)
{
    const bool is_of_length = error == EMSGSIZE || error == EINVAL;
    struct refusal *refusal = refusal_to(train->to);

    if (refusal != NULL) {
        refusal->segment_most = 0;
    } else if (refusal_count < HOSTS) {
        refusal = &refusals[refusal_count++];
        host_of(train->to, refusal->host);
        refusal->segment_most = is_of_length ? train->segment - 1 : 0;
    } else {
        return;
    }
    refusal->until_ns = world.now_ns + SECOND_NS;
}

bool refusals_learn(const struct ub_train *train, int error)
{
    if (!is_of_trains(train, error))
        return true;
    if (error == EINVAL && train->count > 64) {
        short_until_ns = world.now_ns + SECOND_NS;
        return false;
    }
    note_host(train, error);
    return true;
}
