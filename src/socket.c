/* socket.c: what is asked of a descriptor besides sending and receiving. */
#include "internal.h"

#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>

int ub_socket_option(int fd, int level, int name, int otherwise)
{
    int value = 0;
    socklen_t len = sizeof value;
    return getsockopt(fd, level, name, &value, &len) == 0 ? value : otherwise;
}

/* 0 if fd is a UDP socket, otherwise what it is instead. */
int ub_socket_check(int fd)
{
    union udpbatch_addr own;
    socklen_t len = sizeof own;

    if (getsockname(fd, &own.sa, &len) < 0)
        return -errno;
    if (ub_socket_option(fd, SOL_SOCKET, SO_TYPE, 0) != SOCK_DGRAM)
        return -EPROTOTYPE;
    if (own.sa.sa_family != AF_INET && own.sa.sa_family != AF_INET6)
        return -EAFNOSUPPORT;
    return ub_socket_option(fd, SOL_SOCKET, UB_PROTOCOL, IPPROTO_UDP) == IPPROTO_UDP
               ? 0
               : -EPROTONOSUPPORT;
}

/* Whether the kernel knows of trains, and this is a socket for them. A message's segment size would
 * be ignored on another. */
bool ub_socket_has_trains(int fd)
{
    return ub_socket_option(fd, UB_SOL_UDP, UB_UDP_SEGMENT, -1) >= 0;
}

bool ub_socket_peer_is_in4(int fd)
{
    union udpbatch_addr peer;
    socklen_t len = sizeof peer;
    if (getpeername(fd, &peer.sa, &len) < 0 && getsockname(fd, &peer.sa, &len) < 0)
        return true;
    return ub_addr_is_in4(&peer);
}

/* The option is a structure of two ints, the clock and flags, and 0 and 0 where it is not set. That
 * is also CLOCK_REALTIME, for which there is no queue: fq has CLOCK_MONOTONIC, etf CLOCK_TAI. */
bool ub_socket_has_txtime(int fd)
{
    int value[2];
    socklen_t len = sizeof value;
    return getsockopt(fd, SOL_SOCKET, UB_TXTIME, value, &len) == 0 &&
           (value[0] != 0 || value[1] != 0);
}

/* That it sends from by itself; any if it is not bound to one. */
struct in_addr ub_socket_own_in4(int fd)
{
    union udpbatch_addr own = { 0 };
    struct in_addr address = { 0 };
    socklen_t len = sizeof own;
    unsigned char host[16];

    if (getsockname(fd, &own.sa, &len) == 0 && ub_addr_is_in4(&own)) {
        ub_addr_host(&own, host);
        memcpy(&address, host + 12, sizeof address);
    }
    /* A group is listened to; it sends from another. */
    return IN_MULTICAST(ntohl(address.s_addr)) ? (struct in_addr){ 0 } : address;
}

bool ub_socket_forbids_fragments(int fd)
{
    enum { NONE = -2 };
    int mode = ub_socket_option(fd, IPPROTO_IP, UB_MTU_DISCOVER, NONE);
    return mode == UB_PMTUDISC_DO || mode == UB_PMTUDISC_PROBE;
}

static bool has_error_queue(int fd)
{
    return ub_socket_option(fd, IPPROTO_IP, UB_IP_RECVERR, 0) != 0 ||
           ub_socket_option(fd, IPPROTO_IPV6, UB_IPV6_RECVERR, 0) != 0;
}

bool ub_socket_is_connected(int fd)
{
    union udpbatch_addr peer;
    socklen_t len = sizeof peer;
    return getpeername(fd, &peer.sa, &len) == 0;
}

bool ub_socket_hears_icmp(int fd)
{
    return ub_socket_is_connected(fd) || has_error_queue(fd);
}

/* Whether ENOBUFS is due to the payload's size and not to others in its way. Linux gives it to the
 * fragments that find more than twice the send buffer taken (__ip_append_data), though it be by
 * their own packet. Drops of a device it reports on a socket with an error queue only. */
bool ub_socket_never_takes(int fd, uint32_t bytes)
{
    const uint64_t buffer = (uint64_t)ub_socket_option(fd, SOL_SOCKET, SO_SNDBUF, INT32_MAX);
    int queued = 0;
    if (bytes > 2 * buffer)
        return true;
    return bytes > buffer / 2 && ioctl(fd, UB_OUTQ, &queued) == 0 && queued == 0 &&
           !has_error_queue(fd);
}

int ub_socket_wait(int fd, short events, int timeout_ms)
{
    struct pollfd wait = { .fd = fd, .events = events };
    int ready = poll(&wait, 1, timeout_ms);
    if (ready < 0)
        return -errno;
    if (ready == 0)
        return -ETIMEDOUT;
    return (wait.revents & POLLNVAL) != 0 ? -EBADF : wait.revents;
}

/* How many datagrams the socket has dropped, as of now. */
bool ub_socket_dropped(int fd, uint32_t *dropped)
{
    uint32_t info[UB_MEMINFO_DROPS + 1];
    socklen_t len = sizeof info;
    if (getsockopt(fd, SOL_SOCKET, UB_MEMINFO, info, &len) < 0 || len < sizeof info)
        return false;
    *dropped = info[UB_MEMINFO_DROPS];
    return true;
}
