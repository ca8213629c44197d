/* meta_asked.c: control messages of a send, beside the meta that they were made of. */
#include "meta_asked.h"

#include <string.h>
#include <time.h>

bool says(const struct udpbatch_meta *meta, uint32_t flags)
{
    return (meta->flags & flags) != 0;
}

bool is_mapped(const union udpbatch_addr *addr)
{
    static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
    return addr->sa.sa_family == AF_INET6 && memcmp(&addr->in6.sin6_addr, mapped, 12) == 0;
}

static void read_value(const struct cmsghdr *message, void *value, size_t size)
{
    require(message->cmsg_len == CMSG_LEN(size));
    memcpy(value, CMSG_DATA(message), size);
}

static void read_of_ip(struct asked *asked, const struct cmsghdr *message, bool is_in4)
{
    const bool is_origin = message->cmsg_type == (is_in4 ? IP_PKTINFO : IPV6_PKTINFO);

    require(message->cmsg_level == (is_in4 ? IPPROTO_IP : IPPROTO_IPV6));
    if (is_origin && is_in4) {
        read_value(message, &asked->in4, sizeof asked->in4);
    } else if (is_origin) {
        read_value(message, &asked->in6, sizeof asked->in6);
    } else if (message->cmsg_type == (is_in4 ? IP_TOS : IPV6_TCLASS)) {
        read_value(message, &asked->tos_value, sizeof asked->tos_value);
        asked->tos++;
    } else if (message->cmsg_type == (is_in4 ? IP_TTL : IPV6_HOPLIMIT)) {
        read_value(message, &asked->ttl_value, sizeof asked->ttl_value);
        asked->ttl++;
    } else {
        require(!is_in4 && message->cmsg_type == IPV6_DONTFRAG);
        read_value(message, &asked->dont_fragment_value, sizeof asked->dont_fragment_value);
        asked->dont_fragment++;
    }
    asked->origins += is_origin;
}

struct asked read_control(unsigned char *control, size_t len, bool is_in4)
{
    struct msghdr whole = { .msg_control = len > 0 ? control : NULL };
    struct asked asked = { 0 };

    whole.msg_controllen = (uint16_t)len;
    for (struct cmsghdr *message = CMSG_FIRSTHDR(&whole); message != NULL;
         message = CMSG_NXTHDR(&whole, message)) {
        if (message->cmsg_level == SOL_SOCKET && message->cmsg_type == SCM_TXTIME) {
            read_value(message, &asked.time_ns, sizeof asked.time_ns);
            asked.departures++;
        } else {
            read_of_ip(&asked, message, is_in4);
        }
    }
    return asked;
}

static void check_in4_origin(const struct asked *asked, const struct udpbatch_meta *meta,
                             const struct ub_facts *facts)
{
    const unsigned char *local = is_mapped(&meta->local)
                                     ? meta->local.in6.sin6_addr.s6_addr + 12
                                     : (const unsigned char *)&meta->local.in4.sin_addr;
    const void *address = says(meta, UDPBATCH_META_LOCAL) ? (const void *)local : &facts->own;
    const uint32_t index = says(meta, UDPBATCH_META_INTERFACE) ? meta->interface_index : 0;

    require(memcmp(&asked->in4.ipi_spec_dst, address, 4) == 0 && asked->in4.ipi_addr.s_addr == 0);
    require((uint32_t)asked->in4.ipi_ifindex == index);
}

/* A link-local address is none without its link. */
static void check_in6_origin(const struct asked *asked, const struct udpbatch_meta *meta)
{
    static const struct in6_addr any;
    const bool has_local = says(meta, UDPBATCH_META_LOCAL);
    const struct in6_addr *address = has_local ? &meta->local.in6.sin6_addr : &any;
    const bool is_of_link = address->s6_addr[0] == 0xfe && (address->s6_addr[1] & 0xc0) == 0x80;
    const uint32_t scope = has_local && is_of_link ? meta->local.in6.sin6_scope_id : 0;

    require(memcmp(&asked->in6.ipi6_addr, address, 16) == 0);
    require(asked->in6.ipi6_ifindex ==
            (says(meta, UDPBATCH_META_INTERFACE) ? meta->interface_index : scope));
}

void check_asked(const struct asked *asked, const struct udpbatch_meta *meta, bool is_in4,
                 const struct ub_facts *facts)
{
    require(asked->origins == says(meta, UDPBATCH_META_LOCAL | UDPBATCH_META_INTERFACE));
    require(asked->tos == says(meta, UDPBATCH_META_TOS));
    require(asked->tos == 0 || asked->tos_value == meta->tos);
    require(asked->ttl == says(meta, UDPBATCH_META_TTL));
    require(asked->ttl == 0 || asked->ttl_value == meta->ttl);
    require(asked->departures == says(meta, UDPBATCH_META_DEPARTURE));
    require(asked->departures == 0 || asked->time_ns == meta->time_ns);
    require(asked->dont_fragment == (!is_in4 && says(meta, UDPBATCH_META_DONT_FRAGMENT)));
    require(asked->dont_fragment == 0 || asked->dont_fragment_value == 1);
    if (asked->origins > 0 && is_in4)
        check_in4_origin(asked, meta, facts);
    else if (asked->origins > 0)
        check_in6_origin(asked, meta);
}
