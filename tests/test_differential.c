/* test_differential.c: whichever back end sends it, a batch gets the same statuses, and the same
 * datagrams arrive: the same batches of all kinds, by a printed seed, through each of them.
 *
 * The program makes hosts of its own (past_stack.h), and hears of what arrives by recvmsg(2). It
 * needs root or user namespaces, and ip; where these are missing it exits with 77, or fails if CI
 * is set.
 */
#define _GNU_SOURCE
#include "chance.h"
#include "past_stack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BATCHES = 200, BATCH_MOST = 150, TARGETS_MOST = 64, PIECES_MOST = 12, METAS = 12 };
enum { USUAL = 20 }; /* ports of far, of each family */

/* ---- Targets --------------------------------------------------------------------------------- */

/* Where something may arrive, of both families; or an address that is refused, which has none. */
static struct port ports[TARGETS_MOST];
static size_t port_count;

/* All that a packet may be addressed to: the ports, some of them mapped into IPv6, and more. */
static union udpbatch_addr targets[2 * TARGETS_MOST];
static size_t target_count, first_of_in6;

static void add_target(union udpbatch_addr to)
{
    assert_true(target_count < COUNT_OF(targets));
    targets[target_count++] = to;
}

static void add_port(enum host host, union udpbatch_addr at)
{
    struct port *port = &ports[port_count++];

    *port = port_at(host, &at);
    if (at.sa.sa_family == AF_INET) {
        set_option(port->fd, IPPROTO_IP, IP_RECVTOS, 1);
        set_option(port->fd, IPPROTO_IP, IP_RECVTTL, 1);
    } else {
        set_option(port->fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
        set_option(port->fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
    }
    add_target(port->addr);
}

static union udpbatch_addr mapped(const union udpbatch_addr *in4)
{
    union udpbatch_addr addr = address(AF_INET6, "::ffff:0.0.0.0", 0);
    addr.in6.sin6_port = in4->in4.sin_port;
    memcpy(addr.in6.sin6_addr.s6_addr + 12, &in4->in4.sin_addr, sizeof in4->in4.sin_addr);
    return addr;
}

static void add_ports(int family)
{
    for (int i = 0; i < USUAL; i++)
        add_port(FAR, on_cable(family, 2, 0));
    add_port(BEYOND, at_beyond(family, 2, 0));
    add_port(FAR, on_second_cable(family, 2, 0));
    add_port(NEAR, loopback(family, 0));
    add_port(NEAR, on_cable(family, 1, 0));
    add_port(NEAR, on_second_cable(family, 1, 0));
}

/* Nobody is there, or nothing goes there, or it is no address. */
static void add_bad_targets(void)
{
    static const char *const in4s[] = {
        "192.0.2.1", "10.99.0.255", "255.255.255.255", "10.93.1.1",
        "10.93.2.1", "10.93.3.1",   "240.0.0.1",       "10.98.0.200"
    };
    static const char *const in6s[] = { "2001:db8::1",      "fd93:1::1", "fd93:2::1", "fd93:3::1",
                                        "::ffff:192.0.2.1", "fd98::200", "ff02::1",   "fe80::2" };

    for (size_t i = 0; i < COUNT_OF(in4s); i++)
        add_target(address(AF_INET, in4s[i], 7000));
    add_target(on_cable(AF_INET, 2, 0)); /* port 0 */
    add_target((union udpbatch_addr){ .sa = { .sa_family = AF_UNIX } });
    for (size_t i = 0; has_in6() && i < COUNT_OF(in6s); i++)
        add_target(address(AF_INET6, in6s[i], 7000));
    if (has_in6())
        add_target(on_cable(AF_INET6, 2, 0));
}

static void add_refusing_routes(void)
{
    assert_true(run_at(NEAR, "ip route add unreachable 10.93.1.0/24 &&"
                             " ip route add prohibit 10.93.2.0/24 &&"
                             " ip route add blackhole 10.93.3.0/24"));
    assert_true(!has_in6() || run_at(NEAR, "ip route add unreachable fd93:1::/64 &&"
                                           " ip route add prohibit fd93:2::/64 &&"
                                           " ip route add blackhole fd93:3::/64"));
}

static void make_targets(void **state)
{
    (void)state;
    add_refusing_routes();
    wait_for_all_ways();
    for (size_t i = 0; i < family_count(); i++) {
        first_of_in6 = port_count;
        add_ports(FAMILIES[i]);
    }
    for (size_t i = 0; has_in6() && i < port_count; i++)
        if (ports[i].addr.sa.sa_family == AF_INET)
            add_target(mapped(&ports[i].addr));
    add_bad_targets();
    for (unsigned i = 0; i < target_count; i++) { /* good and bad ones side by side */
        unsigned other = below(i + 1);
        union udpbatch_addr to = targets[i];
        targets[i] = targets[other];
        targets[other] = to;
    }
}

/* ---- Batches --------------------------------------------------------------------------------- */

/* One batch, to be sent by each back end from an equal socket. */
static struct batch {
    struct udpbatch_packet packets[BATCH_MOST];
    struct udpbatch_piece pieces[BATCH_MOST][PIECES_MOST];
    struct udpbatch_meta metas[METAS];
    size_t count;
    unsigned calm;                   /* how seldom a packet is one that is anything but usual */
    int family;                      /* of the socket */
    const char *bound;               /* to this address */
    const union udpbatch_addr *peer; /* connected to; or NULL */
    struct udpbatch_sender_options options;
    int tos, ttl, discover; /* of the socket; -1: as it is */
} batch;

static unsigned char memory[1 << 17];

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
        return &ports[(batch.family == AF_INET ? 0 : first_of_in6) + (from + below(most)) % USUAL]
                    .addr;
    do
        to = &targets[(from + below(most)) % target_count];
    while (to->sa.sa_family != batch.family && !is_odd(40));
    return to;
}

static void choose_packet(size_t i, const union udpbatch_addr *to)
{
    struct udpbatch_packet *packet = &batch.packets[i];
    uint32_t len = any_length();

    *packet = (struct udpbatch_packet){ .data = memory + below((unsigned)sizeof memory - len),
                                        .len = len,
                                        .to = to };
    if (batch.peer != NULL ? one_in(3) : is_odd(40))
        packet->to = NULL;
    if (one_in(4))
        packet->meta = &batch.metas[below(METAS)];
    if (one_in(4))
        cut(packet, batch.pieces[i]);
    if (is_odd(50))
        *packet = (struct udpbatch_packet){ .data = NULL, .len = 5, .to = packet->to };
}

/* To few targets, so that there may be trains: runs of packets of one length. */
static void choose_packets(void)
{
    unsigned from = below((unsigned)target_count), most = 1 + below(20);
    bool has_trains = one_in(2);

    for (size_t i = 0; i < batch.count; i++) {
        choose_packet(i, choose_target(from, most));
        if (has_trains && i > 0 && one_in(4))
            batch.packets[i] = batch.packets[i - 1];
    }
}

static void choose_socket(void)
{
    static const char *const bound_in4[] = { "0.0.0.0", "10.99.0.1", "10.99.0.3" };
    static const char *const bound_in6[] = { "::", "fd99::1", "fd99::3", "::ffff:10.99.0.1" };

    batch.family = FAMILIES[below((unsigned)family_count())];
    batch.bound = batch.family == AF_INET ? bound_in4[below(3)] : bound_in6[below(4)];
    batch.peer = NULL;
    if (is_odd(2)) /* one of its own family that is there */
        do
            batch.peer = &ports[below((unsigned)port_count)].addr;
        while (batch.peer->sa.sa_family != batch.family);
    batch.tos = one_in(3) ? (int)below(256) : -1;
    batch.ttl = one_in(3) ? 2 + (int)below(254) : -1;
    batch.discover = one_in(2) ? (int)below(6) : -1;
    batch.options = (struct udpbatch_sender_options){ .size = sizeof batch.options,
                                                      .trains = (enum udpbatch_trains)below(2),
                                                      .in_order = is_odd(3),
                                                      .xdp_interface = "near" };
}

static void choose_batch(void)
{
    static const unsigned calms[] = { 1, 10, 100 };

    memset(&batch, 0, sizeof batch);
    batch.calm = calms[below(COUNT_OF(calms))];
    choose_socket();
    for (size_t i = 0; i < METAS; i++)
        choose_meta(&batch.metas[i]);
    batch.count = 1 + below(one_in(4) ? BATCH_MOST : 20);
    choose_packets();
}

/* ---- What came of it ------------------------------------------------------------------------- */

struct datagram {
    size_t at, len; /* in the bytes of the outcome */
    union udpbatch_addr from;
    int tos, ttl;
};

enum { DATAGRAMS_MOST = BATCH_MOST };

struct outcome {
    const char *backend;
    int32_t status[BATCH_MOST];
    struct datagram datagrams[TARGETS_MOST][DATAGRAMS_MOST];
    size_t counts[TARGETS_MOST];
    unsigned char bytes[BATCH_MOST * 65536];
    size_t used;
};

static struct outcome outcomes[2]; /* of the first back end, and of another */

static void read_control(struct datagram *datagram, const struct cmsghdr *control)
{
    int type = control->cmsg_type, level = control->cmsg_level;
    const void *data = CMSG_DATA(control);

    if (level == IPPROTO_IP && type == IP_TOS)
        datagram->tos = *(const unsigned char *)data;
    else if (level == IPPROTO_IPV6 && type == IPV6_TCLASS)
        memcpy(&datagram->tos, data, sizeof datagram->tos);
    else
        memcpy(&datagram->ttl, data, sizeof datagram->ttl);
}

static bool receive_into(struct outcome *outcome, size_t port)
{
    _Alignas(struct cmsghdr) unsigned char control[256];
    struct datagram *datagram = &outcome->datagrams[port][outcome->counts[port]];
    struct iovec piece = { outcome->bytes + outcome->used, sizeof outcome->bytes - outcome->used };
    struct msghdr message = { .msg_name = &datagram->from,
                              .msg_namelen = sizeof datagram->from,
                              .msg_iov = &piece,
                              .msg_iovlen = 1,
                              .msg_control = control,
                              .msg_controllen = sizeof control };

    ssize_t len = recvmsg(ports[port].fd, &message, MSG_DONTWAIT);
    if (len < 0)
        return false;
    assert_true(outcome->counts[port]++ < DATAGRAMS_MOST);
    datagram->at = outcome->used;
    datagram->len = (size_t)len;
    outcome->used += (size_t)len;
    for (struct cmsghdr *at = CMSG_FIRSTHDR(&message); at != NULL; at = CMSG_NXTHDR(&message, at))
        read_control(datagram, at);
    return true;
}

static void receive_all(struct outcome *outcome)
{
    for (size_t i = 0; i < port_count; i++)
        while (receive_into(outcome, i))
            continue;
}

/* What is sent to each port after the batch has arrived there after it: at the far hosts by the
 * stack, on the one processor that all this runs on. */
static void let_arrive(void)
{
    union udpbatch_addr any = address(AF_INET, "0.0.0.0", 0);
    struct port fence = port_at(NEAR, &any), far_end;
    const union udpbatch_addr ats[] = { on_cable(AF_INET, 2, 0), on_second_cable(AF_INET, 2, 0),
                                        at_beyond(AF_INET, 2, 0), loopback(AF_INET, 0) };
    const enum host hosts[] = { FAR, FAR, BEYOND, NEAR };

    for (size_t i = 0; i < COUNT_OF(hosts); i++) {
        far_end = port_at(hosts[i], &ats[i]);
        sendto(fence.fd, "fence", 5, 0, &far_end.addr.sa, sizeof far_end.addr);
        expect_payload(far_end.fd, "fence", 5);
        port_close(&far_end);
    }
    port_close(&fence);
}

/* ---- Sending by each ------------------------------------------------------------------------- */

static int open_socket(uint16_t *number)
{
    union udpbatch_addr own = address(batch.family, batch.bound, ntohs(*number));
    struct port port = port_at(NEAR, &own);

    *number = port.addr.in4.sin_port;
    if (batch.tos >= 0) {
        set_option(port.fd, IPPROTO_IP, IP_TOS, batch.tos);
        if (batch.family == AF_INET6)
            set_option(port.fd, IPPROTO_IPV6, IPV6_TCLASS, batch.tos);
    }
    if (batch.ttl >= 0) {
        set_option(port.fd, IPPROTO_IP, IP_TTL, batch.ttl);
        if (batch.family == AF_INET6)
            set_option(port.fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, batch.ttl);
    }
    if (batch.discover >= 0) {
        set_option(port.fd, IPPROTO_IP, IP_MTU_DISCOVER, batch.discover);
        if (batch.family == AF_INET6)
            set_option(port.fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, batch.discover);
    }
    return port.fd;
}

/* False if the peer cannot be reached from where it is bound. */
static bool connect_to_peer(int fd)
{
    return batch.peer == NULL || connect(fd, &batch.peer->sa, sizeof *batch.peer) == 0;
}

static uint64_t gone_past; /* the stack */

static void send_by(const char *backend, struct outcome *outcome, uint16_t *number)
{
    struct udpbatch_packet packets[BATCH_MOST];
    struct udpbatch_sender_stats stats = { .size = sizeof stats };
    struct udpbatch_tally tally;
    int fd = open_socket(number);

    memcpy(packets, batch.packets, sizeof packets);
    memset(outcome->counts, 0, sizeof outcome->counts);
    outcome->used = 0;
    outcome->backend = backend;
    batch.options.backend = backend;
    if (!connect_to_peer(fd))
        batch.peer = NULL;
    struct sending sending = sending_begin_with(fd, &batch.options);
    do
        tally = sending_send(&sending, packets, batch.count);
    while (tally.unsent > 0 && sending_wait(&sending, &tally, PATIENCE_MS) == 0);
    assert_int_equal(tally.unsent, 0);
    assert_int_equal(udpbatch_sender_flush(sending.sender, PATIENCE_MS), 0);
    for (size_t i = 0; i < batch.count; i++)
        outcome->status[i] = packets[i].status;
    let_arrive();
    receive_all(outcome);
    udpbatch_sender_stats(sending.sender, &stats);
    gone_past += stats.xdp_packets;
    sending_end(&sending);
}

/* Of a batch that made a difference. */
static void describe(void)
{
    print_message("batch of %zu from an IPv%d socket bound to %s, %s, TOS %d, TTL %d, fragments %d,"
                  " trains %d, %s\n",
                  batch.count, batch.family == AF_INET ? 4 : 6, batch.bound,
                  batch.peer != NULL ? "connected" : "not connected", batch.tos, batch.ttl,
                  batch.discover, batch.options.trains,
                  batch.options.in_order ? "in order" : "in any order");
}

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

#define differ(...)                                                                                \
    do {                                                                                           \
        describe();                                                                                \
        fail_msg(__VA_ARGS__);                                                                     \
    } while (0)

static void compare_datagrams(const struct outcome *a, const struct outcome *b, size_t port,
                              size_t i)
{
    const struct datagram *first = &a->datagrams[port][i], *other = &b->datagrams[port][i];

    if (first->len != other->len ||
        memcmp(a->bytes + first->at, b->bytes + other->at, first->len) != 0)
        differ("%s and %s: datagram %zu at port %zu differs, of %zu and %zu bytes", a->backend,
               b->backend, i, port, first->len, other->len);
    if (!same_address(&first->from, &other->from))
        differ("%s and %s: datagram %zu at port %zu has another source", a->backend, b->backend, i,
               port);
    if (first->tos != other->tos || first->ttl != other->ttl)
        differ("%s and %s: datagram %zu at port %zu: TOS 0x%02x and 0x%02x, TTL %d and %d",
               a->backend, b->backend, i, port, (unsigned)first->tos, (unsigned)other->tos,
               first->ttl, other->ttl);
}

/* Of each port all in order, as it is one destination. */
static void compare(const struct outcome *a, const struct outcome *b)
{
    for (size_t i = 0; i < batch.count; i++)
        if (a->status[i] != b->status[i])
            differ("%s and %s: packet %zu to %s has the statuses %d and %d", a->backend, b->backend,
                   i, name_of(batch.packets[i].to), a->status[i], b->status[i]);
    for (size_t port = 0; port < port_count; port++) {
        if (a->counts[port] != b->counts[port])
            differ("%s and %s: port %zu got %zu and %zu datagrams", a->backend, b->backend, port,
                   a->counts[port], b->counts[port]);
        for (size_t i = 0; i < a->counts[port]; i++)
            compare_datagrams(a, b, port, i);
    }
}

static void all_back_ends_send_the_same(void **state)
{
    size_t arrived = 0, refused = 0;

    (void)state;
    for (size_t i = 0; i < sizeof memory; i++)
        memory[i] = (unsigned char)below(256);
    for (int round = 0; round < BATCHES; round++) {
        uint16_t number = 0;
        choose_batch();
        send_by(udpbatch_backend_name(0), &outcomes[0], &number);
        for (size_t i = 0; i < port_count; i++)
            arrived += outcomes[0].counts[i];
        for (size_t i = 0; i < batch.count; i++)
            refused += outcomes[0].status[i] < 0;
        for (size_t i = 1; udpbatch_backend_name(i) != NULL; i++) {
            send_by(udpbatch_backend_name(i), &outcomes[1], &number);
            compare(&outcomes[0], &outcomes[1]);
        }
    }
    print_message("by each %zu datagrams arrived and %zu were refused; past the stack went %u\n",
                  arrived, refused, (unsigned)gone_past);
    assert_true(arrived > BATCHES && refused > BATCHES && gone_past > BATCHES);
}

int main(void)
{
    static const struct test tests[] = {
        TEST_ONCE(make_targets),
        TEST_ONCE(all_back_ends_send_the_same),
    };
    const char *missing = past_stack_make();
    unsetenv("UDPBATCH_GSO");
    if (missing != NULL)
        return must_be_able(missing) ? EXIT_FAILURE : EXIT_SKIP;
    chance_begin();
    return run_all("all back ends", tests, COUNT_OF(tests));
}
