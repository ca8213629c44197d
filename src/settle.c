/* settle.c: what an errno means, and how it becomes the status of packets. Pure. */
#include "internal.h"

#include <limits.h>

/* The busy that poll(2) knows the end of; for the others time has to pass. */
bool ub_settle_has_event(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK;
}

enum udpbatch_meaning udpbatch_error_meaning(int error)
{
    if (error < 0)
        error = error != INT_MIN ? -error : INT_MAX;
    if (ub_settle_has_event(error))
        return UDPBATCH_BUSY;
    switch (error) {
    case 0:
        return UDPBATCH_NO_ERROR;
    case EBUSY: /* the sender's own rate */
    case ENOBUFS:
    case ENOMEM:
    case EINTR:
        return UDPBATCH_BUSY;
    case EBADF:
    case ENOTSOCK:
    case EPIPE:
    case EDESTADDRREQ:
    case ENOTCONN:
        return UDPBATCH_SOCKET;
    case EACCES:
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
    case ECONNREFUSED:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case EISCONN: /* an address on a connected socket, on systems that do not take it */
    case EINVAL:  /* port 0, or a scope id that fits no interface */
    case ENETDOWN:
    case ENETUNREACH:
    case ENONET:
    case ENOPROTOOPT:
    case EPERM: /* a packet filter's drop */
    case EPROTO:
        return UDPBATCH_TARGET;
    default:
        return UDPBATCH_PACKET;
    }
}

enum ub_verdict ub_settle_error(int error)
{
    if (error == EINTR)
        return UB_ASK_AGAIN;
    if (error == EDESTADDRREQ || error == ENOTCONN)
        return UB_NO_PEER;
    switch (udpbatch_error_meaning(error)) {
    case UDPBATCH_BUSY:
        return UB_STOP;
    case UDPBATCH_SOCKET:
        return UB_DEAD;
    default:
        return UB_REFUSE;
    }
}

static bool is_among(int error, const int *errors, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (error == errors[i])
            return true;
    return false;
}

/* Whether an error may have been left for the next send to meet: what ICMP brings, by the tables
 * icmp_err_convert and tab_unreach of Linux (net/ipv4/icmp.c, net/ipv6/icmp.c), and the end of a
 * socket's connection by its administrator (udp_abort). Some of them no UDP send gives by itself,
 * so that they are pending whatever the socket looks like now. */
enum ub_pending ub_settle_pending(int error)
{
    static const int always[] = { ECONNABORTED, ECONNREFUSED, EHOSTDOWN, ENONET, EPROTO };
    static const int perhaps[] = { EACCES,      EHOSTUNREACH, EMSGSIZE,
                                   ENETUNREACH, ENOPROTOOPT,  EOPNOTSUPP };

    if (is_among(error, always, sizeof always / sizeof always[0]))
        return UB_PENDING;
    if (is_among(error, perhaps, sizeof perhaps / sizeof perhaps[0]))
        return UB_MAY_BE_PENDING;
    return UB_ITS_OWN;
}

/* Whether an error is about the address alone, so that all packets of a train would meet it. */
bool ub_settle_is_of_address(int error)
{
    static const int errors[] = { EACCES, EADDRNOTAVAIL, EAFNOSUPPORT, EHOSTUNREACH, ENETUNREACH };
    return is_among(error, errors, sizeof errors / sizeof errors[0]);
}

void ub_settle_train(const struct ub_plan *plan, const struct ub_train *train,
                     struct udpbatch_packet *packets)
{
    size_t offset = train->first;
    for (uint32_t i = 0; i < train->count; i++, offset = ub_train_next(plan, train, offset)) {
        struct udpbatch_packet *packet = &packets[plan->from + offset];
        assert(packet->status == 0);
        packet->status = train->error != 0 ? -train->error : 1;
    }
}

/* Refuses the packets that are still to be sent: all, or those without an address. Returns how
 * many these were. */
size_t ub_settle_rest(struct udpbatch_packet *packets, size_t n, int error, bool without_address)
{
    size_t refused = 0;
    for (size_t i = 0; i < n; i++) {
        if (packets[i].status == 0 && (packets[i].to == NULL || !without_address)) {
            packets[i].status = -error;
            refused++;
        }
    }
    return refused;
}

struct udpbatch_tally ub_settle_tally(const struct udpbatch_packet *packets, size_t n,
                                      int unsent_error)
{
    struct udpbatch_tally tally = { .first_refused = n };
    for (size_t i = 0; i < n; i++) {
        if (packets[i].status == 0)
            tally.unsent++;
        else if (packets[i].status > 0)
            tally.sent++;
        else if (tally.refused++ == 0) {
            tally.first_refused = i;
            tally.first_error = -packets[i].status;
        }
    }
    tally.unsent_error = tally.unsent > 0 ? unsent_error : 0;
    return tally;
}
