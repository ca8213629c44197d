/* socket.c: what is asked of a descriptor besides sending and receiving. */
#include "internal.h"

#include <poll.h>

/* 0 if fd is a UDP socket, otherwise what it is instead. */
int ub_socket_check(int fd)
{
    union udpbatch_addr own;
    socklen_t len = sizeof own;
    int type = 0;
    socklen_t type_len = sizeof type;

    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_len) < 0)
        return -errno;
    if (type != SOCK_DGRAM)
        return -EPROTOTYPE;
    if (getsockname(fd, &own.sa, &len) < 0)
        return -errno;
    return own.sa.sa_family == AF_INET || own.sa.sa_family == AF_INET6 ? 0 : -EAFNOSUPPORT;
}

static bool is_set(int fd, int level, int option)
{
    int value = 0;
    socklen_t len = sizeof value;
    return getsockopt(fd, level, option, &value, &len) == 0 && value != 0;
}

bool ub_socket_hears_icmp(int fd)
{
    union udpbatch_addr peer;
    socklen_t len = sizeof peer;
    return getpeername(fd, &peer.sa, &len) == 0 || is_set(fd, IPPROTO_IP, UB_IP_RECVERR) ||
           is_set(fd, IPPROTO_IPV6, UB_IPV6_RECVERR);
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
