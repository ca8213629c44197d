/* socket_posix.c: UDP sockets, and the interfaces that they send by (POSIX). */
#include "system.h"

#ifndef _WIN32

#include <fcntl.h>
#include <poll.h>

udpbatch_socket socket_open_udp(int family)
{
    int fd = socket(family, SOCK_DGRAM, IPPROTO_UDP);
    if (fd < 0)
        return NO_SOCKET;
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

void socket_close(udpbatch_socket fd)
{
    close(fd);
}

int socket_error(void)
{
    return errno;
}

bool socket_wait(udpbatch_socket fd, int timeout_ms)
{
    struct pollfd arrival = { .fd = fd, .events = POLLIN };
    return poll(&arrival, 1, timeout_ms) > 0;
}

ssize_t socket_receive(udpbatch_socket fd, void *bytes, size_t size)
{
    return recv(fd, bytes, size, 0);
}

unsigned interface_find(const char *name)
{
    return if_nametoindex(name);
}

#endif
