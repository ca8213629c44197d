/* batches.c: random batches of all kinds. */
#define _GNU_SOURCE
#include "batches.h"

#include "chance.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

struct batch batch;

static unsigned char memory[1 << 17]; /* the payloads are in it */

/* ---- Packets --------------------------------------------------------------------------------- */

static bool is_odd(unsigned n)
{
    return one_in(n * batch.calm);
}

static uint32_t any_length(void)
{
    static const uint32_t edges[] = { 0,    1,    2,    1451, 1452,  1453,  1471,  1472,
                                      1473, 2000, 3000, 9000, 65507, 65508, 65527, 65535 };
    if (is_odd(6))
        return edges[below(COUNT_OF(edges))];
    if (is_odd(6))
        return below(4000);
    return below(1452);
}

static void choose_meta(struct udpbatch_meta *meta)
{
    static const uint8_t ttls[] = { 2, 64, 255 };

    *meta = (struct udpbatch_meta){ .tos = (uint8_t)below(256), .ttl = ttls[below(3)] };
    meta->flags = below(2) * UDPBATCH_META_TOS | below(2) * UDPBATCH_META_TTL;
    if (is_odd(8))
        meta->flags |= UDPBATCH_META_DONT_FRAGMENT;
    if (is_odd(12))
        meta->flags |= UDPBATCH_META_DEPARTURE; /* that this socket has not */
    if (one_in(4)) {
        meta->flags |= UDPBATCH_META_LOCAL;
        meta->local = on_cable(is_odd(5) ? AF_INET : batch.family, is_odd(5) ? 9 : 3, 0);
    }
    if (is_odd(6)) {
        meta->flags |= UDPBATCH_META_INTERFACE;
        meta->interface_index = one_in(4) ? 9999 : if_nametoindex("near");
    }
}

static void cut(struct udpbatch_packet *packet, struct udpbatch_piece *pieces)
{
    uint32_t count = below(PIECES_MOST + 1), len = packet->len;
    const unsigned char *data = packet->data;

    if (count == 0 && len > 0)
        return;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t part = i + 1 == count ? len : below(len + 1);
        pieces[i] = (struct udpbatch_piece){ data, part };
        data += part;
        len -= part;
    }
    packet->data = pieces;
    packet->len = UDPBATCH_PIECES(count);
}

/* Of the socket's own family they are most of the time. */
static const union udpbatch_addr *choose_target(unsigned from, unsigned most)
{
    const union udpbatch_addr *to;

    if (!is_odd(3))
        return &usual[batch.family == AF_INET ? 0 : 1][(from + below(most)) % USUAL];
    do
        to = &targets[(from + below(most)) % target_count];
    while (to->sa.sa_family != batch.family && !is_odd(40));
    return to;
}

static void address_packet(size_t i, const union udpbatch_addr *to)
{
    batch.targets[i] = *to;
    batch.packets[i].to = &batch.targets[i];
}

static void choose_payload(size_t i)
{
    struct udpbatch_packet *packet = &batch.packets[i];
    uint32_t len = any_length();

    packet->data = memory + below((unsigned)sizeof memory - len);
    packet->len = len;
    if (one_in(4))
        cut(packet, batch.pieces[i]);
    if (is_odd(50)) {
        packet->data = NULL;
        packet->len = 5;
    }
}

static void choose_packet(size_t i, const union udpbatch_addr *to)
{
    struct udpbatch_packet *packet = &batch.packets[i];

    address_packet(i, to);
    choose_payload(i);
    if (batch.peer != NULL ? one_in(3) : is_odd(40))
        packet->to = NULL;
    if (one_in(4))
        packet->meta = &batch.metas[below(METAS)];
}

/* To few targets, so that there may be trains: runs of packets of one length. */
static void choose_packets(void)
{
    unsigned from = below((unsigned)target_count), most = 1 + below(20);
    bool has_trains = one_in(2);

    for (size_t i = 0; i < batch.count; i++) {
        choose_packet(i, choose_target(from, most));
        if (has_trains && i > 0 && one_in(4)) {
            batch.packets[i] = batch.packets[i - 1];
            if (batch.packets[i].to != NULL)
                address_packet(i, &batch.targets[i - 1]);
            batch.targets[i] = batch.targets[i - 1];
        }
    }
}

static void choose_fan_out(void)
{
    unsigned from = below((unsigned)target_count), most = 1 + below(40);

    choose_payload(0);
    for (size_t i = 0; i < batch.count; i++) {
        batch.packets[i] = batch.packets[0];
        address_packet(i, choose_target(from, most));
    }
}

/* Packets that have their fate already: nothing of them is to leave. */
static void settle_some(void)
{
    for (size_t i = 0; i < batch.count; i++)
        if (one_in(12))
            batch.packets[i].status = one_in(2) ? 1 : -EIO;
}

/* ---- The socket ------------------------------------------------------------------------------ */

static void choose_socket(void)
{
    static const char *const bound_in4[] = { "0.0.0.0", "10.99.0.1", "10.99.0.3" };
    static const char *const bound_in6[] = { "::", "fd99::1", "fd99::3", "::ffff:10.99.0.1" };

    batch.family = FAMILIES[below((unsigned)family_count())];
    batch.bound = batch.family == AF_INET ? bound_in4[below(3)] : bound_in6[below(4)];
    batch.tos = one_in(3) ? (int)below(256) : -1;
    batch.ttl = one_in(3) ? 2 + (int)below(254) : -1;
    batch.discover = one_in(2) ? (int)below(6) : -1;
    batch.buffer = is_odd(4) ? 4096 << below(5) : -1;
    batch.blocks = one_in(2);
    /* With an error queue, a packet that never fits in the buffer is for ever taken for one that a
     * device has no room for (udpbatch(7)). */
    batch.hears_errors = batch.buffer < 0 && is_odd(3);
    if (is_odd(8)) {
        batch.rate = 100000;
        batch.burst = 1 + below(20);
    }
}

/* One of its own family that is there. */
static void choose_peer(void)
{
    do
        batch.peer = &targets[below((unsigned)target_count)];
    while (batch.peer->sa.sa_family != batch.family || place_of(batch.peer) == NULL);
}

static void fill_memory(void)
{
    for (size_t i = 0; i < sizeof memory; i++)
        memory[i] = (unsigned char)below(256);
}

void choose_batch(void)
{
    static const unsigned calms[] = { 1, 10, 100 };
    unsigned long number = batch.number + 1;

    if (number == 1)
        fill_memory();
    memset(&batch, 0, sizeof batch);
    batch.number = number;
    batch.calm = calms[below(COUNT_OF(calms))];
    choose_socket();
    if (is_odd(2))
        choose_peer();
    for (size_t i = 0; i < METAS; i++)
        choose_meta(&batch.metas[i]);
    batch.count = 1 + below(one_in(4) ? BATCH_MOST : 20);
    batch.first_part = one_in(4) ? below((unsigned)batch.count) : 0;
    batch.is_fan_out = one_in(4);
    if (batch.is_fan_out)
        choose_fan_out();
    else
        choose_packets();
    if (one_in(4))
        settle_some();
}

static void set_both(int fd, int name_in4, int name_in6, int value)
{
    if (value < 0)
        return;
    set_option(fd, IPPROTO_IP, name_in4, value);
    if (batch.family == AF_INET6)
        set_option(fd, IPPROTO_IPV6, name_in6, value);
}

int batch_socket(uint16_t *number)
{
    union udpbatch_addr own = address(batch.family, batch.bound, ntohs(*number));
    struct port port = port_at(NEAR, &own);

    *number = port.addr.in4.sin_port;
    set_both(port.fd, IP_TOS, IPV6_TCLASS, batch.tos);
    set_both(port.fd, IP_TTL, IPV6_UNICAST_HOPS, batch.ttl);
    set_both(port.fd, IP_MTU_DISCOVER, IPV6_MTU_DISCOVER, batch.discover);
    if (batch.hears_errors)
        set_both(port.fd, IP_RECVERR, IPV6_RECVERR, 1);
    if (batch.buffer >= 0)
        set_option(port.fd, SOL_SOCKET, SO_SNDBUF, batch.buffer);
    if (!batch.blocks)
        make_nonblocking(port.fd);
    /* The peer may not be to be reached from where it is bound: then it has none. */
    if (batch.peer != NULL && connect(port.fd, &batch.peer->sa, sizeof *batch.peer) < 0)
        batch.peer = NULL;
    return port.fd;
}
