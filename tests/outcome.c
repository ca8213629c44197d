/* outcome.c: what became of a batch that was sent by one way. */
#define _GNU_SOURCE
#include "outcome.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>

struct datagram {
    unsigned char bytes[65536];
    size_t len;
    union udpbatch_addr to, from; /* IPv4 in its own form */
    int tos, ttl;
};

/* ---- What is said of a difference ------------------------------------------------------------ */

static const char *name_of(const union udpbatch_addr *to)
{
    static char name[INET6_ADDRSTRLEN];
    if (to == NULL)
        return "its peer";
    if (to->sa.sa_family == AF_INET)
        return inet_ntop(AF_INET, &to->in4.sin_addr, name, sizeof name);
    return to->sa.sa_family == AF_INET6 ? inet_ntop(AF_INET6, &to->in6.sin6_addr, name, sizeof name)
                                        : "no address";
}

static void describe(void)
{
    print_message("batch %lu, of %zu (a first part of %zu)%s from an IPv%d socket bound to %s, %s,"
                  " TOS %d, TTL %d, fragments %d, buffer %d, %s, %s, rate %.0f\n",
                  batch.number, batch.count, batch.first_part,
                  batch.is_fan_out ? ", a fan-out," : "", batch.family == AF_INET ? 4 : 6,
                  batch.bound, batch.peer != NULL ? name_of(batch.peer) : "no peer", batch.tos,
                  batch.ttl, batch.discover, batch.buffer,
                  batch.blocks ? "blocks" : "does not block",
                  batch.hears_errors ? "hears errors" : "hears no errors", batch.rate);
}

void differ(const char *format, ...)
{
    char text[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    describe();
    print_error("%s\n", text);
    fail();
    abort(); /* which fail() does not return to */
}

/* ---- What arrives ---------------------------------------------------------------------------- */

static void read_destination(struct datagram *datagram, const struct cmsghdr *control)
{
    union udpbatch_addr *to = &datagram->to;
    struct in6_pktinfo in6;
    struct in_pktinfo in4;

    if (control->cmsg_level == IPPROTO_IP) {
        memcpy(&in4, CMSG_DATA(control), sizeof in4);
        *to = (union udpbatch_addr){
            .in4 = { .sin_family = AF_INET, .sin_port = to->in4.sin_port, .sin_addr = in4.ipi_addr }
        };
    } else {
        memcpy(&in6, CMSG_DATA(control), sizeof in6);
        *to = (union udpbatch_addr){ .in6 = { .sin6_family = AF_INET6,
                                              .sin6_port = to->in4.sin_port,
                                              .sin6_addr = in6.ipi6_addr } };
        *to = address_plain(to);
    }
}

static void read_control(struct datagram *datagram, const struct cmsghdr *control)
{
    int type = control->cmsg_type;
    bool is_in4 = control->cmsg_level == IPPROTO_IP;

    if (type == (is_in4 ? IP_PKTINFO : IPV6_PKTINFO))
        read_destination(datagram, control);
    else if (is_in4 && type == IP_TOS)
        datagram->tos = *CMSG_DATA(control);
    else if (!is_in4 && type == IPV6_TCLASS)
        memcpy(&datagram->tos, CMSG_DATA(control), sizeof datagram->tos);
    else if (type == (is_in4 ? IP_TTL : IPV6_HOPLIMIT))
        memcpy(&datagram->ttl, CMSG_DATA(control), sizeof datagram->ttl);
}

static bool receive(const struct place *place, struct datagram *datagram)
{
    _Alignas(struct cmsghdr) unsigned char control[512];
    struct iovec piece = { datagram->bytes, sizeof datagram->bytes };
    struct msghdr message = { .msg_name = &datagram->from,
                              .msg_namelen = sizeof datagram->from,
                              .msg_iov = &piece,
                              .msg_iovlen = 1,
                              .msg_control = control,
                              .msg_controllen = sizeof control };
    ssize_t len = recvmsg(place->port.fd, &message, MSG_DONTWAIT);

    if (len < 0)
        return false;
    assert_int_equal(message.msg_flags & (MSG_CTRUNC | MSG_TRUNC), 0);
    datagram->len = (size_t)len;
    datagram->to = place->port.addr;
    datagram->from = address_plain(&datagram->from);
    for (struct cmsghdr *at = CMSG_FIRSTHDR(&message); at != NULL; at = CMSG_NXTHDR(&message, at))
        read_control(datagram, at);
    return true;
}

/* ---- Which packet it is ---------------------------------------------------------------------- */

static bool holds(const struct udpbatch_packet *packet, const struct datagram *datagram)
{
    const struct udpbatch_piece whole = { packet->data, packet->len }, *pieces = &whole;
    uint32_t count = 1;
    size_t at = 0;

    if ((packet->len & UDPBATCH_PIECES(0)) != 0) {
        pieces = packet->data;
        count = packet->len & ~UDPBATCH_PIECES(0);
    }
    for (uint32_t i = 0; i < count; at += pieces[i].len, i++)
        if (pieces[i].len > datagram->len - at ||
            (pieces[i].len > 0 && memcmp(datagram->bytes + at, pieces[i].data, pieces[i].len) != 0))
            return false;
    return at == datagram->len;
}

static bool is_to(const struct udpbatch_packet *packet, const union udpbatch_addr *to)
{
    const union udpbatch_addr *its = packet->to != NULL ? packet->to : batch.peer;
    if (its == NULL)
        return false;
    union udpbatch_addr plain = address_plain(its);
    return same_address(&plain, to);
}

/* Past the last packet to this destination that has arrived. */
static size_t reached(const struct outcome *outcome, const union udpbatch_addr *to)
{
    size_t end = batch.count;
    while (end > 0 && !(outcome->fates[end - 1].arrived && is_to(&batch.packets[end - 1], to)))
        end--;
    return end;
}

static bool was_to_be_sent(size_t i)
{
    return batch.packets[i].status == 0;
}

/* The packet that this is: the next one to its destination that was sent and is the same. */
static size_t find(const struct outcome *outcome, const struct datagram *datagram)
{
    for (size_t i = reached(outcome, &datagram->to); i < batch.count; i++)
        if (was_to_be_sent(i) && outcome->fates[i].status == 1 &&
            is_to(&batch.packets[i], &datagram->to) && holds(&batch.packets[i], datagram))
            return i;
    return batch.count;
}

/* Returns the packet behind it. */
static size_t arrive(struct outcome *outcome, const struct datagram *datagram, size_t next)
{
    size_t i = find(outcome, datagram);

    if (i == batch.count)
        differ("%s: to %s came %zu bytes that were not sent, or not next, or came before",
               outcome->way->name, name_of(&datagram->to), datagram->len);
    if (outcome->way->in_order && i < next)
        differ("%s: packet %zu, to %s, came after packet %zu of another target", outcome->way->name,
               i, name_of(&datagram->to), next - 1);
    outcome->fates[i].arrived = true;
    outcome->fates[i].from = datagram->from;
    outcome->fates[i].tos = datagram->tos;
    outcome->fates[i].ttl = datagram->ttl;
    outcome->arrived++;
    return i + 1;
}

static size_t bytes_of(const struct udpbatch_packet *packet)
{
    const struct udpbatch_piece *pieces = packet->data;
    size_t bytes = 0;

    if ((packet->len & UDPBATCH_PIECES(0)) == 0)
        return packet->len;
    for (uint32_t i = 0; i < (packet->len & ~UDPBATCH_PIECES(0)); i++)
        bytes += pieces[i].len;
    return bytes;
}

/* What leaves by a device that is asked for need not be where its target is; a connected socket
 * sends from the address that is right for its peer, which others may have no way back to; and with
 * IP_PMTUDISC_INTERFACE Linux takes one byte more for loopback than IPv4 has (its MTU is 65536). */
static bool has_to_arrive(size_t i)
{
    enum { IN4_MOST = 65535 - 20 - 8 };
    const struct udpbatch_packet *packet = &batch.packets[i];
    const union udpbatch_addr *to = packet->to != NULL ? packet->to : batch.peer;
    bool by_any_device =
        packet->meta == NULL || (packet->meta->flags & UDPBATCH_META_INTERFACE) == 0;

    if (to == NULL || !by_any_device || !was_to_be_sent(i))
        return false;
    union udpbatch_addr plain = address_plain(to);
    if (plain.sa.sa_family == AF_INET && bytes_of(packet) > IN4_MOST)
        return false;
    return place_of(&plain) != NULL && (batch.peer == NULL || same_address(to, batch.peer));
}

void outcome_take(struct outcome *outcome)
{
    static struct datagram datagram;

    for (size_t i = 0; i < place_count; i++)
        for (size_t next = 0; receive(&places[i], &datagram);)
            next = arrive(outcome, &datagram, next);
    for (size_t i = 0; i < batch.count; i++)
        if (outcome->fates[i].status == 1 && !outcome->fates[i].arrived && has_to_arrive(i))
            differ("%s: packet %zu, to %s, was sent and has not arrived", outcome->way->name, i,
                   name_of(batch.packets[i].to));
}

/* ---- Two of them ----------------------------------------------------------------------------- */

static void compare_datagrams(const struct outcome *a, const struct outcome *b, size_t i)
{
    const struct fate *first = &a->fates[i], *other = &b->fates[i];

    if (!same_address(&first->from, &other->from))
        differ("%s and %s: packet %zu came from two addresses", a->way->name, b->way->name, i);
    if (first->tos != other->tos || first->ttl != other->ttl)
        differ("%s and %s: packet %zu to %s: TOS 0x%02x and 0x%02x, TTL %d and %d", a->way->name,
               b->way->name, i, name_of(batch.packets[i].to), (unsigned)first->tos,
               (unsigned)other->tos, first->ttl, other->ttl);
}

/* Of a packet with two faults either may be told: the first packet without an address, on a socket
 * without a peer, is an end to all of them, those included that are refused for their meta or their
 * size if the plan comes to them before. */
static bool are_same_status(size_t i, int32_t a, int32_t b)
{
    bool has_no_address = batch.packets[i].to == NULL && batch.peer == NULL;
    return a == b ||
           (has_no_address && a < 0 && b < 0 && (a == -EDESTADDRREQ || b == -EDESTADDRREQ));
}

void outcome_compare(const struct outcome *a, const struct outcome *b)
{
    for (size_t i = 0; i < batch.count; i++) {
        if (!are_same_status(i, a->fates[i].status, b->fates[i].status))
            differ("%s and %s: packet %zu to %s has the statuses %d and %d", a->way->name,
                   b->way->name, i, name_of(batch.packets[i].to), a->fates[i].status,
                   b->fates[i].status);
        if (a->fates[i].arrived != b->fates[i].arrived)
            differ("%s and %s: packet %zu to %s arrived by one of them only", a->way->name,
                   b->way->name, i, name_of(batch.packets[i].to));
        if (a->fates[i].arrived)
            compare_datagrams(a, b, i);
    }
}
