/* test_xdp_frames.c: what goes past the network stack leaves as the socket would have sent it,
 * whatever the socket was set to.
 *
 * The program makes hosts of its own (past_stack.h) and looks at the cable between them. It needs
 * root or user namespaces, and ip; where these are missing it exits with 77, or fails if CI is set.
 */
#define _GNU_SOURCE
#include "chance.h"
#include "past_stack.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static struct udpbatch_packet packets[MANY];
static struct frame frames[CAPTURE_MOST];

/* ---- Frames ---------------------------------------------------------------------------------- */

/* All go past the stack, and what is on the cable are they. */
static void send_and_see(struct xdp *xdp, struct capture *capture, size_t n)
{
    xdp_send(xdp, packets, n);
    expect_past(xdp, n);
    assert_int_equal(capture_all(capture, frames, CAPTURE_MOST), n);
    for (size_t i = 0; i < n; i++)
        expect_frame(&frames[i], xdp, &packets[i]);
}

static void packets_of_all_lengths_leave_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < family_count(); i++) {
        union udpbatch_addr to = on_cable(FAMILIES[i], 2, 5000);
        struct capture capture = capture_open();
        struct xdp xdp = xdp_begin(FAMILIES[i]);
        uint32_t n = longest_payload(FAMILIES[i]) + 1;

        make_lengths(packets, n, &to);
        send_and_see(&xdp, &capture, n);
        xdp_end(&xdp);
        capture_close(&capture);
    }
}

/* One of the payloads of two bytes makes a checksum of zero, which is to be written otherwise: zero
 * is none (RFC 768), and IPv6 drops such. */
static void every_checksum_is_right(void **state)
{
    enum { ROUND = 2048, ROUNDS = 65536 / ROUND }; /* the capture has room for twice as many */
    static uint16_t payloads[ROUND];

    (void)state;
    for (size_t i = 0; i < family_count() * ROUNDS; i++) {
        struct udpbatch_sender_options options = xdp_options("near");
        union udpbatch_addr to = on_cable(FAMILIES[i / ROUNDS], 2, 5000);
        union udpbatch_addr own = on_cable(FAMILIES[i / ROUNDS], 1, 6000);
        struct capture capture = capture_open();
        options.trains = UDPBATCH_TRAINS_OFF;
        struct xdp xdp = xdp_begin_at(&own, &options);

        for (size_t k = 0; k < ROUND; k++) {
            payloads[k] = (uint16_t)(i % ROUNDS * ROUND + k);
            packets[k] = (struct udpbatch_packet){ .data = &payloads[k], .len = 2, .to = &to };
        }
        send_and_see(&xdp, &capture, ROUND);
        xdp_end(&xdp);
        capture_close(&capture);
    }
}

static void what_arrives_is_what_was_sent(void **state)
{
    enum { COUNT = 200 };

    (void)state;
    for (size_t i = 0; i < family_count(); i++) {
        union udpbatch_addr at = on_cable(FAMILIES[i], 2, 0);
        struct port port = port_at(FAR, &at);
        struct xdp xdp = xdp_begin(FAMILIES[i]);

        make_lengths(packets, 4 + COUNT, &port.addr);
        xdp_send(&xdp, packets + 4, COUNT);
        expect_past(&xdp, COUNT);
        for (uint32_t k = 4; k < 4 + COUNT; k++)
            expect_payload(port.fd, packets[k].data, k);
        expect_nothing(port.fd);
        xdp_end(&xdp);
        port_close(&port);
    }
}

static void ipv4_leaves_from_an_ipv6_socket(void **state)
{
    (void)state;
    need_family(AF_INET6);
    union udpbatch_addr to = address(AF_INET6, "::ffff:10.99.0.2", 5000);
    union udpbatch_addr behind = address(AF_INET6, "::ffff:10.98.0.7", 5000);
    union udpbatch_addr in6 = on_cable(AF_INET6, 2, 5000);
    struct capture capture = capture_open();
    struct xdp xdp = xdp_begin(AF_INET6);

    make_lengths(packets, 30, &to);
    for (size_t i = 0; i < 30; i++)
        packets[i].to = i % 2 == 0 ? &to : &behind;
    xdp.own = address(AF_INET6, "::ffff:10.99.0.1", ntohs(xdp.own.in6.sin6_port));
    send_and_see(&xdp, &capture, 30);
    make_lengths(packets, 30, &in6);
    xdp.own = on_cable(AF_INET6, 1, ntohs(xdp.own.in6.sin6_port));
    send_and_see(&xdp, &capture, 30);
    xdp_end(&xdp);
    capture_close(&capture);
}

static void a_packet_without_address_leaves_to_the_connected_peer(void **state)
{
    (void)state;
    for (size_t i = 0; i < family_count(); i++) {
        union udpbatch_addr peer = behind_far(FAMILIES[i], 4, 5000);
        union udpbatch_addr other = on_cable(FAMILIES[i], 2, 5001);
        struct capture capture = capture_open();
        struct xdp xdp = xdp_begin(FAMILIES[i]);

        connect_to(xdp.sending.fd, &peer);
        make_lengths(packets, 30, NULL);
        for (size_t k = 0; k < 30; k++)
            packets[k].to = k % 3 == 0 ? &other : NULL;
        send_and_see(&xdp, &capture, 30);
        for (size_t k = 0; k < 30; k++) {
            assert_true(same_address(&frames[k].to, k % 3 == 0 ? &other : &peer));
            assert_int_equal(frames[k].tos, 0);
            assert_int_equal(frames[k].ttl, 64);
        }
        xdp_end(&xdp);
        capture_close(&capture);
    }
}

/* Connected to another peer between calls. */
static void a_new_peer_gets_the_next_packet(void **state)
{
    (void)state;
    for (size_t i = 0; i < family_count(); i++) {
        struct capture capture = capture_open();
        struct xdp xdp = xdp_begin(FAMILIES[i]);

        for (uint16_t k = 0; k < 10; k++) {
            union udpbatch_addr peer = behind_far(FAMILIES[i], 1 + k % 3, 5000 + k);
            connect_to(xdp.sending.fd, &peer);
            make_lengths(packets, 5, NULL);
            send_and_see(&xdp, &capture, 5);
            assert_true(same_address(&frames[0].to, &peer));
        }
        xdp_end(&xdp);
        capture_close(&capture);
    }
}

/* Cuts `len` bytes of memory into that many pieces, some of them empty. */
static void cut(struct udpbatch_packet *packet, struct udpbatch_piece *pieces, uint32_t count,
                uint32_t len)
{
    const unsigned char *data = packet->data;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t part = i + 1 == count ? len : below(len + 1) % (1 + 2 * len / (count - i));
        pieces[i] = (struct udpbatch_piece){ part > 0 ? data : NULL, part };
        data += part;
        len -= part;
    }
    packet->data = pieces;
    packet->len = UDPBATCH_PIECES(count);
}

static void payloads_in_pieces_leave_in_one(void **state)
{
    enum { COUNT = 40, PIECES = 1024 };
    static struct udpbatch_piece pieces[COUNT][PIECES];

    (void)state;
    for (size_t i = 0; i < family_count(); i++) {
        union udpbatch_addr to = on_cable(FAMILIES[i], 2, 5000);
        struct capture capture = capture_open();
        struct xdp xdp = xdp_begin(FAMILIES[i]);

        make_packets(packets, COUNT, LEN_MOST, &to);
        for (uint32_t k = 0; k < COUNT; k++)
            cut(&packets[k], pieces[k], k % 4 == 3 ? PIECES : 1 + k / 4, 30 * k);
        send_and_see(&xdp, &capture, COUNT);
        xdp_end(&xdp);
        capture_close(&capture);
    }
}

static void packets_through_a_router_arrive_behind_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < family_count(); i++) {
        union udpbatch_addr at = at_beyond(FAMILIES[i], 2, 0);
        struct port port = port_at(BEYOND, &at);
        struct xdp xdp = xdp_begin(FAMILIES[i]);

        make_lengths(packets, 100, &port.addr);
        xdp_send(&xdp, packets + 4, 96);
        expect_past(&xdp, 96);
        for (uint32_t k = 4; k < 100; k++)
            expect_payload(port.fd, packets[k].data, k);
        expect_nothing(port.fd);
        xdp_end(&xdp);
        port_close(&port);
    }
}

/* ---- As the socket would have sent it -------------------------------------------------------- */

/* An option of the socket that sends; of both families, or one. */
struct setting {
    const char *name;
    int family; /* 0: any */
    int level, option, value;
    bool leaves_none; /* it may be that nothing goes past the stack */
};

static const struct setting SETTINGS[] = {
    { "nothing", 0, SOL_SOCKET, SO_BROADCAST, 0, false },
    { "TOS", AF_INET, IPPROTO_IP, IP_TOS, 0xb8, false },
    { "TOS with ECN", AF_INET, IPPROTO_IP, IP_TOS, 0x12, false },
    { "TTL 1", AF_INET, IPPROTO_IP, IP_TTL, 1, false },
    { "TTL 255", AF_INET, IPPROTO_IP, IP_TTL, 255, false },
    { "fragments", AF_INET, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT, false },
    { "fragments if need be", AF_INET, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_WANT, false },
    { "no fragments", AF_INET, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO, false },
    { "probes", AF_INET, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE, false },
    { "the interface's MTU", AF_INET, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_INTERFACE, false },
    { "the MTU left out", AF_INET, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT, false },
    { "traffic class", AF_INET6, IPPROTO_IPV6, IPV6_TCLASS, 0xb9, false },
    { "hop limit 1", AF_INET6, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 1, false },
    { "hop limit 255", AF_INET6, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 255, false },
    { "no fragments", AF_INET6, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DO, false },
    { "probes", AF_INET6, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE, false },
    { "an MTU of its own", AF_INET6, IPPROTO_IPV6, IPV6_MTU, 1300, false },
    { "don't fragment", AF_INET6, IPPROTO_IPV6, IPV6_DONTFRAG, 1, false },
    { "on the link only", 0, SOL_SOCKET, SO_DONTROUTE, 1, true },
    { "a priority", 0, SOL_SOCKET, SO_PRIORITY, 6, false },
    { "a mark", 0, SOL_SOCKET, SO_MARK, 77, false },
    { "IPv6 alone", AF_INET6, IPPROTO_IPV6, IPV6_V6ONLY, 1, true },
};

/* What is sent with each: with these metas, to these hosts, of these lengths. */
static const struct udpbatch_meta METAS[] = {
    { .flags = 0 },
    { .flags = UDPBATCH_META_TOS, .tos = 0x2e },
    { .flags = UDPBATCH_META_TOS, .tos = 0 },
    { .flags = UDPBATCH_META_TTL, .ttl = 9 },
    { .flags = UDPBATCH_META_TOS | UDPBATCH_META_TTL, .tos = 0xff, .ttl = 255 },
    { .flags = UDPBATCH_META_DONT_FRAGMENT },
    { .flags = UDPBATCH_META_CAME_TO | UDPBATCH_META_CAME_WITH_TOS, .tos = 0xff, .ttl = 1 },
};

enum { HOSTS = 4, SAMPLES = HOSTS * COUNT_OF(METAS) };

static union udpbatch_addr sample_hosts[HOSTS];

static void make_sample_hosts(int family, bool is_mapped)
{
    const char *mapped[HOSTS] = { "::ffff:10.99.0.2", "::ffff:10.98.0.2", "::ffff:10.96.0.2",
                                  "::ffff:10.98.1.1" };
    if (is_mapped) {
        for (size_t i = 0; i < HOSTS; i++)
            sample_hosts[i] = address(AF_INET6, mapped[i], 5000);
        return;
    }
    sample_hosts[0] = on_cable(family, 2, 5000);
    sample_hosts[1] = behind_far(family, 2, 5001);
    sample_hosts[2] = at_beyond(family, 2, 5002);
    sample_hosts[3] = address(family, family == AF_INET ? "192.0.2.1" : "2001:db8::1", 9);
}

static void make_samples(void)
{
    make_packets(packets, SAMPLES, LEN_MOST, NULL);
    for (uint32_t i = 0; i < SAMPLES; i++) {
        packets[i].to = &sample_hosts[i % HOSTS];
        if (packets[i].to->sa.sa_family == AF_UNSPEC) /* the connected peer */
            packets[i].to = NULL;
        packets[i].meta = &METAS[i / HOSTS];
        packets[i].len = 10 + 40 * i;
    }
}

/* What cannot differ: the bit that forbids fragments is one of IPv4's. */
static void compare_frames(const char *name, const struct frame *theirs, const struct frame *ours)
{
    if (memcmp(theirs->to_mac, ours->to_mac, MAC) != 0 ||
        memcmp(theirs->from_mac, ours->from_mac, MAC) != 0)
        fail_msg("%s: other link addresses", name);
    if (!same_address(&theirs->from, &ours->from) || !same_address(&theirs->to, &ours->to))
        fail_msg("%s: other addresses", name);
    if (theirs->tos != ours->tos || theirs->ttl != ours->ttl)
        fail_msg("%s: TOS 0x%02x, TTL %d in place of 0x%02x, %d", name, (unsigned)ours->tos,
                 ours->ttl, (unsigned)theirs->tos, theirs->ttl);
    if (theirs->forbids_fragments != ours->forbids_fragments)
        fail_msg("%s: fragments are %s", name, ours->forbids_fragments ? "forbidden" : "allowed");
    if (theirs->options != ours->options)
        fail_msg("%s: %zu bytes of options in place of %zu", name, ours->options, theirs->options);
    if (theirs->len != ours->len || memcmp(theirs->data, ours->data, ours->len) != 0)
        fail_msg("%s: another payload", name);
}

/* Sends the samples by the socket alone and past the stack, on one socket, and compares. Returns
 * how many went past the stack. */
static size_t compare_ways(const char *name, int fd, struct capture *capture)
{
    static struct frame theirs[SAMPLES];
    struct udpbatch_sender_options options = xdp_options("near");
    struct xdp xdp = { .sending = sending_begin_with(dup(fd), &options) };
    int32_t status[SAMPLES];

    make_samples();
    udpbatch_send(fd, packets, SAMPLES);
    size_t count = capture_all(capture, theirs, SAMPLES);
    for (size_t i = 0; i < SAMPLES; i++)
        status[i] = packets[i].status;
    make_samples();
    sending_send(&xdp.sending, packets, SAMPLES);
    for (size_t i = 0; i < SAMPLES; i++)
        if (packets[i].status != status[i])
            fail_msg("%s: packet %zu has the status %d in place of %d", name, i, packets[i].status,
                     status[i]);
    assert_int_equal(capture_all(capture, frames, SAMPLES), count);
    for (size_t i = 0; i < count; i++)
        compare_frames(name, &theirs[i], &frames[i]);
    size_t past = (size_t)xdp_stats(&xdp).xdp_packets;
    xdp_end(&xdp);
    return past;
}

static int bound_socket(int family, const char *text)
{
    union udpbatch_addr own = address(family, text, 0);
    return port_at(NEAR, &own).fd;
}

static const char *any_of(int family)
{
    return family == AF_INET ? "0.0.0.0" : "::";
}

static void compare_with(const struct setting *setting, int family, bool is_mapped,
                         struct capture *capture)
{
    char name[160];
    int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    union udpbatch_addr any = address(family, any_of(family), 0);

    set_option(fd, setting->level, setting->option, setting->value);
    assert_int_equal(bind(fd, &any.sa, sizeof any), 0);
    make_sample_hosts(family, is_mapped);
    snprintf(name, sizeof name, "%s, from an IPv%d socket%s", setting->name,
             family == AF_INET ? 4 : 6, is_mapped ? " as IPv4" : "");
    if (compare_ways(name, fd, capture) == 0 && !setting->leaves_none)
        fail_msg("%s: none went past the stack", name);
    close(fd);
}

/* An IPv6 socket has settings for what it sends as IPv4, too. */
static void frames_are_as_the_socket_would_have_made_them(void **state)
{
    struct capture capture = capture_open();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(SETTINGS); i++) {
        if (SETTINGS[i].family != AF_INET6)
            compare_with(&SETTINGS[i], AF_INET, false, &capture);
        if (!has_in6())
            continue;
        if (SETTINGS[i].family != AF_INET)
            compare_with(&SETTINGS[i], AF_INET6, false, &capture);
        compare_with(&SETTINGS[i], AF_INET6, true, &capture);
    }
    capture_close(&capture);
}

static void they_leave_from_the_address_that_the_socket_is_bound_to(void **state)
{
    static const char *const owns[] = { "10.99.0.1", "10.99.0.3",        "fd99::1",
                                        "fd99::3",   "fd97::1",          "::ffff:10.99.0.3",
                                        "fd95::1",   "::ffff:10.99.0.1", "10.95.0.1" };
    struct capture capture = capture_open();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(owns); i++) {
        int family = strchr(owns[i], ':') != NULL ? AF_INET6 : AF_INET;
        if (family == AF_INET6 && !has_in6())
            continue;
        for (int mapped = 0; mapped <= (family == AF_INET6); mapped++) {
            int fd = bound_socket(family, owns[i]);
            make_sample_hosts(family, mapped != 0);
            compare_ways(owns[i], fd, &capture);
            close(fd);
        }
    }
    capture_close(&capture);
}

/* The address that connect(2) chose is that of what goes elsewhere, too. */
static void they_leave_from_the_address_that_a_connect_has_chosen(void **state)
{
    struct capture capture = capture_open();

    (void)state;
    assert_true(run_at(NEAR, "ip route add 10.94.0.0/24 via 10.99.0.2 src 10.99.0.3"));
    assert_true(!has_in6() || run_at(NEAR, "ip route add fd94::/64 via fd99::2 src fd99::3"));
    for (size_t i = 0; i < family_count(); i++) {
        int fd = bound_socket(FAMILIES[i], any_of(FAMILIES[i]));
        union udpbatch_addr peer =
            address(FAMILIES[i], FAMILIES[i] == AF_INET ? "10.94.0.1" : "fd94::1", 5000);
        connect_to(fd, &peer);
        make_sample_hosts(FAMILIES[i], false);
        compare_ways("connected", fd, &capture);
        sample_hosts[0] = peer;
        compare_ways("connected, and to the peer's address", fd, &capture);
        memset(sample_hosts, 0, sizeof sample_hosts);
        compare_ways("connected, and to the peer", fd, &capture);
        close(fd);
    }
    capture_close(&capture);
}

/* A group is what a socket listens to; the kernel chooses what it sends from, for the peer of a
 * connected one and for others alike. */
static void a_group_is_not_what_they_leave_from(void **state)
{
    struct capture capture = capture_open();

    (void)state;
    for (size_t i = 0; i < family_count(); i++) {
        bool is_in4 = FAMILIES[i] == AF_INET;
        int fd = bound_socket(FAMILIES[i], is_in4 ? "239.1.2.3" : "ff05::1234");
        union udpbatch_addr peer = address(FAMILIES[i], is_in4 ? "10.89.0.1" : "fd89::1", 5000);

        make_sample_hosts(FAMILIES[i], false);
        compare_ways("bound to a group", fd, &capture);
        make_sample_hosts(FAMILIES[i], !is_in4);
        compare_ways("bound to a group, as IPv4", fd, &capture);
        assert_true(run_at(NEAR, is_in4 ? "ip route add 10.89.0.0/24 via 10.99.0.2 src 10.99.0.3"
                                        : "ip route add fd89::/64 via fd99::2 src fd99::3"));
        connect_to(fd, &peer);
        make_sample_hosts(FAMILIES[i], false);
        compare_ways("bound to a group and connected", fd, &capture);
        close(fd);
    }
    capture_close(&capture);
}

enum { ADDR_PREFERENCES = 72, PREFER_TEMPORARY = 1, PREFER_PUBLIC = 2 }; /* of linux/in6.h */

/* Both a public address and a temporary one of that network (RFC 8981). */
static void add_temporary_address(void)
{
    int64_t begun = now_ms();

    assert_true(run_at(NEAR, "cd /proc/sys/net/ipv6/conf/near && echo 0 >accept_dad &&"
                             " echo 2 >use_tempaddr && ip addr add fd88::1/64 dev near nodad"
                             " mngtmpaddr && ip neigh replace fd88::2 lladdr 02:00:00:00:00:02"
                             " dev near nud permanent"));
    while (!run_at(NEAR, "ip -6 addr show dev near temporary -tentative | grep -q fd88"))
        assert_true(now_ms() - begun < PATIENCE_MS);
}

static void the_address_that_the_socket_prefers_is_taken(void **state)
{
    static const struct preference {
        int uses_temporary, prefers;
    } preferences[] = { { 2, 0 }, { 2, PREFER_PUBLIC }, { 1, 0 }, { 1, PREFER_TEMPORARY } };
    struct capture capture = capture_open();

    (void)state;
    need_family(AF_INET6);
    add_temporary_address();
    for (unsigned i = 0; i < HOSTS; i++)
        sample_hosts[i] = address(AF_INET6, "fd88::2", (uint16_t)(5000 + i));
    for (size_t i = 0; i < COUNT_OF(preferences); i++) {
        const struct preference *preference = &preferences[i];
        int fd = bound_socket(AF_INET6, "::");
        assert_true(run_at(NEAR, "echo %d >/proc/sys/net/ipv6/conf/near/use_tempaddr",
                           preference->uses_temporary));
        if (preference->prefers != 0)
            set_option(fd, IPPROTO_IPV6, ADDR_PREFERENCES, preference->prefers);
        size_t past = compare_ways("address preferences", fd, &capture);
        assert_int_equal(past, preference->prefers != 0 ? 0 : SAMPLES);
        close(fd);
    }
    assert_true(run_at(NEAR, "echo 0 >/proc/sys/net/ipv6/conf/near/use_tempaddr &&"
                             " ip addr del fd88::1/64 dev near"));
    capture_close(&capture);
}

/* Its index says the link. */
static void a_link_local_address_is_reached_past_the_stack(void **state)
{
    (void)state;
    need_family(AF_INET6);
    union udpbatch_addr other = address(AF_INET6, "fe80::2", 5000);
    struct capture capture = capture_open();
    struct xdp xdp = xdp_begin(AF_INET6);

    other.in6.sin6_scope_id = if_nametoindex("near2");
    assert_int_equal(xdp_send_one(&xdp, &other, 10), 1);
    expect_detour(&xdp, UDPBATCH_DETOUR_DEVICE, 1);
    xdp_end(&xdp);
    for (unsigned i = 0; i < HOSTS; i++) {
        sample_hosts[i] = address(AF_INET6, "fe80::2", (uint16_t)(5000 + i));
        sample_hosts[i].in6.sin6_scope_id = if_nametoindex("near");
    }
    int fd = bound_socket(AF_INET6, "::");
    assert_int_equal(compare_ways("link-local", fd, &capture), SAMPLES);
    close(fd);
    capture_close(&capture);
}

static void no_two_packets_that_may_be_cut_have_one_number(void **state)
{
    enum { COUNT = 200 };
    static bool seen[UINT16_MAX + 1];
    union udpbatch_addr to = on_cable(AF_INET, 2, 5000);
    struct capture capture = capture_open();
    struct xdp xdp = xdp_begin(AF_INET);

    (void)state;
    set_option(xdp.sending.fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT);
    make_lengths(packets, COUNT, &to);
    send_and_see(&xdp, &capture, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        assert_false(frames[i].forbids_fragments);
        assert_false(seen[frames[i].id]);
        seen[frames[i].id] = true;
    }
    xdp_end(&xdp);
    capture_close(&capture);
}

/* What a socket may be given that no header of UDP has room for, or that changes the route. */
static const struct extra {
    const char *name;
    int family, level, option;
    socklen_t len;
    unsigned char value[24];
} EXTRAS[] = {
    { "IP options", AF_INET, IPPROTO_IP, IP_OPTIONS, 4, { 1, 1, 1, 0 } },
    { "bound to the device", AF_INET, SOL_SOCKET, SO_BINDTODEVICE, 4, "near" },
    { "bound to the device", AF_INET6, SOL_SOCKET, SO_BINDTODEVICE, 4, "near" },
    { "bound to another", AF_INET, SOL_SOCKET, SO_BINDTODEVICE, 5, "near2" },
    { "bound to another", AF_INET6, SOL_SOCKET, SO_BINDTODEVICE, 5, "near2" },
    { "hop-by-hop options", AF_INET6, IPPROTO_IPV6, IPV6_HOPOPTS, 8, { 0, 0, 1, 4 } },
    { "destination options", AF_INET6, IPPROTO_IPV6, IPV6_DSTOPTS, 8, { 0, 0, 1, 4 } },
};

static void what_only_the_stack_can_add_is_added(void **state)
{
    struct capture capture = capture_open();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(EXTRAS); i++) {
        const struct extra *extra = &EXTRAS[i];
        if (extra->family == AF_INET6 && !has_in6())
            continue;
        int fd = bound_socket(extra->family, any_of(extra->family));
        assert_int_equal(setsockopt(fd, extra->level, extra->option, extra->value, extra->len), 0);
        make_sample_hosts(extra->family, false);
        compare_ways(extra->name, fd, &capture);
        close(fd);
    }
    capture_close(&capture);
}

/* An IPv6 socket may be given an address or a device for all that it sends (RFC 3542, 6). */
static void what_the_socket_says_of_all_packets_holds(void **state)
{
    struct capture capture = capture_open();

    (void)state;
    need_family(AF_INET6);
    for (size_t i = 0; i < 2; i++) {
        struct in6_pktinfo origin = { .ipi6_ifindex = if_nametoindex("near") };
        int fd = bound_socket(AF_INET6, "::");
        if (i == 0)
            origin.ipi6_addr = on_cable(AF_INET6, 3, 0).in6.sin6_addr;
        assert_int_equal(setsockopt(fd, IPPROTO_IPV6, IPV6_PKTINFO, &origin, sizeof origin), 0);
        make_sample_hosts(AF_INET6, false);
        compare_ways("IPV6_PKTINFO", fd, &capture);
        close(fd);
    }
    capture_close(&capture);
}

/* The kernel wants the index in network byte order (ip(7), IP_UNICAST_IF). */
static void the_device_that_the_socket_prefers_is_taken(void **state)
{
    static const char *const devices[] = { "near", "near2" };
    struct capture capture = capture_open();

    (void)state;
    for (size_t i = 0; i < 2 * family_count(); i++) {
        int family = FAMILIES[i / 2], fd = bound_socket(family, any_of(family));
        int index = (int)htonl(if_nametoindex(devices[i % 2]));
        if (family == AF_INET)
            set_option(fd, IPPROTO_IP, IP_UNICAST_IF, index);
        else
            set_option(fd, IPPROTO_IPV6, IPV6_UNICAST_IF, index);
        make_sample_hosts(family, false);
        compare_ways(devices[i % 2], fd, &capture);
        close(fd);
    }
    capture_close(&capture);
}

/* A socket may have been told to cut what it is given (udp(7), UDP_SEGMENT). */
static void a_socket_that_cuts_payloads_goes_on_to_do_so(void **state)
{
    union udpbatch_addr at = on_cable(AF_INET, 2, 0);
    struct port port = port_at(FAR, &at);
    struct xdp xdp = xdp_begin(AF_INET);
    char room[LEN_MOST];

    (void)state;
    set_option(xdp.sending.fd, SOL_UDP, UDP_SEGMENT, 100);
    assert_int_equal(xdp_send_one(&xdp, &port.addr, 350), 1);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(receive_one(port.fd, room, sizeof room, NULL), i < 3 ? 100 : 50);
    expect_nothing(port.fd);
    xdp_end(&xdp);
    port_close(&port);
}

static void the_usual_hop_limits_are_the_systems(void **state)
{
    static const char *const changes[] = {
        "echo 33 >/proc/sys/net/ipv4/ip_default_ttl",
        "echo 34 >/proc/sys/net/ipv6/conf/near/hop_limit",
        "echo 35 >/proc/sys/net/ipv6/conf/all/hop_limit",
        "echo 64 >/proc/sys/net/ipv4/ip_default_ttl",
        "echo 64 >/proc/sys/net/ipv6/conf/near/hop_limit",
        "echo 64 >/proc/sys/net/ipv6/conf/all/hop_limit",
    };
    struct capture capture = capture_open();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(changes) * family_count(); i++) {
        int family = FAMILIES[i % family_count()];
        const char *change = changes[i / family_count()];
        if (strstr(change, "ipv6") != NULL && !has_in6())
            continue;
        assert_true(run_at(NEAR, "%s", change));
        int fd = bound_socket(family, any_of(family));
        make_sample_hosts(family, false);
        compare_ways(change, fd, &capture);
        close(fd);
    }
    capture_close(&capture);
}

/* A connected socket tells the hop limit of the way to its peer as its own; that of what goes
 * elsewhere is the usual one. */
static void the_hop_limit_of_the_way_to_the_peer_is_the_peers_alone(void **state)
{
    static const char *const peers[] = { "fd87::1", "fd95::2" };
    struct capture capture = capture_open();

    (void)state;
    need_family(AF_INET6);
    assert_true(run_at(NEAR, "ip route add fd87::/64 via fd99::2 hoplimit 3 &&"
                             " echo 5 >/proc/sys/net/ipv6/conf/near2/hop_limit"));
    for (size_t i = 0; i < COUNT_OF(peers); i++) {
        union udpbatch_addr peer = address(AF_INET6, peers[i], 5000);
        int fd = bound_socket(AF_INET6, "::");
        connect_to(fd, &peer);
        make_sample_hosts(AF_INET6, false);
        compare_ways(peers[i], fd, &capture);
        sample_hosts[0] = peer;
        compare_ways(peers[i], fd, &capture);
        close(fd);
    }
    assert_true(run_at(NEAR, "ip route del fd87::/64 &&"
                             " echo 64 >/proc/sys/net/ipv6/conf/near2/hop_limit"));
    capture_close(&capture);
}

/* A process that may open no more files cannot read the device's hop limit, and leaves it to the
 * stack. */
static void a_hop_limit_that_cannot_be_read_is_the_stacks(void **state)
{
    struct rlimit limit, none;
    struct capture capture = capture_open();

    (void)state;
    need_family(AF_INET6);
    union udpbatch_addr to = on_cable(AF_INET6, 2, 5000);
    assert_true(run_at(NEAR, "echo 5 >/proc/sys/net/ipv6/conf/near/hop_limit"));
    struct xdp xdp = xdp_begin(AF_INET6);
    assert_int_equal(xdp_send_one(&xdp, &to, 10), 1);
    expect_detour(&xdp, UDPBATCH_DETOUR_ROUTE, 1);
    assert_true(run_at(NEAR, "ip link set near alias changed")); /* so that it is read again */
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = limit;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    int32_t status = xdp_send_one(&xdp, &to, 10);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(status, 1);
    expect_detour(&xdp, UDPBATCH_DETOUR_ROUTE, 1);
    assert_int_equal(capture_all(&capture, frames, 2), 2);
    assert_int_equal(frames[1].ttl, 5);
    assert_true(run_at(NEAR, "echo 64 >/proc/sys/net/ipv6/conf/near/hop_limit"));
    send_until_past(&xdp, &to);
    xdp_end(&xdp);
    capture_close(&capture);
}

/* Within a moment, as the socket is looked at now and then. */
static void a_setting_may_change_while_the_sender_is_open(void **state)
{
    struct capture capture = capture_open();
    struct xdp xdp = xdp_begin(AF_INET);
    union udpbatch_addr to = on_cable(AF_INET, 2, 5000);

    (void)state;
    for (int ttl = 10; ttl < 13; ttl++) {
        int64_t begun = now_ms();
        set_option(xdp.sending.fd, IPPROTO_IP, IP_TTL, ttl);
        do {
            make_lengths(packets, 1, &to);
            send_and_see(&xdp, &capture, 1);
            assert_true(now_ms() - begun < PATIENCE_MS);
        } while (frames[0].ttl != ttl);
    }
    xdp_end(&xdp);
    capture_close(&capture);
}

/* At once, what it has not sent to before: its settings for that family were not looked at. */
static void a_socket_may_change_its_family_while_the_sender_is_open(void **state)
{
    const struct sockaddr nobody = { .sa_family = AF_UNSPEC };
    union udpbatch_addr in4 = on_cable(AF_INET, 2, 5000), in6 = on_cable(AF_INET6, 2, 5000);

    (void)state;
    need_family(AF_INET6);
    struct capture capture = capture_open();
    struct xdp xdp = xdp_begin(AF_INET6);
    connect_to(xdp.sending.fd, &in6);
    make_lengths(packets, 1, &in6);
    send_and_see(&xdp, &capture, 1);
    assert_int_equal(connect(xdp.sending.fd, &nobody, sizeof nobody), 0);
    make_lengths(packets, 1, &in4);
    xdp_send(&xdp, packets, 1);
    capture_all(&capture, frames, CAPTURE_MOST - 1);
    assert_int_equal(frames[0].ttl, 64);
    assert_true(frames[0].forbids_fragments);
    xdp_end(&xdp);
    capture_close(&capture);
}

int main(void)
{
    static const struct test tests[] = {
        TEST_ONCE(the_way_to_the_far_side_is_open),
        TEST_ONCE(packets_of_all_lengths_leave_whole),
        TEST_ONCE(every_checksum_is_right),
        TEST_ONCE(what_arrives_is_what_was_sent),
        TEST_ONCE(ipv4_leaves_from_an_ipv6_socket),
        TEST_ONCE(a_packet_without_address_leaves_to_the_connected_peer),
        TEST_ONCE(a_new_peer_gets_the_next_packet),
        TEST_ONCE(payloads_in_pieces_leave_in_one),
        TEST_ONCE(packets_through_a_router_arrive_behind_it),
        TEST_ONCE(frames_are_as_the_socket_would_have_made_them),
        TEST_ONCE(they_leave_from_the_address_that_the_socket_is_bound_to),
        TEST_ONCE(they_leave_from_the_address_that_a_connect_has_chosen),
        TEST_ONCE(a_group_is_not_what_they_leave_from),
        TEST_ONCE(the_address_that_the_socket_prefers_is_taken),
        TEST_ONCE(a_link_local_address_is_reached_past_the_stack),
        TEST_ONCE(no_two_packets_that_may_be_cut_have_one_number),
        TEST_ONCE(what_only_the_stack_can_add_is_added),
        TEST_ONCE(what_the_socket_says_of_all_packets_holds),
        TEST_ONCE(the_device_that_the_socket_prefers_is_taken),
        TEST_ONCE(a_socket_that_cuts_payloads_goes_on_to_do_so),
        TEST_ONCE(the_usual_hop_limits_are_the_systems),
        TEST_ONCE(the_hop_limit_of_the_way_to_the_peer_is_the_peers_alone),
        TEST_ONCE(a_hop_limit_that_cannot_be_read_is_the_stacks),
        TEST_ONCE(a_setting_may_change_while_the_sender_is_open),
        TEST_ONCE(a_socket_may_change_its_family_while_the_sender_is_open),
    };
    const char *missing = past_stack_make();
    unsetenv("UDPBATCH_GSO");
    if (missing != NULL)
        return must_be_able(missing) ? EXIT_FAILURE : EXIT_SKIP;
    chance_begin();
    return run_all("frames past the stack", tests, COUNT_OF(tests));
}
