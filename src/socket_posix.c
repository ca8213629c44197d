/* socket_posix.c: what POSIX and Winsock do each in their own way, by POSIX. */
#include "internal.h"

#if !UB_HAVE_WINSOCK

#include <sys/ioctl.h>
#include <unistd.h>

int ub_socket_error(void)
{
    return errno;
}

int ub_socket_family(udpbatch_socket fd)
{
    union udpbatch_addr own = { 0 };
    socklen_t len = sizeof own;
    return getsockname(fd, &own.sa, &len) == 0 ? own.sa.sa_family : -errno;
}

int ub_socket_protocol(udpbatch_socket fd)
{
    return ub_socket_option(fd, SOL_SOCKET, UB_PROTOCOL, IPPROTO_UDP);
}

int ub_socket_poll(struct pollfd *wait, int timeout_ms)
{
    return poll(wait, 1, timeout_ms);
}

int ub_socket_queued(udpbatch_socket fd)
{
    int queued = 0;
    return UB_OUTQ != 0 && ioctl(fd, UB_OUTQ, &queued) == 0 ? queued : -1;
}

long ub_process(void)
{
    return getpid();
}

#endif
