/* meta_receive.c: what the kernel tells of a datagram besides its payload and its source. */
#include "internal.h"

#if UB_HAVE_REPORTS

#include <string.h>
#include <time.h>

/* What asks a socket for it. An IPv6 socket takes the options of IPv4 too, for datagrams that come
 * from mapped addresses. */
static const struct {
    uint32_t flags;
    int family; /* of the sockets that must have it; AF_UNSPEC: all */
    int level;
    int option;
} requests[] = {
    { UDPBATCH_META_CAME_TO | UDPBATCH_META_CAME_BY, AF_INET, IPPROTO_IP, IP_PKTINFO },
    { UDPBATCH_META_CAME_TO | UDPBATCH_META_CAME_BY, AF_INET6, IPPROTO_IPV6, IPV6_RECVPKTINFO },
    { UDPBATCH_META_CAME_WITH_TOS, AF_INET, IPPROTO_IP, IP_RECVTOS },
    { UDPBATCH_META_CAME_WITH_TOS, AF_INET6, IPPROTO_IPV6, IPV6_RECVTCLASS },
    { UDPBATCH_META_CAME_WITH_TTL, AF_INET, IPPROTO_IP, IP_RECVTTL },
    { UDPBATCH_META_CAME_WITH_TTL, AF_INET6, IPPROTO_IPV6, IPV6_RECVHOPLIMIT },
    { UDPBATCH_META_CAME_AT, AF_UNSPEC, SOL_SOCKET, SO_TIMESTAMPNS },
};

int ub_meta_enable(udpbatch_socket fd, uint32_t flags)
{
    int family = ub_socket_family(fd);

    if (family < 0)
        return family;
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        bool must = requests[i].family == family || requests[i].family == AF_UNSPEC;
        if ((flags & requests[i].flags) != 0 &&
            ub_socket_set(fd, requests[i].level, requests[i].option, 1) < 0 && must)
            return -EOPNOTSUPP;
    }
    return 0;
}

/* A datagram that came before the socket was asked to keep its interface has none. */
static void set_interface(struct udpbatch_meta *meta, uint32_t index)
{
    meta->interface_index = index;
    if (index != 0)
        meta->flags |= UDPBATCH_META_CAME_BY;
}

static bool has_scope(const struct in6_addr *addr)
{
    return IN6_IS_ADDR_LINKLOCAL(addr) || IN6_IS_ADDR_MC_LINKLOCAL(addr);
}

static void read_in6_info(struct udpbatch_meta *meta, const void *data)
{
    struct in6_pktinfo info;
    memcpy(&info, data, sizeof info);
    meta->local =
        (union udpbatch_addr){ .in6 = { .sin6_family = AF_INET6, .sin6_addr = info.ipi6_addr } };
    if (has_scope(&info.ipi6_addr))
        meta->local.in6.sin6_scope_id = info.ipi6_ifindex;
    set_interface(meta, info.ipi6_ifindex);
    meta->flags |= UDPBATCH_META_CAME_TO;
    if (!IN6_IS_ADDR_MULTICAST(&info.ipi6_addr) && !IN6_IS_ADDR_V4MAPPED(&info.ipi6_addr))
        meta->flags |= UDPBATCH_META_LOCAL;
}

/* ipi_spec_dst is the address to answer from: if the datagram was sent to another, that is a
 * group's or a broadcast. An IPv6 socket has told the address before, as a mapped one. */
static void read_in4_info(struct udpbatch_meta *meta, const void *data)
{
    struct in_pktinfo info;
    memcpy(&info, data, sizeof info);
    if ((meta->flags & UDPBATCH_META_CAME_TO) == 0) {
        meta->local =
            (union udpbatch_addr){ .in4 = { .sin_family = AF_INET, .sin_addr = info.ipi_addr } };
        set_interface(meta, (uint32_t)info.ipi_ifindex);
        meta->flags |= UDPBATCH_META_CAME_TO;
    }
    if (info.ipi_addr.s_addr == info.ipi_spec_dst.s_addr)
        meta->flags |= UDPBATCH_META_LOCAL;
}

static void read_in4_tos(struct udpbatch_meta *meta, const void *data)
{
    memcpy(&meta->tos, data, sizeof meta->tos);
    meta->flags |= UDPBATCH_META_CAME_WITH_TOS;
}

static uint8_t byte_of_int(const void *data)
{
    int value;
    memcpy(&value, data, sizeof value);
    return (uint8_t)value;
}

static void read_in6_tos(struct udpbatch_meta *meta, const void *data)
{
    meta->tos = byte_of_int(data);
    meta->flags |= UDPBATCH_META_CAME_WITH_TOS;
}

static void read_ttl(struct udpbatch_meta *meta, const void *data)
{
    meta->ttl = byte_of_int(data);
    meta->flags |= UDPBATCH_META_CAME_WITH_TTL;
}

static void read_time(struct udpbatch_meta *meta, const void *data)
{
    struct timespec time;
    memcpy(&time, data, sizeof time);
    meta->time_ns = (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
    meta->flags |= UDPBATCH_META_CAME_AT;
}

static const struct {
    int level;
    int type;
    size_t size;
    void (*read)(struct udpbatch_meta *meta, const void *data);
} answers[] = {
    { IPPROTO_IP, IP_PKTINFO, sizeof(struct in_pktinfo), read_in4_info },
    { IPPROTO_IPV6, IPV6_PKTINFO, sizeof(struct in6_pktinfo), read_in6_info },
    { IPPROTO_IP, IP_TOS, sizeof(uint8_t), read_in4_tos },
    { IPPROTO_IPV6, IPV6_TCLASS, sizeof(int), read_in6_tos },
    { IPPROTO_IP, IP_TTL, sizeof(int), read_ttl },
    { IPPROTO_IPV6, IPV6_HOPLIMIT, sizeof(int), read_ttl },
    { SOL_SOCKET, SO_TIMESTAMPNS, sizeof(struct timespec), read_time },
};

enum { ANSWERS = sizeof answers / sizeof answers[0] };

void ub_meta_read(struct udpbatch_meta *meta, uint32_t flags, const ub_control *control)
{
    size_t i = 0;
    while (i < ANSWERS &&
           (control->cmsg_level != answers[i].level || control->cmsg_type != answers[i].type))
        i++;
    if (i == ANSWERS || control->cmsg_len < UB_CONTROL_LEN(answers[i].size))
        return;
    answers[i].read(meta, UB_CONTROL_DATA(control));
    if ((flags & UDPBATCH_META_CAME_TO) != 0)
        flags |= UDPBATCH_META_LOCAL;
    meta->flags &= flags;
}

#else

int ub_meta_enable(udpbatch_socket fd, uint32_t flags)
{
    (void)fd;
    return flags == 0 ? 0 : -EOPNOTSUPP;
}

void ub_meta_read(struct udpbatch_meta *meta, uint32_t flags, const ub_control *control)
{
    (void)meta;
    (void)flags;
    (void)control;
}

#endif
