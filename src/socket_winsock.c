/* socket_winsock.c: what POSIX and Winsock do each in their own way, by Winsock. */
#include "internal.h"

#if UB_HAVE_WINSOCK

/* Of those that a datagram socket can give, what POSIX calls the same; where it has another name
 * for the same trouble, that: what ICMP brings is WSAECONNRESET (port unreachable) and WSAENETRESET
 * (time to live expired), and the C library has no EHOSTDOWN and no ESHUTDOWN. */
static const struct {
    int winsock;
    int posix;
} errors[] = {
    { WSAEWOULDBLOCK, EAGAIN },
    { WSAETIMEDOUT, EAGAIN }, /* of SO_RCVTIMEO and SO_SNDTIMEO */
    { WSAEINTR, EINTR },
    { WSAENOBUFS, ENOBUFS },
    { WSA_NOT_ENOUGH_MEMORY, ENOMEM },
    { WSAEMSGSIZE, EMSGSIZE },
    { WSAEFAULT, EFAULT },
    { WSAEINVAL, EINVAL },
    { WSAEACCES, EACCES },
    { WSAEADDRNOTAVAIL, EADDRNOTAVAIL },
    { WSAEADDRINUSE, EADDRINUSE },
    { WSAEAFNOSUPPORT, EAFNOSUPPORT },
    { WSAEOPNOTSUPP, EOPNOTSUPP },
    { WSAENOPROTOOPT, ENOPROTOOPT },
    { WSAEPROTONOSUPPORT, EPROTONOSUPPORT },
    { WSAEPROTOTYPE, EPROTOTYPE },
    { WSAECONNREFUSED, ECONNREFUSED },
    { WSAECONNRESET, ECONNREFUSED },
    { WSAECONNABORTED, ECONNABORTED },
    { WSAENETDOWN, ENETDOWN },
    { WSAENETUNREACH, ENETUNREACH },
    { WSAENETRESET, EHOSTUNREACH },
    { WSAEHOSTUNREACH, EHOSTUNREACH },
    { WSAEHOSTDOWN, EHOSTUNREACH },
    { WSAEISCONN, EISCONN },
    { WSAENOTCONN, ENOTCONN },
    { WSAEDESTADDRREQ, EDESTADDRREQ },
    { WSAESHUTDOWN, EPIPE },
    { WSAEBADF, EBADF },
    { WSA_INVALID_HANDLE, EBADF },
    { WSA_OPERATION_ABORTED, EBADF }, /* closed by another thread meanwhile */
    { WSAENOTSOCK, ENOTSOCK },
    { WSANOTINITIALISED, ENOTSOCK },
    { WSAEMFILE, EMFILE },
};

int ub_socket_error(void)
{
    int error = WSAGetLastError();
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
        if (errors[i].winsock == error)
            return errors[i].posix;
    return EIO;
}

static int get_protocol_info(udpbatch_socket fd, WSAPROTOCOL_INFOW *info)
{
    socklen_t len = sizeof *info;
    return ub_socket_get(fd, SOL_SOCKET, SO_PROTOCOL_INFOW, info, &len);
}

/* A socket that is not bound yet has no name to tell it by. */
int ub_socket_family(udpbatch_socket fd)
{
    WSAPROTOCOL_INFOW info = { 0 };
    int error = get_protocol_info(fd, &info);
    return error < 0 ? error : info.iAddressFamily;
}

int ub_socket_protocol(udpbatch_socket fd)
{
    WSAPROTOCOL_INFOW info = { 0 };
    return get_protocol_info(fd, &info) == 0 ? info.iProtocol : IPPROTO_UDP;
}

int ub_socket_poll(struct pollfd *wait, int timeout_ms)
{
    return WSAPoll(wait, 1, timeout_ms);
}

int ub_socket_queued(udpbatch_socket fd)
{
    (void)fd;
    return -1;
}

long ub_process(void)
{
    return 0;
}

#endif
