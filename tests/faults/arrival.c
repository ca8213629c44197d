/* arrival.c: the receivers at far. */
#define _GNU_SOURCE
#include "arrival.h"

#include <linux/sock_diag.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { FAMILIES_MOST = 2, BATCH = 64, ROOM = 2048, CONTROL = 64, ARRIVAL_MS = 3000 };

static struct pollfd sockets[FAMILIES_MOST * PORTS];
static size_t socket_count;

static struct {
    uint8_t seen[PACKETS_MOST];
    size_t next[TARGETS]; /* the packet that comes behind the last one */
    size_t count;
} now;
static char fault[200];

/* ---- The receivers --------------------------------------------------------------------------- */

static void open_port(int family, uint16_t number)
{
    union udpbatch_addr any = address(family, family == AF_INET ? "0.0.0.0" : "::", number);
    struct port port = port_at(FAR, &any);

    make_nonblocking(port.fd);
    if (family == AF_INET)
        set_option(port.fd, IPPROTO_IP, IP_PKTINFO, 1);
    else
        set_option(port.fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
    sockets[socket_count++] = (struct pollfd){ .fd = port.fd, .events = POLLIN };
}

void arrival_open(void)
{
    for (uint16_t i = 0; i < PORTS; i++)
        open_port(AF_INET, FIRST_PORT + i);
    for (uint16_t i = 0; has_in6() && i < PORTS; i++)
        open_port(AF_INET6, FIRST_PORT + PORTS + i);
}

/* ---- A datagram ------------------------------------------------------------------------------ */

static void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void complain(const char *format, ...)
{
    va_list arguments;

    if (fault[0] != '\0') /* the first says most */
        return;
    va_start(arguments, format);
    vsnprintf(fault, sizeof fault, format, arguments);
    va_end(arguments);
}

/* Where it was sent to, by its control message and the socket's port. */
static union udpbatch_addr came_to(struct msghdr *message, size_t socket)
{
    union udpbatch_addr to = { 0 };
    const struct cmsghdr *control = CMSG_FIRSTHDR(message);

    to.in4.sin_port = htons((uint16_t)(FIRST_PORT + socket));
    if (control == NULL)
        return to;
    if (control->cmsg_level == IPPROTO_IP) {
        struct in_pktinfo info;
        memcpy(&info, CMSG_DATA(control), sizeof info);
        to.sa.sa_family = AF_INET;
        to.in4.sin_addr = info.ipi_addr;
    } else {
        struct in6_pktinfo info;
        memcpy(&info, CMSG_DATA(control), sizeof info);
        to.sa.sa_family = AF_INET6;
        to.in6.sin6_addr = info.ipi6_addr;
    }
    return to;
}

static void take(const unsigned char *bytes, size_t len, const union udpbatch_addr *to)
{
    struct label label;
    size_t target = load_target_of(to), packet;

    now.count++;
    if (!load_read(bytes, len, &label)) {
        complain("a datagram of %zu bytes came that is damaged, or nobody's", len);
    } else if (label.cell != load.options.cell) {
        complain("a datagram of cell %u came late, or once more", label.cell);
    } else if (target == NO_TARGET || (packet = load_packet_of(label.payload, to)) == NO_PACKET) {
        complain("payload %u came to target %zu, which is not its own", label.payload, target);
    } else if (now.seen[packet]++ > 0) {
        complain("packet %zu came twice", packet);
    } else if (packet < now.next[target]) {
        complain("packet %zu came behind packet %zu", packet, now.next[target] - 1);
    } else {
        now.next[target] = packet + 1;
    }
}

/* ---- All that is there ----------------------------------------------------------------------- */

static int receive(size_t socket)
{
    static unsigned char rooms[BATCH][ROOM];
    static _Alignas(struct cmsghdr) unsigned char controls[BATCH][CONTROL];
    struct iovec pieces[BATCH];
    struct mmsghdr messages[BATCH];

    for (size_t i = 0; i < BATCH; i++) {
        pieces[i] = (struct iovec){ rooms[i], ROOM };
        messages[i] = (struct mmsghdr){ .msg_hdr = { .msg_iov = &pieces[i],
                                                     .msg_iovlen = 1,
                                                     .msg_control = controls[i],
                                                     .msg_controllen = CONTROL } };
    }
    int count = recvmmsg(sockets[socket].fd, messages, BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < count; i++) {
        union udpbatch_addr to = came_to(&messages[i].msg_hdr, socket);
        take(rooms[i], messages[i].msg_len, &to);
    }
    return count;
}

static void receive_all(void)
{
    for (size_t i = 0; i < socket_count; i++)
        while (receive(i) == BATCH)
            continue;
}

static uint32_t dropped(void)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < socket_count; i++) {
        uint32_t info[SK_MEMINFO_VARS] = { 0 };
        socklen_t len = sizeof info;
        getsockopt(sockets[i].fd, SOL_SOCKET, SO_MEMINFO, info, &len);
        sum += info[SK_MEMINFO_DROPS];
    }
    return sum;
}

const char *arrival_check(size_t count)
{
    int64_t begun = now_ms(), left;

    memset(&now, 0, sizeof now);
    fault[0] = '\0';
    receive_all();
    while (now.count < count && (left = begun + ARRIVAL_MS - now_ms()) > 0 && fault[0] == '\0') {
        poll(sockets, socket_count, (int)left);
        receive_all();
    }
    receive_all();
    if (now.count < count)
        complain("%zu of %zu datagrams came, and the receivers dropped %u", now.count, count,
                 dropped());
    return fault[0] != '\0' ? fault : NULL;
}

bool has_arrived(size_t packet)
{
    return now.seen[packet] > 0;
}

size_t arrival_count(void)
{
    return now.count;
}

/* Behind what is still on the cable comes a datagram of somebody else's. */
const char *arrival_check_end(void)
{
    wait_for_cable(AF_INET);
    if (has_in6())
        wait_for_cable(AF_INET6);
    load.options.cell++;
    return arrival_check(0);
}
