/* meta_send.c: what is asked for a packet to be sent, as control messages. Pure. */
#include "internal.h"

#include <string.h>

enum {
    OF_A_SEND = UDPBATCH_META_LOCAL | UDPBATCH_META_INTERFACE | UDPBATCH_META_TOS |
                UDPBATCH_META_TTL | UDPBATCH_META_DEPARTURE | UDPBATCH_META_DONT_FRAGMENT
};

static bool says(const struct udpbatch_meta *meta, uint32_t flag)
{
    return (meta->flags & flag) != 0;
}

/* ---- Whether two ask for the same ------------------------------------------------------------ */

static uint32_t asked_by(const struct udpbatch_meta *meta)
{
    return meta != NULL ? meta->flags & OF_A_SEND : 0;
}

static uint32_t scope_of(const union udpbatch_addr *addr)
{
    return addr->sa.sa_family == AF_INET6 ? addr->in6.sin6_scope_id : 0;
}

static bool is_same_host(const union udpbatch_addr *a, const union udpbatch_addr *b)
{
    unsigned char host[2][16];
    ub_addr_host(a, host[0]);
    ub_addr_host(b, host[1]);
    return memcmp(host[0], host[1], sizeof host[0]) == 0 && scope_of(a) == scope_of(b);
}

bool ub_meta_is_same(const struct udpbatch_meta *a, const struct udpbatch_meta *b)
{
    uint32_t asked = asked_by(a);

    if (a == b || (asked == 0 && asked_by(b) == 0))
        return true;
    return asked == asked_by(b) && (!says(a, UDPBATCH_META_TOS) || a->tos == b->tos) &&
           (!says(a, UDPBATCH_META_TTL) || a->ttl == b->ttl) &&
           (!says(a, UDPBATCH_META_INTERFACE) || a->interface_index == b->interface_index) &&
           (!says(a, UDPBATCH_META_DEPARTURE) || a->time_ns == b->time_ns) &&
           (!says(a, UDPBATCH_META_LOCAL) || is_same_host(&a->local, &b->local));
}

#if UB_HAVE_META

/* ---- Whether it can be done ------------------------------------------------------------------ */

static bool is_known(const struct ub_facts *facts, enum ub_question question, unsigned *asks)
{
    if ((facts->known & question) != 0)
        return true;
    *asks |= question;
    return false;
}

/* The kernel refuses a departure time without SO_TXTIME with an error that says less, and has no
 * control message for the don't-fragment bit of IPv4 (ip(7)). */
static bool is_supported(const struct udpbatch_meta *meta, bool is_in4,
                         const struct ub_facts *facts, unsigned *asks)
{
    if (says(meta, UDPBATCH_META_DEPARTURE) && is_known(facts, UB_ASKS_TXTIME, asks) &&
        !facts->has_txtime)
        return false;
    return !says(meta, UDPBATCH_META_DONT_FRAGMENT) || !is_in4 ||
           !is_known(facts, UB_ASKS_NO_FRAGMENTS, asks) || facts->forbids_fragments;
}

static bool is_local_address(const union udpbatch_addr *local, bool is_in4)
{
    return (local->sa.sa_family == AF_INET || local->sa.sa_family == AF_INET6) &&
           ub_addr_is_in4(local) == is_in4;
}

int ub_meta_check(const struct udpbatch_meta *meta, bool is_in4, const struct ub_facts *facts,
                  unsigned *asks)
{
    if ((meta->flags & ~(uint32_t)(OF_A_SEND | UB_META_CAME)) != 0)
        return -EOPNOTSUPP;
    if (!is_supported(meta, is_in4, facts, asks))
        return -EOPNOTSUPP;
    if (is_in4 && says(meta, UDPBATCH_META_INTERFACE) && !says(meta, UDPBATCH_META_LOCAL))
        is_known(facts, UB_ASKS_OWN, asks);
    if (says(meta, UDPBATCH_META_LOCAL) && !is_local_address(&meta->local, is_in4))
        return -EAFNOSUPPORT;
    if ((says(meta, UDPBATCH_META_TTL) && meta->ttl == 0) ||
        (says(meta, UDPBATCH_META_INTERFACE) && meta->interface_index == 0))
        return -EINVAL;
    return 0;
}

/* ---- The control messages -------------------------------------------------------------------- */

size_t ub_meta_room(const struct udpbatch_meta *meta)
{
    size_t room = 0;
    if (says(meta, UDPBATCH_META_LOCAL | UDPBATCH_META_INTERFACE))
        room += UB_CONTROL_SPACE(sizeof(struct in6_pktinfo));
    if (says(meta, UDPBATCH_META_DEPARTURE))
        room += UB_CONTROL_SPACE(sizeof(uint64_t));
    for (uint32_t flag = UDPBATCH_META_TOS; flag <= UDPBATCH_META_DONT_FRAGMENT; flag <<= 1)
        if (flag != UDPBATCH_META_DEPARTURE && says(meta, flag))
            room += UB_CONTROL_SPACE(sizeof(int));
    return room;
}

static size_t put_int(unsigned char *control, size_t at, int level, int type, int value)
{
    return ub_control_put(control, at, level, type, &value, sizeof value);
}

/* Address and interface go together. An interface of 0 is left to the kernel, and so is an address
 * of 0, but not to that which the socket is bound to (ip_cmsg_send): so it has to be told. */
static size_t put_in4_origin(const struct udpbatch_meta *meta, const struct in_addr *own,
                             unsigned char *control, size_t at)
{
    struct in_pktinfo origin = { .ipi_spec_dst = *own };

    if (says(meta, UDPBATCH_META_INTERFACE))
        origin.ipi_ifindex = (int)meta->interface_index;
    if (says(meta, UDPBATCH_META_LOCAL)) {
        unsigned char host[16];
        ub_addr_host(&meta->local, host);
        memcpy(&origin.ipi_spec_dst, host + 12, sizeof origin.ipi_spec_dst);
    }
    return ub_control_put(control, at, IPPROTO_IP, IP_PKTINFO, &origin, sizeof origin);
}

/* Here what is 0 is left to the kernel and the socket. */
static size_t put_in6_origin(const struct udpbatch_meta *meta, unsigned char *control, size_t at)
{
    struct in6_pktinfo origin = { 0 };

    if (says(meta, UDPBATCH_META_LOCAL)) {
        origin.ipi6_addr = meta->local.in6.sin6_addr;
        if (IN6_IS_ADDR_LINKLOCAL(&origin.ipi6_addr)) /* which is no address without its link */
            origin.ipi6_ifindex = meta->local.in6.sin6_scope_id;
    }
    if (says(meta, UDPBATCH_META_INTERFACE))
        origin.ipi6_ifindex = meta->interface_index;
    return ub_control_put(control, at, IPPROTO_IPV6, IPV6_PKTINFO, &origin, sizeof origin);
}

static size_t put_in4(const struct udpbatch_meta *meta, const struct in_addr *own,
                      unsigned char *control, size_t at)
{
    if (says(meta, UDPBATCH_META_LOCAL | UDPBATCH_META_INTERFACE))
        at = put_in4_origin(meta, own, control, at);
    if (says(meta, UDPBATCH_META_TOS))
        at = put_int(control, at, IPPROTO_IP, IP_TOS, meta->tos);
    if (says(meta, UDPBATCH_META_TTL))
        at = put_int(control, at, IPPROTO_IP, IP_TTL, meta->ttl);
    return at;
}

static size_t put_in6(const struct udpbatch_meta *meta, unsigned char *control, size_t at)
{
    if (says(meta, UDPBATCH_META_LOCAL | UDPBATCH_META_INTERFACE))
        at = put_in6_origin(meta, control, at);
    if (says(meta, UDPBATCH_META_TOS))
        at = put_int(control, at, IPPROTO_IPV6, IPV6_TCLASS, meta->tos);
    if (says(meta, UDPBATCH_META_TTL))
        at = put_int(control, at, IPPROTO_IPV6, IPV6_HOPLIMIT, meta->ttl);
    if (says(meta, UDPBATCH_META_DONT_FRAGMENT))
        at = put_int(control, at, IPPROTO_IPV6, IPV6_DONTFRAG, 1);
    return at;
}

size_t ub_meta_write(const struct udpbatch_meta *meta, bool is_in4, const struct ub_facts *facts,
                     unsigned char *control)
{
    size_t at = is_in4 ? put_in4(meta, &facts->own, control, 0) : put_in6(meta, control, 0);

    if (says(meta, UDPBATCH_META_DEPARTURE))
        at = ub_control_put(control, at, SOL_SOCKET, SCM_TXTIME, &meta->time_ns,
                            sizeof meta->time_ns);
    return at;
}

#else

int ub_meta_check(const struct udpbatch_meta *meta, bool is_in4, const struct ub_facts *facts,
                  unsigned *asks)
{
    (void)is_in4;
    (void)facts;
    (void)asks;
    return (meta->flags & ~(uint32_t)UB_META_CAME) == 0 ? 0 : -EOPNOTSUPP;
}

size_t ub_meta_room(const struct udpbatch_meta *meta)
{
    (void)meta;
    return 0;
}

size_t ub_meta_write(const struct udpbatch_meta *meta, bool is_in4, const struct ub_facts *facts,
                     unsigned char *control)
{
    (void)meta;
    (void)is_in4;
    (void)facts;
    (void)control;
    return 0;
}

#endif
