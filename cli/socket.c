/* socket.c: the sockets that are sent from and listened on. */
#include "socket.h"

#include "address.h"

/* Linux alone lets root exceed the limit of net.core.rmem_max, and gives twice what was asked for,
 * half of it for its own use (socket(7)). */
#ifdef SO_RCVBUFFORCE
enum { BUFFER_FORCE = SO_RCVBUFFORCE, BUFFER_SHARE = 2 };
#else
enum { BUFFER_FORCE = SO_RCVBUF, BUFFER_SHARE = 1 };
#endif

static bool switch_option(udpbatch_socket fd, int level, int option, int value)
{
    const void *bytes = &value; /* which Winsock calls char */
    return setsockopt(fd, level, option, bytes, sizeof value) == 0;
}

/* Gives the reason from the call that failed. */
static udpbatch_socket fail(udpbatch_socket fd, struct reason *reason, const char *what)
{
    reason_give(reason, "%s: %s", what, words_of_error(socket_error()));
    if (fd != NO_SOCKET)
        socket_close(fd);
    return NO_SOCKET;
}

udpbatch_socket socket_open_sending(int family, bool broadcast, struct reason *reason)
{
    udpbatch_socket fd = socket_open_udp(family);
    if (fd == NO_SOCKET)
        return fail(fd, reason, "cannot open a socket");
    if (family == AF_INET6 && !switch_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0))
        return fail(fd, reason, "cannot send to IPv4 and IPv6 by one socket");
    if (broadcast && !switch_option(fd, SOL_SOCKET, SO_BROADCAST, 1))
        return fail(fd, reason, "cannot broadcast");
    return fd;
}

static bool bind_to(udpbatch_socket fd, union udpbatch_addr *address, bool dual)
{
    socklen_t len = sizeof *address;
    if (dual && address->sa.sa_family == AF_INET6 &&
        !switch_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0))
        return false;
    return bind(fd, &address->sa, address_len(address)) == 0 &&
           getsockname(fd, &address->sa, &len) == 0;
}

/* Where there is no IPv6, all addresses are all of IPv4. */
static void fall_back_to_in4(union udpbatch_addr *address)
{
    *address = (union udpbatch_addr){ .in4 = { .sin_family = AF_INET,
                                               .sin_port = address->in6.sin6_port } };
}

udpbatch_socket socket_open_listening(union udpbatch_addr *address, bool dual,
                                      struct reason *reason)
{
    char text[ADDRESS_TEXT];
    udpbatch_socket fd = socket_open_udp(address->sa.sa_family);

    if (fd == NO_SOCKET && dual && socket_error() == EAFNOSUPPORT) {
        fall_back_to_in4(address);
        fd = socket_open_udp(AF_INET);
    }
    if (fd == NO_SOCKET)
        return fail(fd, reason, "cannot open a socket");
    if (bind_to(fd, address, dual))
        return fd;
    const int error = socket_error();
    reason_give(reason, "cannot listen on %s: %s", address_write(address, text),
                words_of_error(error));
    socket_close(fd);
    return NO_SOCKET;
}

size_t socket_set_buffer(udpbatch_socket fd, size_t size)
{
    int granted = 0;
    void *bytes = &granted;
    socklen_t len = sizeof granted;
    if (!switch_option(fd, SOL_SOCKET, BUFFER_FORCE, (int)size))
        switch_option(fd, SOL_SOCKET, SO_RCVBUF, (int)size);
    getsockopt(fd, SOL_SOCKET, SO_RCVBUF, bytes, &len);
    return (size_t)granted / BUFFER_SHARE;
}
