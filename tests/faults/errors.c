/* errors.c: every error that sending can give, by send(2), sendmmsg(2), ip(7), udp(7), packet
 * filters, devices and what ICMP is turned into (icmp_err_convert of net/ipv4/icmp.c, tab_unreach
 * of net/ipv6/icmp.c); some that it cannot; and one that nobody knows. */
#include "errors.h"

#include <errno.h>
#include <string.h>

enum { UNKNOWN_ERROR = 3999 }; /* the kernel's are below 4096 */

/* clang-format off */
#define ERROR(name, meaning) { #name, name, ACT_ERROR, UDPBATCH_##meaning }
/* clang-format on */

const struct what WHATS[] = {
    /* Nobody's. */
    ERROR(EAGAIN, BUSY),
    ERROR(ENOBUFS, BUSY),
    ERROR(ENOMEM, BUSY),
    ERROR(EBUSY, BUSY),
    ERROR(EINTR, BUSY),
    /* The socket's. */
    ERROR(EBADF, SOCKET),
    ERROR(ENOTSOCK, SOCKET),
    ERROR(EPIPE, SOCKET),
    ERROR(EDESTADDRREQ, SOCKET),
    ERROR(ENOTCONN, SOCKET),
    /* A target's. */
    ERROR(EACCES, TARGET),
    ERROR(EADDRNOTAVAIL, TARGET),
    ERROR(EAFNOSUPPORT, TARGET),
    ERROR(ECONNREFUSED, TARGET),
    ERROR(EHOSTDOWN, TARGET),
    ERROR(EHOSTUNREACH, TARGET),
    ERROR(EINVAL, TARGET),
    ERROR(EISCONN, TARGET),
    ERROR(ENETDOWN, TARGET),
    ERROR(ENETUNREACH, TARGET),
    ERROR(ENONET, TARGET),
    ERROR(ENOPROTOOPT, TARGET),
    ERROR(EPERM, TARGET),
    ERROR(EPROTO, TARGET),
    /* A packet's, as all others. */
    ERROR(EMSGSIZE, PACKET),
    ERROR(EFAULT, PACKET),
    ERROR(EIO, PACKET),
    ERROR(EOPNOTSUPP, PACKET),
    ERROR(ECONNABORTED, PACKET),
    ERROR(ECONNRESET, PACKET),
    ERROR(EALREADY, PACKET),
    ERROR(ENETRESET, PACKET),
    ERROR(ENODEV, PACKET),
    ERROR(ENXIO, PACKET),
    ERROR(ENOSYS, PACKET),
    ERROR(ENOENT, PACKET),
    ERROR(EOVERFLOW, PACKET),
    ERROR(ENOSPC, PACKET),
    ERROR(ETIMEDOUT, PACKET),
    ERROR(ECANCELED, PACKET),
    ERROR(EDQUOT, PACKET),
    ERROR(ENOKEY, PACKET),
    { "error 3999", UNKNOWN_ERROR, ACT_ERROR, UDPBATCH_PACKET },
    /* And no errors. */
    { "short count", 0, ACT_SHORT, UDPBATCH_NO_ERROR },
    { "count 0", 0, ACT_NOTHING, UDPBATCH_NO_ERROR },
    { "filter: ENOSYS", ENOSYS, ACT_NO_MMSG, UDPBATCH_NO_ERROR },
    { "filter: EPERM", EPERM, ACT_NO_MMSG, UDPBATCH_NO_ERROR },
    /* What another thread does meanwhile. */
    { "fd closed", EBADF, ACT_CLOSE, UDPBATCH_SOCKET },
    { "fd a pipe", ENOTSOCK, ACT_REPLACE, UDPBATCH_SOCKET },
    { "fd another", 0, ACT_REPLACE, UDPBATCH_NO_ERROR },
    { "fork", 0, ACT_FORK, UDPBATCH_NO_ERROR },
    { "several", 0, ACT_SEVERAL, UDPBATCH_NO_ERROR },
};

const size_t WHAT_COUNT = sizeof WHATS / sizeof WHATS[0];
const size_t WHAT_SEVERAL = sizeof WHATS / sizeof WHATS[0] - 1;

const struct what *find_what(const char *name)
{
    for (size_t i = 0; i < WHAT_COUNT; i++)
        if (strcmp(WHATS[i].name, name) == 0)
            return &WHATS[i];
    return NULL;
}

enum udpbatch_meaning meaning_of(int error)
{
    if (error == 0)
        return UDPBATCH_NO_ERROR;
    for (size_t i = 0; i < WHAT_COUNT; i++)
        if (WHATS[i].error == error && WHATS[i].act == ACT_ERROR)
            return WHATS[i].meaning;
    return UDPBATCH_PACKET;
}
