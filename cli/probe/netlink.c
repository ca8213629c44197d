/* netlink.c: what rtnetlink(7) tells of a device. */
#include "netlink.h"

#if ON_LINUX

#include <errno.h>
#include <linux/netlink.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ANSWER_SIZE = 32768 };

/* One message of the kernel's. */
typedef void see_message(const struct nlmsghdr *message, void *data);

struct request {
    struct nlmsghdr header;
    union {
        struct ifinfomsg link;
        struct tcmsg qdisc;
    } body;
};

/* ---- Asking ---------------------------------------------------------------------------------- */

static int error_in(const struct nlmsghdr *message)
{
    const struct nlmsgerr *error = NLMSG_DATA(message);
    return message->nlmsg_len >= NLMSG_LENGTH(sizeof *error) ? -error->error : EPROTO;
}

/* Sees the messages of one datagram. *done: they were the last. */
static int see_all(const char *datagram, size_t len, see_message *see, void *data, bool *done)
{
    const struct nlmsghdr *message = (const void *)datagram;
    for (; NLMSG_OK(message, len); message = NLMSG_NEXT(message, len)) {
        *done = message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR ||
                (message->nlmsg_flags & NLM_F_MULTI) == 0;
        if (message->nlmsg_type == NLMSG_ERROR)
            return error_in(message);
        if (message->nlmsg_type != NLMSG_DONE)
            see(message, data);
    }
    return 0;
}

static int read_answer(int fd, see_message *see, void *data)
{
    _Alignas(struct nlmsghdr) char datagram[ANSWER_SIZE];
    bool done = false;
    int error = 0;

    while (!done && error == 0) {
        ssize_t len = recv(fd, datagram, sizeof datagram, 0);
        if (len <= 0)
            return len < 0 ? errno : EPROTO;
        error = see_all(datagram, (size_t)len, see, data, &done);
    }
    return error;
}

static int ask(struct request *request, see_message *see, void *data)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0)
        return errno;
    ssize_t len = (ssize_t)request->header.nlmsg_len;
    int error =
        send(fd, request, request->header.nlmsg_len, 0) == len ? read_answer(fd, see, data) : errno;
    close(fd);
    return error;
}

/* An attribute's value behind the body of a message; NULL if there is none, or it is too short. */
static const void *find_value(const struct nlmsghdr *message, size_t body, unsigned short type,
                              size_t least)
{
    const char *bytes = (const void *)message;
    struct rtattr attribute;

    for (size_t at = NLMSG_SPACE(body); at + sizeof attribute <= message->nlmsg_len;
         at += RTA_ALIGN(attribute.rta_len)) {
        memcpy(&attribute, bytes + at, sizeof attribute);
        if (attribute.rta_len < sizeof attribute || attribute.rta_len > message->nlmsg_len - at)
            return NULL;
        if (attribute.rta_type == type && attribute.rta_len >= RTA_LENGTH(least))
            return bytes + at + RTA_LENGTH(0);
    }
    return NULL;
}

/* ---- The device ------------------------------------------------------------------------------ */

static void see_device(const struct nlmsghdr *message, void *data)
{
    struct netlink_device *device = data;
    const struct ifinfomsg *link = NLMSG_DATA(message);

    if (message->nlmsg_type != RTM_NEWLINK)
        return;
    device->is_up = (link->ifi_flags & IFF_UP) != 0;
    /* The flag IFF_RUNNING follows the carrier by up to a second (before Linux 6.8). */
    const uint8_t *carrier = find_value(message, sizeof *link, IFLA_CARRIER, sizeof *carrier);
    device->has_carrier = carrier != NULL ? *carrier != 0 : (link->ifi_flags & IFF_RUNNING) != 0;
    const void *queues =
        find_value(message, sizeof *link, IFLA_NUM_TX_QUEUES, sizeof device->queues);
    if (queues != NULL)
        memcpy(&device->queues, queues, sizeof device->queues);
}

int netlink_device(const char *name, struct netlink_device *device)
{
    unsigned index = if_nametoindex(name);
    struct request request = {
        .header = { .nlmsg_len = NLMSG_LENGTH(sizeof request.body.link),
                    .nlmsg_type = RTM_GETLINK,
                    .nlmsg_flags = NLM_F_REQUEST },
        .body.link = { .ifi_index = (int)index },
    };
    *device = (struct netlink_device){ 0 };
    return index == 0 ? errno : ask(&request, see_device, device);
}

/* ---- Its queueing disciplines ---------------------------------------------------------------- */

struct search {
    unsigned index;
    struct netlink_qdiscs *found;
};

static bool is_known(const struct netlink_qdiscs *qdiscs, const char *kind)
{
    for (size_t i = 0; i < qdiscs->count; i++)
        if (strcmp(qdiscs->kinds[i], kind) == 0)
            return true;
    return false;
}

static void add_kind(struct netlink_qdiscs *qdiscs, const char *kind)
{
    if (is_known(qdiscs, kind) || qdiscs->count == sizeof qdiscs->kinds / sizeof qdiscs->kinds[0])
        return;
    snprintf(qdiscs->kinds[qdiscs->count++], QDISC_TEXT, "%s", kind);
}

/* That of what arrives sends nothing. */
static void see_qdisc(const struct nlmsghdr *message, void *data)
{
    const struct search *search = data;
    const struct tcmsg *qdisc = NLMSG_DATA(message);

    if (message->nlmsg_type != RTM_NEWQDISC || (unsigned)qdisc->tcm_ifindex != search->index ||
        qdisc->tcm_parent == TC_H_INGRESS)
        return;
    const char *kind = find_value(message, sizeof *qdisc, TCA_KIND, 1);
    if (kind != NULL)
        add_kind(search->found, kind);
}

int netlink_qdiscs(const char *name, struct netlink_qdiscs *qdiscs)
{
    struct search search = { .index = if_nametoindex(name), .found = qdiscs };
    struct request request = {
        .header = { .nlmsg_len = NLMSG_LENGTH(sizeof request.body.qdisc),
                    .nlmsg_type = RTM_GETQDISC,
                    .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
        .body.qdisc = { .tcm_ifindex = (int)search.index },
    };
    *qdiscs = (struct netlink_qdiscs){ .count = 0 };
    return search.index == 0 ? errno : ask(&request, see_qdisc, &search);
}

#endif
