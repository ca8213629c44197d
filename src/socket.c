/* socket.c: what is asked of a descriptor besides sending and receiving. */
#include "internal.h"

#include <poll.h>
#include <sys/ioctl.h>

/* An option's value, or `otherwise` where there is no such option. */
static int option(int fd, int level, int name, int otherwise)
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
    if (option(fd, SOL_SOCKET, SO_TYPE, 0) != SOCK_DGRAM)
        return -EPROTOTYPE;
    if (own.sa.sa_family != AF_INET && own.sa.sa_family != AF_INET6)
        return -EAFNOSUPPORT;
    return option(fd, SOL_SOCKET, UB_PROTOCOL, IPPROTO_UDP) == IPPROTO_UDP ? 0 : -EPROTONOSUPPORT;
}

static bool has_error_queue(int fd)
{
    return option(fd, IPPROTO_IP, UB_IP_RECVERR, 0) != 0 ||
           option(fd, IPPROTO_IPV6, UB_IPV6_RECVERR, 0) != 0;
}

bool ub_socket_hears_icmp(int fd)
{
    union udpbatch_addr peer;
    socklen_t len = sizeof peer;
    return getpeername(fd, &peer.sa, &len) == 0 || has_error_queue(fd);
}

/* Whether ENOBUFS is due to the payload's size and not to others in its way. Linux gives it to the
 * fragments that find more than twice the send buffer taken (__ip_append_data), though it be by
 * their own packet; drops of a device it reports on a socket with an error queue only. */
bool ub_socket_never_takes(int fd, uint32_t bytes)
{
    int queued = 0;
    return bytes > (uint32_t)option(fd, SOL_SOCKET, SO_SNDBUF, INT32_MAX) / 2 &&
           ioctl(fd, UB_OUTQ, &queued) == 0 && queued == 0 && !has_error_queue(fd);
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
