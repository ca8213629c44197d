/* rtnetlink.c: questions to the kernel's routing, and its reports of changes, by rtnetlink(7). */
#include "rtnetlink.h"

#if UB_HAVE_XDP

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum {
    ROOM = 8192,                /* bytes: what netlink(7) advises for a message */
    PATIENCE_S = 1,             /* the kernel answers before the question's send returns */
    WATCH_BUFFER = 1024 * 1024, /* bytes of changes that may wait to be read */
    DATAGRAMS_MOST = 64         /* per call */
};

/* ---- Sockets --------------------------------------------------------------------------------- */

struct room {
    _Alignas(struct nlmsghdr) unsigned char bytes[ROOM];
};

/* Receives a datagram: its length, 0 if it is not the kernel's, or -errno. One that does not fit is
 * lost as one is for which the kernel has no room: -ENOBUFS. */
static int receive_datagram(int fd, struct room *room, int flags)
{
    struct sockaddr_nl from = { 0 };
    struct iovec piece = { room->bytes, sizeof room->bytes };
    struct msghdr datagram = {
        .msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &piece, .msg_iovlen = 1
    };
    ssize_t len;

    do
        len = recvmsg(fd, &datagram, flags);
    while (len < 0 && errno == EINTR);
    if (len < 0)
        return -errno;
    if (from.nl_pid != 0)
        return 0;
    return (datagram.msg_flags & MSG_TRUNC) != 0 ? -ENOBUFS : (int)len;
}

static int close_and_return(int fd, int error)
{
    close(fd);
    return error;
}

int ub_rtnl_open(void)
{
    struct timeval patience = { .tv_sec = PATIENCE_S };
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0)
        return -errno;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) < 0)
        return close_and_return(fd, -errno);
    return fd;
}

/* The socket must have an address: without, the kernel takes it for its own, and leaves it out. */
static int subscribe(int fd)
{
    static const int groups[] = {
        RTNLGRP_LINK,      RTNLGRP_NEIGH,     RTNLGRP_IPV4_ROUTE,  RTNLGRP_IPV6_ROUTE,
        RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
    };
    static const int next_hops = RTNLGRP_NEXTHOP; /* since Linux 5.3 */
    struct sockaddr_nl any = { .nl_family = AF_NETLINK };

    if (bind(fd, (const struct sockaddr *)&any, sizeof any) < 0)
        return -errno;
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++)
        if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &groups[i], sizeof groups[i]) < 0)
            return -errno;
    setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &next_hops, sizeof next_hops);
    return 0;
}

/* As large as it may be; what does not fit is told as UB_RTNL_ALL. */
static void widen_buffer(int fd)
{
    static const int size = WATCH_BUFFER;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
}

int ub_rtnl_watch(void)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    if (fd < 0)
        return -errno;
    widen_buffer(fd);
    int error = subscribe(fd);
    return error < 0 ? close_and_return(fd, error) : fd;
}

static const struct ub_rtnl_change everything = { .what = UB_RTNL_ALL };

void ub_rtnl_read_changes(int fd, void (*tell)(void *context, const struct ub_rtnl_change *change),
                          void *context)
{
    struct room room;

    for (int i = 0; i < DATAGRAMS_MOST; i++) {
        int len = receive_datagram(fd, &room, MSG_DONTWAIT);
        if (len == -EAGAIN)
            return;
        if (len >= 0)
            ub_rtnl_parse_changes(room.bytes, (size_t)len, tell, context);
        else
            tell(context, &everything);
        if (len < 0 && len != -ENOBUFS)
            return;
    }
    tell(context, &everything); /* that is still to be read */
}

/* ---- Questions ------------------------------------------------------------------------------- */

struct question {
    struct nlmsghdr header;
    union {
        struct rtmsg route;
        struct ndmsg neighbour;
    } about;
    unsigned char attributes[128];
};

static struct question begin_question(uint16_t type)
{
    struct question question = { .header.nlmsg_type = type,
                                 .header.nlmsg_flags = NLM_F_REQUEST,
                                 .header.nlmsg_len = offsetof(struct question, attributes) };
    return question;
}

static void add_attribute(struct question *question, uint16_t type, const void *value, size_t len)
{
    struct rtattr header = { .rta_type = type, .rta_len = (uint16_t)(sizeof header + len) };
    unsigned char *end =
        question->attributes + (question->header.nlmsg_len - offsetof(struct question, attributes));

    assert(end + RTA_ALIGN(header.rta_len) <= (unsigned char *)(question + 1));
    memcpy(end, &header, sizeof header);
    memcpy(end + sizeof header, value, len);
    question->header.nlmsg_len += RTA_ALIGN(header.rta_len);
}

static void add_number(struct question *question, uint16_t type, uint32_t number)
{
    if (number != 0)
        add_attribute(question, type, &number, sizeof number);
}

static void add_port(struct question *question, uint16_t type, uint16_t port)
{
    if (port != 0)
        add_attribute(question, type, &port, sizeof port);
}

/* A number that no question of the last four seconds had: a late answer to one has its number. */
static uint32_t fresh_number(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint32_t)((uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec);
}

static bool is_answer_to(const struct question *question, const struct room *room, int len)
{
    struct nlmsghdr header;
    if ((size_t)len < sizeof header)
        return false;
    memcpy(&header, room->bytes, sizeof header);
    return header.nlmsg_seq == question->header.nlmsg_seq;
}

/* Returns the answer's length or -errno. */
static int ask(int fd, struct question *question, struct room *answer)
{
    question->header.nlmsg_seq = fresh_number();
    while (send(fd, question, question->header.nlmsg_len, 0) < 0)
        if (errno != EINTR)
            return -errno;
    for (;;) {
        int len = receive_datagram(fd, answer, 0);
        if (len < 0)
            return len == -EAGAIN ? -ETIMEDOUT : len;
        if (is_answer_to(question, answer, len))
            return len;
    }
}

/* Kernels before 4.18 pass over protocol and ports. */
static struct question question_of_route(const struct ub_rtnl_query *query)
{
    struct question question = begin_question(RTM_GETROUTE);
    size_t size = ub_rtnl_address_size(query->family);
    uint8_t bits = (uint8_t)(8 * size), protocol = IPPROTO_UDP;

    question.about.route = (struct rtmsg){ .rtm_family = (uint8_t)query->family,
                                           .rtm_dst_len = bits,
                                           .rtm_src_len = query->has_from ? bits : 0,
                                           .rtm_tos = query->tos };
    add_attribute(&question, RTA_DST, query->to, size);
    if (query->has_from)
        add_attribute(&question, RTA_SRC, query->from, size);
    add_number(&question, RTA_OIF, query->interface_index);
    add_number(&question, RTA_MARK, query->mark);
    add_attribute(&question, RTA_UID, &query->user, sizeof query->user);
    add_attribute(&question, RTA_IP_PROTO, &protocol, sizeof protocol);
    add_port(&question, RTA_SPORT, query->from_port);
    add_port(&question, RTA_DPORT, query->to_port);
    return question;
}

int ub_rtnl_route(int fd, const struct ub_rtnl_query *query, struct ub_rtnl_route *route)
{
    struct question question = question_of_route(query);
    struct room answer;
    int len = ask(fd, &question, &answer);
    int error = len < 0 ? len : ub_rtnl_parse_route(answer.bytes, (size_t)len, route);

    if (error < 0)
        return error;
    if (query->has_from) { /* IPv6 answers with its own choice all the same, IPv4 with none */
        memcpy(route->from, query->from, sizeof route->from);
        route->has_from = true;
    }
    return 0;
}

/* Kernels before 5.0 do not answer for one neighbour: -EOPNOTSUPP. */
int ub_rtnl_neighbour(int fd, int family, uint32_t interface_index, const unsigned char *address,
                      struct ub_rtnl_neighbour *neighbour)
{
    struct question question = begin_question(RTM_GETNEIGH);
    struct room answer;

    question.about.neighbour =
        (struct ndmsg){ .ndm_family = (uint8_t)family, .ndm_ifindex = (int)interface_index };
    add_attribute(&question, NDA_DST, address, ub_rtnl_address_size(family));
    int len = ask(fd, &question, &answer);
    if (len < 0)
        return len;
    int error = ub_rtnl_parse_neighbour(answer.bytes, (size_t)len, neighbour);
    return error == -ENOENT || error == -EOPNOTSUPP ? 0 : error;
}

#endif
