/* socket_windows.c: UDP sockets, and the interfaces that they send by (Winsock). */
#include "system.h"

#ifdef _WIN32

#include <iphlpapi.h>

udpbatch_socket socket_open_udp(int family)
{
    const SOCKET fd =
        WSASocketW(family, SOCK_DGRAM, IPPROTO_UDP, NULL, 0, WSA_FLAG_NO_HANDLE_INHERIT);
    u_long does_not_block = 1;

    if (fd != INVALID_SOCKET)
        ioctlsocket(fd, (long)FIONBIO, &does_not_block);
    return fd;
}

void socket_close(udpbatch_socket fd)
{
    closesocket(fd);
}

/* As the library has them, which gives no way to ask for it. */
static const struct {
    int of_winsock, error;
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

int socket_error(void)
{
    const int error = WSAGetLastError();
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
        if (errors[i].of_winsock == error)
            return errors[i].error;
    return EIO;
}

bool socket_wait(udpbatch_socket fd, int timeout_ms)
{
    WSAPOLLFD arrival = { .fd = fd, .events = POLLRDNORM };
    return WSAPoll(&arrival, 1, timeout_ms) > 0;
}

/* Winsock calls it an error if the datagram is longer, and has received it nevertheless. */
ssize_t socket_receive(udpbatch_socket fd, void *bytes, size_t size)
{
    const int len = recv(fd, bytes, (int)size, 0);
    return len < 0 && WSAGetLastError() == WSAEMSGSIZE ? (ssize_t)size : len;
}

/* As people see them: "Ethernet", "Wi-Fi". */
unsigned interface_find(const char *name)
{
    WCHAR alias[IF_MAX_STRING_SIZE + 1];
    NET_LUID luid;
    NET_IFINDEX index;

    if (MultiByteToWideChar(CP_ACP, 0, name, -1, alias, IF_MAX_STRING_SIZE + 1) > 0 &&
        ConvertInterfaceAliasToLuid(alias, &luid) == NO_ERROR &&
        ConvertInterfaceLuidToIndex(&luid, &index) == NO_ERROR)
        return index;
    errno = ENODEV;
    return 0;
}

#endif
