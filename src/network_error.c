/* network_error.c: what the network reported about datagrams sent before, from the socket's queue
 * of errors (IP_RECVERR of ip(7)). */
#include "internal.h"

#if UB_HAVE_ERROR_QUEUE

#include <string.h>
#include <time.h> /* struct timespec for the next */

#include <linux/errqueue.h>

/* The report, and beside it what the socket may tell of the datagram that brought it. */
enum { REPORT_CONTROL = 512 };

/* As the kernel lays it out: the reporter's address follows (SO_EE_OFFENDER). */
struct report {
    struct sock_extended_err error;
    union udpbatch_addr offender;
};

static bool is_report(const struct cmsghdr *control)
{
    return (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_RECVERR) ||
           (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_RECVERR);
}

/* An error queue also has what was asked about datagrams sent well: times, ends of zero copy. */
static bool is_network_error(const struct sock_extended_err *error)
{
    return error->ee_origin == SO_EE_ORIGIN_ICMP || error->ee_origin == SO_EE_ORIGIN_ICMP6 ||
           error->ee_origin == SO_EE_ORIGIN_LOCAL;
}

/* The address that a report names, without a port; of family 0 if it names none. */
static union udpbatch_addr host_of(const union udpbatch_addr *addr)
{
    union udpbatch_addr host = { .sa = { .sa_family = AF_UNSPEC } };
    if (addr->sa.sa_family == AF_INET) {
        host.in4 = addr->in4;
        host.in4.sin_port = 0;
    }
    if (addr->sa.sa_family == AF_INET6) {
        host.in6 = addr->in6;
        host.in6.sin6_port = 0;
    }
    return host;
}

static bool read_report(struct udpbatch_network_error *error, const struct cmsghdr *control)
{
    struct report report = { 0 };
    size_t len = control->cmsg_len - UB_CONTROL_LEN(0);

    if (!is_report(control) || len < sizeof report.error)
        return false;
    memcpy(&report, UB_CONTROL_DATA(control), len < sizeof report ? len : sizeof report);
    if (!is_network_error(&report.error))
        return false;
    error->error = (int)report.error.ee_errno;
    error->mtu = report.error.ee_errno == EMSGSIZE ? report.error.ee_info : 0;
    error->by = host_of(&report.offender);
    return true;
}

/* Whether the message is one that counts. */
static bool read_message(struct udpbatch_network_error *error, const struct msghdr *message)
{
    const size_t len =
        message->msg_controllen < REPORT_CONTROL ? message->msg_controllen : REPORT_CONTROL;
    const ub_control *control;
    size_t at = 0;

    while ((control = ub_control_get(message->msg_control, len, &at)) != NULL)
        if (read_report(error, control))
            return true;
    return false;
}

/* Reads the next message of the queue. Returns whether there was one, else 0 or -errno in *error:
 * emulators that do not know of the queue (qemu-user 7) say that they have read, and what they
 * leave as it was has not the mark of the queue. */
static bool read_queue(udpbatch_socket fd, struct msghdr *message, int *error)
{
    const bool is_read = recvmsg(fd, message, MSG_ERRQUEUE | MSG_DONTWAIT) >= 0;
    *error = is_read || errno == EAGAIN ? 0 : -errno;
    return is_read && (message->msg_flags & MSG_ERRQUEUE) != 0;
}

int ub_network_errors(udpbatch_socket fd, struct udpbatch_network_error *errors, size_t n)
{
    size_t count = 0;
    int error = 0;

    while (count < n) {
        union {
            size_t align;
            unsigned char bytes[REPORT_CONTROL];
        } control;
        struct msghdr message = { .msg_name = &errors[count].to, .msg_control = &control };
        message.msg_namelen = sizeof errors[count].to;
        message.msg_controllen = sizeof control;
        errors[count] = (struct udpbatch_network_error){ .error = 0 };
        if (!read_queue(fd, &message, &error))
            break;
        count += read_message(&errors[count], &message);
    }
    return count > 0 ? (int)count : error;
}

#else

int ub_network_errors(udpbatch_socket fd, struct udpbatch_network_error *errors, size_t n)
{
    (void)fd;
    (void)errors;
    (void)n;
    return -EOPNOTSUPP;
}

#endif
