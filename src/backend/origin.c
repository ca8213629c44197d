/* origin.c: what a UDP socket gives to all that it sends. */
#include "origin.h"

#if UB_HAVE_XDP

#include <linux/net_tstamp.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int number(int fd, int level, int name)
{
    return ub_socket_option(fd, level, name, 0);
}

/* A group is listened to; what packets come from then, the socket does not tell. */
static void take_in4_address(struct ub_origin *origin, const unsigned char *address)
{
    memset(origin->in4.address, 0, sizeof origin->in4.address);
    memcpy(origin->in4.address, address, 4);
    origin->in4.has_address = !ub_addr_is_zero(address, 4);
    origin->in4.sends = (address[0] & 0xf0) != 0xe0;
}

static void take_in6_address(struct ub_origin *origin, const unsigned char *address)
{
    memcpy(origin->in6.address, address, 16);
    origin->in6.has_address = !ub_addr_is_zero(address, 16);
    origin->in6.sends = address[0] != 0xff;
}

/* A socket of IPv6 that is bound to an address is one of that address's family alone. */
static void take_in6_name(struct ub_origin *origin, const struct sockaddr_in6 *name)
{
    static const unsigned char any[4];
    const unsigned char *address = name->sin6_addr.s6_addr;

    if (IN6_IS_ADDR_V4MAPPED(&name->sin6_addr)) {
        take_in4_address(origin, address + 12);
        return;
    }
    take_in6_address(origin, address);
    if (!origin->in6.has_address && !origin->only_in6)
        take_in4_address(origin, any);
}

/* A descriptor that is no socket any more sends nothing; the socket's way will say so. */
void ub_origin_read_name(struct ub_origin *origin, int fd)
{
    union udpbatch_addr own = { 0 };
    socklen_t len = sizeof own;

    origin->in4.sends = origin->in6.sends = false;
    origin->port = 0;
    if (getsockname(fd, &own.sa, &len) < 0)
        return;
    origin->is_in4 = own.sa.sa_family == AF_INET;
    origin->port = own.in4.sin_port; /* at the same place in both families */
    if (own.sa.sa_family == AF_INET)
        take_in4_address(origin, (const unsigned char *)&own.in4.sin_addr);
    else if (own.sa.sa_family == AF_INET6)
        take_in6_name(origin, &own.in6);
}

/* Whether the kernel sets the DF bit of what fits the path (ip(7), IP_MTU_DISCOVER). */
static bool forbids_fragments(int fd)
{
    int mode = number(fd, IPPROTO_IP, IP_MTU_DISCOVER);
    return mode == IP_PMTUDISC_WANT || mode == IP_PMTUDISC_DO || mode == IP_PMTUDISC_PROBE;
}

struct socket_option {
    int level, name;
};

static bool is_any_set(int fd, const struct socket_option *settings, size_t n)
{
    unsigned char value[256];

    for (size_t i = 0; i < n; i++) {
        socklen_t len = sizeof value;
        memset(value, 0, sizeof value);
        if (getsockopt(fd, settings[i].level, settings[i].name, value, &len) == 0 && len > 0 &&
            (len > sizeof(int) || !ub_addr_is_zero(value, len)))
            return true;
    }
    return false;
}

/* Among addresses of IPv6 that the kernel may choose from (RFC 5014); its answer to a question for
 * a route does not know of that. */
static bool prefers_addresses(int fd)
{
    enum { ADDR_PREFERENCES = 72, TEMPORARY = 1, PUBLIC = 2, CARE_OF = 4 }; /* of linux/in6.h */
    return (number(fd, IPPROTO_IPV6, ADDR_PREFERENCES) & (TEMPORARY | PUBLIC | CARE_OF)) != 0;
}

/* Of frames past the stack nobody notes when they left. */
static bool stamps_departures(int fd)
{
    const int on_sending =
        SOF_TIMESTAMPING_TX_HARDWARE | SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_TX_SCHED;
    return (number(fd, SOL_SOCKET, SO_TIMESTAMPING) & on_sending) != 0;
}

/* Whether the socket is set to what only the stack does: options of IP, which a frame here has none
 * of, a choice among routes that cannot be asked for, or packets put together or cut. What has the
 * descriptor's number by now may also be no UDP socket: then the stack has to say so. */
static bool needs_the_stack(const struct ub_origin *origin, int fd)
{
    static const struct socket_option both[] = { { SOL_SOCKET, SO_DONTROUTE },
                                                 { UB_SOL_UDP, UDP_CORK },
                                                 { UB_SOL_UDP, UB_UDP_SEGMENT } };
    static const struct socket_option in4[] = { { IPPROTO_IP, IP_OPTIONS },
                                                { IPPROTO_IP, IP_UNICAST_IF } };
    static const struct socket_option in6[] = {
        { IPPROTO_IPV6, IPV6_HOPOPTS },    { IPPROTO_IPV6, IPV6_RTHDRDSTOPTS },
        { IPPROTO_IPV6, IPV6_RTHDR },      { IPPROTO_IPV6, IPV6_DSTOPTS },
        { IPPROTO_IPV6, IPV6_UNICAST_IF },
    };

    return ub_socket_check(fd) < 0 || is_any_set(fd, both, sizeof both / sizeof both[0]) ||
           stamps_departures(fd) || (origin->in6.sends && prefers_addresses(fd)) ||
           (origin->in4.sends && is_any_set(fd, in4, sizeof in4 / sizeof in4[0])) ||
           (origin->in6.sends && is_any_set(fd, in6, sizeof in6 / sizeof in6[0]));
}

/* Who made the socket, by which the kernel routes (ip-rule(8), uidrange). */
static uint32_t owner_of(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 ? status.st_uid : geteuid();
}

void ub_origin_read(struct ub_origin *origin, int fd)
{
    memset(origin, 0, sizeof *origin);
    origin->only_in6 = number(fd, IPPROTO_IPV6, IPV6_V6ONLY) != 0;
    ub_origin_read_name(origin, fd);
    origin->needs_the_stack = needs_the_stack(origin, fd);
    origin->is_connected = ub_socket_is_connected(fd);
    origin->owner = owner_of(fd);
    origin->mark = (uint32_t)number(fd, SOL_SOCKET, SO_MARK);
    origin->interface_index = (uint32_t)number(fd, SOL_SOCKET, SO_BINDTOIFINDEX);
    if (origin->in4.sends) {
        origin->in4.tos = (uint8_t)number(fd, IPPROTO_IP, IP_TOS);
        origin->in4.ttl = (uint8_t)number(fd, IPPROTO_IP, IP_TTL);
        origin->forbids_fragments = forbids_fragments(fd);
    }
    if (origin->in6.sends) {
        origin->in6.tos = (uint8_t)number(fd, IPPROTO_IPV6, IPV6_TCLASS);
        origin->in6.ttl = (uint8_t)number(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS);
    }
}

#endif
