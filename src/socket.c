/* socket.c: what is asked of a descriptor besides sending and receiving. */
#include "internal.h"

#include <string.h>

/* Winsock has char pointers where POSIX has void ones: `value` as a void pointer suits both. */
int ub_socket_get(udpbatch_socket fd, int level, int name, void *value, socklen_t *len)
{
    return getsockopt(fd, level, name, value, len) == 0 ? 0 : -ub_socket_error();
}

int ub_socket_set(udpbatch_socket fd, int level, int name, int value)
{
    const void *bytes = &value;
    return setsockopt(fd, level, name, bytes, sizeof value) == 0 ? 0 : -ub_socket_error();
}

int ub_socket_option(udpbatch_socket fd, int level, int name, int otherwise)
{
    int value = 0;
    socklen_t len = sizeof value;
    return ub_socket_get(fd, level, name, &value, &len) == 0 ? value : otherwise;
}

/* 0 if fd is a UDP socket, otherwise what it is instead. Who may not ask is believed. */
int ub_socket_check(udpbatch_socket fd)
{
    int family = ub_socket_family(fd);

    if (family < 0)
        return family;
    if (ub_socket_option(fd, SOL_SOCKET, SO_TYPE, SOCK_DGRAM) != SOCK_DGRAM)
        return -EPROTOTYPE;
    if (family != AF_INET && family != AF_INET6)
        return -EAFNOSUPPORT;
    return ub_socket_protocol(fd) == IPPROTO_UDP ? 0 : -EPROTONOSUPPORT;
}

/* Whether the kernel knows of trains, and this is a socket for them. A message's segment size would
 * be ignored on another. */
bool ub_socket_has_trains(udpbatch_socket fd)
{
    return ub_socket_option(fd, UB_SOL_UDP, UB_UDP_SEGMENT, -1) >= 0;
}

bool ub_socket_peer_is_in4(udpbatch_socket fd)
{
    union udpbatch_addr peer;
    socklen_t len = sizeof peer;
    if (getpeername(fd, &peer.sa, &len) < 0 && getsockname(fd, &peer.sa, &len) < 0)
        return true;
    return ub_addr_is_in4(&peer);
}

/* The option is a structure of two ints, the clock and flags, and 0 and 0 where it is not set. That
 * is also CLOCK_REALTIME, for which there is no queue: fq has CLOCK_MONOTONIC, etf CLOCK_TAI. */
bool ub_socket_has_txtime(udpbatch_socket fd)
{
    int value[2];
    socklen_t len = sizeof value;
    return ub_socket_get(fd, SOL_SOCKET, UB_TXTIME, value, &len) == 0 &&
           (value[0] != 0 || value[1] != 0);
}

/* That it sends from by itself; any if it is not bound to one. */
struct in_addr ub_socket_own_in4(udpbatch_socket fd)
{
    union udpbatch_addr own = { 0 };
    struct in_addr address = { 0 };
    socklen_t len = sizeof own;
    unsigned char host[16];

    if (getsockname(fd, &own.sa, &len) == 0 && ub_addr_is_in4(&own)) {
        ub_addr_host(&own, host);
        memcpy(&address, host + 12, sizeof address);
    }
    /* A group (224.0.0.0/4) is listened to; it sends from another. */
    if (ntohl(address.s_addr) >> 28 == 14)
        address.s_addr = 0;
    return address;
}

bool ub_socket_forbids_fragments(udpbatch_socket fd)
{
    enum { NONE = -2 };
    int mode = ub_socket_option(fd, IPPROTO_IP, UB_MTU_DISCOVER, NONE);
    return mode == UB_PMTUDISC_DO || mode == UB_PMTUDISC_PROBE;
}

static bool has_error_queue(udpbatch_socket fd)
{
    return ub_socket_option(fd, IPPROTO_IP, UB_IP_RECVERR, 0) != 0 ||
           ub_socket_option(fd, IPPROTO_IPV6, UB_IPV6_RECVERR, 0) != 0;
}

bool ub_socket_is_connected(udpbatch_socket fd)
{
    union udpbatch_addr peer;
    socklen_t len = sizeof peer;
    return getpeername(fd, &peer.sa, &len) == 0;
}

bool ub_socket_hears_icmp(udpbatch_socket fd)
{
    return UB_ALL_HEAR_ICMP || ub_socket_is_connected(fd) || has_error_queue(fd);
}

/* Whether ENOBUFS is due to the payload's size and not to others in its way. Linux gives it to the
 * fragments that find more than twice the send buffer taken (__ip_append_data), though it be by
 * their own packet. Drops of a device it reports on a socket with an error queue only. */
bool ub_socket_never_takes(udpbatch_socket fd, uint32_t bytes)
{
    const uint64_t buffer = (uint64_t)ub_socket_option(fd, SOL_SOCKET, SO_SNDBUF, INT32_MAX);
    if (bytes > 2 * buffer)
        return true;
    return bytes > buffer / 2 && ub_socket_queued(fd) == 0 && !has_error_queue(fd);
}

int ub_socket_wait(udpbatch_socket fd, short events, int timeout_ms)
{
    struct pollfd wait = { .fd = fd, .events = events };
    int ready = ub_socket_poll(&wait, timeout_ms);
    if (ready < 0)
        return -ub_socket_error();
    if (ready == 0)
        return -ETIMEDOUT;
    return (wait.revents & POLLNVAL) != 0 ? -EBADF : wait.revents;
}

/* How many datagrams the socket has dropped, as of now. */
bool ub_socket_dropped(udpbatch_socket fd, uint32_t *dropped)
{
    uint32_t info[UB_MEMINFO_DROPS + 1];
    socklen_t len = sizeof info;
    if (ub_socket_get(fd, SOL_SOCKET, UB_MEMINFO, info, &len) < 0 || len != sizeof info)
        return false;
    *dropped = info[UB_MEMINFO_DROPS];
    return true;
}
