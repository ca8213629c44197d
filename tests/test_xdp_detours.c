/* test_xdp_detours.c: what cannot go past the network stack takes the socket in the same call, with
 * the socket's own statuses, and the statistics say why.
 *
 * The program makes hosts of its own (past_stack.h) and looks at the cable between them. It needs
 * root or user namespaces, and ip and tc; where these are missing it exits with 77, or fails if CI
 * is set.
 */
#define _GNU_SOURCE
#include "chance.h"
#include "past_stack.h"

#include <errno.h>
#include <linux/net_tstamp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct udpbatch_packet packets[MANY];
static struct frame frames[CAPTURE_MOST];

/* ---- By the socket --------------------------------------------------------------------------- */

static void trains_take_the_socket(void **state)
{
    enum { COUNT = 40 };

    (void)state;
    for (size_t i = 0; i < family_count(); i++) {
        union udpbatch_addr at = on_cable(FAMILIES[i], 2, 0);
        struct port port = port_at(FAR, &at), other = port_at(FAR, &at);
        struct xdp xdp = xdp_begin(FAMILIES[i]);
        uint64_t ways[UDPBATCH_DETOURS] = {
            [UDPBATCH_DETOUR_TRAIN] = COUNT, [UDPBATCH_DETOUR_NONE] = 1
        };

        make_packets(packets, COUNT + 1, 100, &port.addr);
        packets[COUNT].to = &other.addr;
        xdp_send(&xdp, packets, COUNT + 1);
        expect_ways(&xdp, ways);
        expect_arrival(&port, packets, COUNT + 1);
        expect_arrival(&other, packets, COUNT + 1);
        xdp_end(&xdp);
        port_close(&port);
        port_close(&other);
    }
}

static void without_trains_all_go_past_the_stack(void **state)
{
    enum { COUNT = 40 };
    struct udpbatch_sender_options options = xdp_options("near");

    (void)state;
    options.trains = UDPBATCH_TRAINS_OFF;
    for (size_t i = 0; i < family_count(); i++) {
        union udpbatch_addr at = on_cable(FAMILIES[i], 2, 0), own = on_cable(FAMILIES[i], 1, 0);
        struct port port = port_at(FAR, &at);
        struct xdp xdp = xdp_begin_at(&own, &options);

        make_packets(packets, COUNT, 100, &port.addr);
        xdp_send(&xdp, packets, COUNT);
        expect_past(&xdp, COUNT);
        expect_arrival(&port, packets, COUNT);
        xdp_end(&xdp);
        port_close(&port);
    }
}

/* One of each length, which all arrive, by the socket for that reason. */
static void take_the_socket(struct xdp *xdp, const struct port *port, uint32_t len,
                            enum udpbatch_detour reason)
{
    enum { COUNT = 10 };

    make_packets(packets, COUNT, LEN_MOST, &port->addr);
    for (uint32_t i = 0; i < COUNT; i++)
        packets[i].len = len + i;
    xdp_send(xdp, packets, COUNT);
    expect_detour(xdp, reason, COUNT);
    expect_arrival(port, packets, COUNT);
}

static void other_devices_are_reached_by_the_socket(void **state)
{
    (void)state;
    for (size_t i = 0; i < family_count(); i++) {
        const struct {
            enum host host;
            union udpbatch_addr at;
        } elsewhere[] = {
            { FAR, on_second_cable(FAMILIES[i], 2, 0) },  { NEAR, loopback(FAMILIES[i], 0) },
            { NEAR, on_cable(FAMILIES[i], 1, 0) },        { NEAR, on_cable(FAMILIES[i], 3, 0) },
            { NEAR, on_second_cable(FAMILIES[i], 1, 0) },
        };
        struct xdp xdp = xdp_begin(FAMILIES[i]);
        for (size_t k = 0; k < COUNT_OF(elsewhere); k++) {
            struct port port = port_at(elsewhere[k].host, &elsewhere[k].at);
            take_the_socket(&xdp, &port, 100, UDPBATCH_DETOUR_DEVICE);
            port_close(&port);
        }
        xdp_end(&xdp);
    }
}

/* To no address is to this host (RFC 1122, 3.2.1.3), whatever the routes say. */
static void no_address_is_this_host(void **state)
{
    struct udpbatch_sender_options options = xdp_options("near");

    (void)state;
    for (size_t i = 0; i < 2 * family_count(); i++) {
        int family = FAMILIES[i / 2];
        bool is_in4 = family == AF_INET;
        union udpbatch_addr any = address(family, is_in4 ? "0.0.0.0" : "::", 0);
        union udpbatch_addr own = i % 2 == 0 ? any : on_cable(family, 1, 0);
        struct port port = port_at(NEAR, &any);
        struct xdp xdp = xdp_begin_at(&own, &options);

        assert_true(run_at(NEAR, "ip route add default via %s", is_in4 ? "10.99.0.2" : "fd99::2"));
        take_the_socket(&xdp, &port, 100, UDPBATCH_DETOUR_DEVICE);
        assert_true(run_at(NEAR, "ip %s route del default", is_in4 ? "-4" : "-6"));
        xdp_end(&xdp);
        port_close(&port);
    }
}

static void groups_are_reached_by_the_socket(void **state)
{
    static const char *const groups[] = { "255.255.255.255", "10.99.0.255", "224.0.0.251",
                                          "239.1.2.3" };
    struct xdp xdp = xdp_begin(AF_INET);
    struct capture capture = capture_open();

    (void)state;
    assert_true(run_at(NEAR, "ip route replace 255.255.255.255 dev near &&"
                             " ip route replace 224.0.0.0/4 dev near"));
    set_option(xdp.sending.fd, SOL_SOCKET, SO_BROADCAST, 1);
    for (size_t i = 0; i < COUNT_OF(groups); i++) {
        union udpbatch_addr to = address(AF_INET, groups[i], 5000);
        assert_int_equal(xdp_send_one(&xdp, &to, 100), 1);
        expect_detour(&xdp, UDPBATCH_DETOUR_GROUP, 1);
        assert_int_equal(capture_all(&capture, frames, 1), 1);
        assert_true(same_address(&frames[0].to, &to));
        assert_int_equal(frames[0].to_mac[0] & 1, 1);
    }
    capture_close(&capture);
    xdp_end(&xdp);
}

static void ipv6_groups_are_reached_by_the_socket(void **state)
{
    (void)state;
    need_family(AF_INET6);
    union udpbatch_addr to = address(AF_INET6, "ff02::fb", 5000);
    struct xdp xdp = xdp_begin(AF_INET6);
    struct capture capture = capture_open();

    to.in6.sin6_scope_id = if_nametoindex("near");
    assert_int_equal(xdp_send_one(&xdp, &to, 100), 1);
    expect_detour(&xdp, UDPBATCH_DETOUR_GROUP, 1);
    assert_int_equal(capture_all(&capture, frames, 1), 1);
    assert_int_equal(frames[0].to_mac[0], 0x33);
    capture_close(&capture);
    xdp_end(&xdp);
}

static void the_mtu_is_the_edge(void **state)
{
    (void)state;
    for (size_t i = 0; i < family_count(); i++) {
        union udpbatch_addr at = on_cable(FAMILIES[i], 2, 0);
        struct port port = port_at(FAR, &at);
        struct xdp xdp = xdp_begin(FAMILIES[i]);

        make_packets(packets, 1, longest_payload(FAMILIES[i]), &port.addr);
        xdp_send(&xdp, packets, 1);
        expect_past(&xdp, 1);
        expect_arrival(&port, packets, 1);
        take_the_socket(&xdp, &port, longest_payload(FAMILIES[i]) + 1, UDPBATCH_DETOUR_SIZE);
        xdp_end(&xdp);
        port_close(&port);
    }
}

static void a_narrow_path_is_the_edge(void **state)
{
    enum { NARROW = 1300 };

    (void)state;
    for (size_t i = 0; i < family_count(); i++) {
        bool is_in4 = FAMILIES[i] == AF_INET;
        const char *to = is_in4 ? "10.96.0.2/32" : "fd96::2/128";
        union udpbatch_addr at = at_beyond(FAMILIES[i], 2, 0);
        struct port port = port_at(BEYOND, &at);
        struct xdp xdp = xdp_begin(FAMILIES[i]);
        uint32_t most = NARROW - (is_in4 ? 20 : 40) - 8;

        assert_true(run_at(NEAR, "ip route add %s via %s mtu %d", to,
                           is_in4 ? "10.99.0.2" : "fd99::2", NARROW));
        make_packets(packets, 1, most, &port.addr);
        xdp_send(&xdp, packets, 1);
        expect_past(&xdp, 1);
        expect_arrival(&port, packets, 1);
        take_the_socket(&xdp, &port, most + 1, UDPBATCH_DETOUR_SIZE);
        assert_true(run_at(NEAR, "ip route del %s", to));
        make_packets(packets, 1, most + 1, &port.addr);
        xdp_send(&xdp, packets, 1);
        expect_past(&xdp, 1);
        expect_arrival(&port, packets, 1);
        xdp_end(&xdp);
        port_close(&port);
    }
}

static void what_must_not_be_cut_is_refused_above_the_mtu(void **state)
{
    (void)state;
    for (size_t i = 0; i < family_count(); i++) {
        union udpbatch_addr to = on_cable(FAMILIES[i], 2, 5000);
        struct xdp xdp = xdp_begin(FAMILIES[i]);

        if (FAMILIES[i] == AF_INET)
            set_option(xdp.sending.fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO);
        else
            set_option(xdp.sending.fd, IPPROTO_IPV6, IPV6_DONTFRAG, 1);
        assert_int_equal(xdp_send_one(&xdp, &to, longest_payload(FAMILIES[i])), 1);
        expect_past(&xdp, 1);
        assert_int_equal(xdp_send_one(&xdp, &to, longest_payload(FAMILIES[i]) + 1), -EMSGSIZE);
        assert_int_equal(xdp_send_one(&xdp, &to, UINT16_MAX - 1), -EMSGSIZE);
        expect_past(&xdp, 0);
        xdp_end(&xdp);
    }
}

static void a_change_of_the_mtu_is_seen(void **state)
{
    enum { NARROW = 1400 };

    (void)state;
    for (size_t i = 0; i < family_count(); i++) {
        uint32_t most = NARROW - (FAMILIES[i] == AF_INET ? 20 : 40) - 8;
        union udpbatch_addr at = on_cable(FAMILIES[i], 2, 0);
        struct port port = port_at(FAR, &at);
        struct xdp xdp = xdp_begin(FAMILIES[i]);

        assert_int_equal(xdp_send_one(&xdp, &at, 10), -EINVAL); /* to port 0 */
        cable_mtu(NARROW);
        take_the_socket(&xdp, &port, most + 1, UDPBATCH_DETOUR_SIZE);
        make_packets(packets, 1, most, &port.addr);
        xdp_send(&xdp, packets, 1);
        expect_past(&xdp, 1);
        cable_mtu(CABLE_MTU);
        make_packets(packets, 1, most + 2, &port.addr);
        xdp_send(&xdp, packets, 1);
        expect_past(&xdp, 1);
        xdp_end(&xdp);
        port_close(&port);
    }
}

static void allow_departure(int fd)
{
    struct sock_txtime txtime = { .clockid = CLOCK_MONOTONIC };
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_TXTIME, &txtime, sizeof txtime), 0);
}

static void what_is_asked_of_the_stack_takes_the_socket(void **state)
{
    (void)state;
    for (size_t i = 0; i < family_count(); i++) {
        const struct udpbatch_meta metas[] = {
            { .flags = UDPBATCH_META_LOCAL | UDPBATCH_META_INTERFACE,
              .local = on_cable(FAMILIES[i], 3, 0),
              .interface_index = if_nametoindex("near") },
            { .flags = UDPBATCH_META_INTERFACE, .interface_index = if_nametoindex("near") },
            { .flags = UDPBATCH_META_DEPARTURE, .time_ns = 1 },
        };
        union udpbatch_addr to = on_cable(FAMILIES[i], 2, 5000);
        struct capture capture = capture_open();
        struct xdp xdp = xdp_begin(FAMILIES[i]);

        allow_departure(xdp.sending.fd);
        make_packets(packets, COUNT_OF(metas), 100, &to);
        for (size_t k = 0; k < COUNT_OF(metas); k++)
            packets[k].meta = &metas[k];
        xdp_send(&xdp, packets, COUNT_OF(metas));
        expect_detour(&xdp, UDPBATCH_DETOUR_META, COUNT_OF(metas));
        assert_int_equal(capture_all(&capture, frames, 3), COUNT_OF(metas));
        union udpbatch_addr from = on_cable(FAMILIES[i], 3, ntohs(xdp.own.in4.sin_port));
        assert_true(same_address(&frames[0].from, &from));
        xdp_end(&xdp);
        capture_close(&capture);
    }
}

/* No address as the source: the kernel chooses one for the route, even if the socket is bound. */
static void an_unspecified_source_is_the_kernels_choice(void **state)
{
    static const struct {
        int family;
        const char *own, *to, *local, *from;
    } choices[] = {
        { AF_INET, "0.0.0.0", "10.99.0.2", "0.0.0.0", "10.99.0.1" },
        { AF_INET, "10.99.0.3", "10.99.0.2", "0.0.0.0", "10.99.0.1" },
        { AF_INET, "0.0.0.0", "10.98.0.2", "::ffff:0.0.0.0", "10.99.0.1" },
        { AF_INET6, "::", "::ffff:10.99.0.2", "::ffff:0.0.0.0", "10.99.0.1" },
        { AF_INET6, "::", "fd99::2", "::", "fd99::1" },
    };
    struct udpbatch_sender_options options = xdp_options("near");
    struct capture capture = capture_open();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(choices) && (i < 3 || has_in6()); i++) {
        int family = choices[i].family;
        union udpbatch_addr own = address(family, choices[i].own, 0);
        union udpbatch_addr to = address(family, choices[i].to, 5000);
        int of = strchr(choices[i].local, ':') != NULL ? AF_INET6 : AF_INET;
        struct udpbatch_meta meta = { .flags = UDPBATCH_META_LOCAL,
                                      .local = address(of, choices[i].local, 0) };
        struct xdp xdp = xdp_begin_at(&own, &options);
        int from_family = strchr(choices[i].from, ':') != NULL ? AF_INET6 : AF_INET;
        union udpbatch_addr from =
            address(from_family, choices[i].from, ntohs(xdp.own.in4.sin_port));

        make_packets(packets, 1, 100, &to);
        packets[0].meta = &meta;
        xdp_send(&xdp, packets, 1);
        expect_detour(&xdp, UDPBATCH_DETOUR_META, 1);
        assert_int_equal(capture_all(&capture, frames, 1), 1);
        assert_true(same_address(&frames[0].from, &from));
        xdp_end(&xdp);
    }
    capture_close(&capture);
}

/* Of frames past the stack nobody says when they left; when others arrive is another matter. */
static void who_is_told_of_departures_is_told_of_all(void **state)
{
    static const struct {
        int flags;
        bool past;
    } stamps[] = { { SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE, false },
                   { SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE, true } };
    union udpbatch_addr to = on_cable(AF_INET, 2, 5000);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(stamps); i++) {
        struct xdp xdp = xdp_begin(AF_INET);
        set_option(xdp.sending.fd, SOL_SOCKET, SO_TIMESTAMPING, stamps[i].flags);
        make_packets(packets, 1, 100, &to);
        xdp_send(&xdp, packets, 1);
        if (stamps[i].past)
            expect_past(&xdp, 1);
        else
            expect_detour(&xdp, UDPBATCH_DETOUR_SOCKET, 1);
        xdp_end(&xdp);
    }
}

static void tos_and_ttl_go_past_the_stack(void **state)
{
    enum { COUNT = 256 };
    static struct udpbatch_meta metas[COUNT];

    (void)state;
    for (size_t i = 0; i < family_count(); i++) {
        union udpbatch_addr to = on_cable(FAMILIES[i], 2, 5000);
        struct capture capture = capture_open();
        struct xdp xdp = xdp_begin(FAMILIES[i]);

        make_lengths(packets, COUNT, &to);
        for (size_t k = 0; k < COUNT; k++) {
            metas[k] = (struct udpbatch_meta){ .flags = UDPBATCH_META_TOS | UDPBATCH_META_TTL,
                                               .tos = (uint8_t)k,
                                               .ttl = (uint8_t)(k > 0 ? k : 77) };
            packets[k].meta = &metas[k];
        }
        xdp_send(&xdp, packets, COUNT);
        assert_int_equal(capture_all(&capture, frames, COUNT), COUNT);
        for (size_t k = 0; k < COUNT; k++) {
            assert_int_equal(frames[k].tos, metas[k].tos);
            assert_int_equal(frames[k].ttl, metas[k].ttl);
        }
        assert_true(xdp_stats(&xdp).xdp_packets >= COUNT - 64 / 4); /* each DSCP is a question */
        xdp_end(&xdp);
        capture_close(&capture);
    }
}

static void a_socket_that_is_not_bound_yet_sends_the_first_itself(void **state)
{
    struct udpbatch_sender_options options = xdp_options("near");

    (void)state;
    for (size_t i = 0; i < family_count(); i++) {
        union udpbatch_addr at = on_cable(FAMILIES[i], 2, 0), first, second;
        struct port port = port_at(FAR, &at);
        int fd = socket(FAMILIES[i], SOCK_DGRAM | SOCK_CLOEXEC, 0);
        struct xdp xdp = { .sending = sending_begin_with(fd, &options) };
        char room[16];

        assert_int_equal(xdp_send_one(&xdp, &port.addr, 10), 1);
        expect_detour(&xdp, UDPBATCH_DETOUR_SOCKET, 1);
        assert_int_equal(xdp_send_one(&xdp, &port.addr, 11), 1);
        expect_past(&xdp, 1);
        assert_int_equal(receive_one(port.fd, room, sizeof room, &first), 10);
        assert_int_equal(receive_one(port.fd, room, sizeof room, &second), 11);
        assert_true(same_address(&first, &second));
        xdp_end(&xdp);
        port_close(&port);
    }
}

/* ---- Refused, as by the socket --------------------------------------------------------------- */

struct refusal {
    const char *route, *to;
    int error;
};

static const struct refusal REFUSALS_IN4[] = {
    { NULL, "192.0.2.1", ENETUNREACH },
    { "unreachable 10.93.1.0/24", "10.93.1.1", EHOSTUNREACH },
    { "prohibit 10.93.2.0/24", "10.93.2.1", EACCES },
    { "blackhole 10.93.3.0/24", "10.93.3.1", EINVAL },
    { "throw 10.93.4.0/24", "10.93.4.1", ENETUNREACH },
    { NULL, "10.99.0.255", EACCES },
    { "255.255.255.255 dev near", "255.255.255.255", EACCES },
};

static const struct refusal REFUSALS_IN6[] = {
    { NULL, "2001:db8::1", ENETUNREACH },
    { "unreachable fd93:1::/64", "fd93:1::1", EHOSTUNREACH },
    { "prohibit fd93:2::/64", "fd93:2::1", EACCES },
    { "blackhole fd93:3::/64", "fd93:3::1", EINVAL },
    { NULL, "::ffff:192.0.2.1", ENETUNREACH },
    { NULL, "::ffff:10.99.0.255", EACCES },
};

/* Among packets that are sent. */
static void refuse(int family, const struct refusal *refusal)
{
    union udpbatch_addr good = on_cable(family, 2, 5000);
    union udpbatch_addr bad = address(family, refusal->to, 5000);
    struct xdp xdp = xdp_begin(family);

    if (refusal->route != NULL)
        assert_true(run_at(NEAR, "ip route replace %s", refusal->route));
    for (int round = 0; round < 2; round++) { /* what was refused is remembered */
        make_lengths(packets, 20, &good);
        for (size_t i = 0; i < 20; i++)
            packets[i].to = i % 2 == 0 ? &bad : &good;
        sending_send(&xdp.sending, packets, 20);
        for (size_t i = 0; i < 20; i++)
            if (packets[i].status != (i % 2 == 0 ? -refusal->error : 1))
                fail_msg("%s: packet %zu has the status %d", refusal->to, i, packets[i].status);
        expect_past(&xdp, 10);
    }
    assert_int_equal(xdp_stats(&xdp).refused, 20);
    xdp_end(&xdp);
}

static void what_the_socket_refuses_is_refused_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(REFUSALS_IN4); i++)
        refuse(AF_INET, &REFUSALS_IN4[i]);
    for (size_t i = 0; has_in6() && i < COUNT_OF(REFUSALS_IN6); i++)
        refuse(AF_INET6, &REFUSALS_IN6[i]);
}

static void what_is_no_address_of_the_socket_is_refused_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < family_count(); i++) {
        bool is_in4 = FAMILIES[i] == AF_INET;
        union udpbatch_addr good = on_cable(FAMILIES[i], 2, 5000);
        union udpbatch_addr no_port = on_cable(FAMILIES[i], 2, 0);
        union udpbatch_addr other = on_cable(is_in4 ? AF_INET6 : AF_INET, 2, 5000);
        struct udpbatch_sender_options options = xdp_options("near");
        union udpbatch_addr own = on_cable(FAMILIES[i], 1, 0);
        struct xdp xdp = xdp_begin_at(&own, &options);

        make_lengths(packets, 6, &good);
        packets[1].to = &no_port;
        packets[3].to = &other;
        sending_send(&xdp.sending, packets, 6);
        assert_int_equal(packets[1].status, -EINVAL);
        assert_int_equal(packets[3].status, is_in4 ? -EAFNOSUPPORT : -ENETUNREACH);
        expect_past(&xdp, 4);
        make_lengths(packets, 2, NULL);
        packets[1].to = &good;
        sending_send(&xdp.sending, packets, 2);
        assert_int_equal(packets[0].status, -EDESTADDRREQ);
        assert_int_equal(packets[1].status, 1);
        xdp_end(&xdp);
    }
}

/* ---- Both ways in one call ------------------------------------------------------------------- */

/* What a packet of a mixed batch is: to whom, how long, and what is to become of it. */
struct kind {
    enum { TO_FAR, TO_BEHIND, TO_SECOND, TO_NEAR, TO_LOOPBACK, TO_NOWHERE, TO_ALL, TO_OTHER } to;
    uint32_t len;
    const struct udpbatch_meta *meta;
    int32_t status;
    enum udpbatch_detour way;
};

enum { DESTINATIONS = 8, KIND_COUNT = 12, MIXED = 480 };
enum { PAST = MIXED / KIND_COUNT * 4, PAST_TO_FAR = MIXED / KIND_COUNT * 2 };

static const struct udpbatch_meta LATER = { .flags = UDPBATCH_META_DEPARTURE, .time_ns = 1 },
                                  MARKED = { .flags = UDPBATCH_META_TOS | UDPBATCH_META_TTL,
                                             .tos = 0xb8,
                                             .ttl = 3 };

/* Half of those that are sent have to take the socket; to each destination all go one way, but for
 * those that go to far. */
static const struct kind KINDS[KIND_COUNT] = {
    { TO_FAR, 200, NULL, 1, UDPBATCH_DETOUR_NONE },
    { TO_FAR, 1472, NULL, 1, UDPBATCH_DETOUR_NONE },
    { TO_FAR, 1473, NULL, 1, UDPBATCH_DETOUR_SIZE },
    { TO_FAR, 300, &LATER, 1, UDPBATCH_DETOUR_META },
    { TO_BEHIND, 400, &MARKED, 1, UDPBATCH_DETOUR_NONE },
    { TO_BEHIND, 4, NULL, 1, UDPBATCH_DETOUR_NONE },
    { TO_SECOND, 100, NULL, 1, UDPBATCH_DETOUR_DEVICE },
    { TO_NEAR, 100, NULL, 1, UDPBATCH_DETOUR_DEVICE },
    { TO_LOOPBACK, 100, NULL, 1, UDPBATCH_DETOUR_DEVICE },
    { TO_NOWHERE, 100, NULL, -ENETUNREACH, UDPBATCH_DETOUR_NONE },
    { TO_ALL, 100, NULL, -EACCES, UDPBATCH_DETOUR_NONE },
    { TO_OTHER, 100, NULL, -EAFNOSUPPORT, UDPBATCH_DETOUR_NONE },
};

static struct port destinations[DESTINATIONS];

static void open_destinations(void)
{
    const struct {
        enum host host;
        union udpbatch_addr at;
    } open[] = { { FAR, on_cable(AF_INET, 2, 0) },
                 { FAR, behind_far(AF_INET, 9, 0) },
                 { FAR, on_second_cable(AF_INET, 2, 0) },
                 { NEAR, on_cable(AF_INET, 1, 0) },
                 { NEAR, loopback(AF_INET, 0) } };

    for (size_t i = 0; i < COUNT_OF(open); i++)
        destinations[i] = port_at(open[i].host, &open[i].at);
    destinations[TO_NOWHERE].addr = address(AF_INET, "192.0.2.1", 9);
    destinations[TO_ALL].addr = address(AF_INET, "10.99.0.255", 9);
    destinations[TO_OTHER].addr = address(AF_INET6, "fd99::2", 9);
}

static void close_destinations(void)
{
    for (size_t i = 0; i <= TO_LOOPBACK; i++)
        port_close(&destinations[i]);
}

static unsigned char memory[MIXED][1600];
static const struct kind *kinds[MIXED];

static void shuffle_kinds(void)
{
    for (unsigned i = 0; i < MIXED; i++) {
        unsigned other = below(i + 1);
        kinds[i] = kinds[other];
        kinds[other] = &KINDS[i % KIND_COUNT];
    }
}

static void make_mixed(void)
{
    shuffle_kinds();
    for (uint32_t i = 0; i < MIXED; i++) {
        make_payload(memory[i], i, kinds[i]->len);
        packets[i] = (struct udpbatch_packet){ .data = memory[i],
                                               .len = kinds[i]->len,
                                               .to = &destinations[kinds[i]->to].addr,
                                               .meta = kinds[i]->meta };
    }
}

/* Each destination gets its own, in order, and nothing else. */
static void expect_mixed(void)
{
    for (uint32_t i = 0; i < MIXED; i++) {
        if (packets[i].status != kinds[i]->status)
            fail_msg("packet %u has the status %d", i, packets[i].status);
        if (kinds[i]->status == 1)
            expect_payload(destinations[kinds[i]->to].fd, memory[i], kinds[i]->len);
    }
    for (size_t i = 0; i <= TO_LOOPBACK; i++)
        expect_nothing(destinations[i].fd);
}

/* What goes past the stack must not overtake what goes to the same destination by the socket, and
 * so may have to go with it; in order, all may. */
static void expect_mixed_ways(struct xdp *xdp, uint32_t in_order)
{
    uint64_t ways[UDPBATCH_DETOURS] = { 0 };
    struct udpbatch_sender_stats stats = xdp_stats(xdp);
    uint64_t moved =
        stats.detours[UDPBATCH_DETOUR_ORDER] - xdp->before.detours[UDPBATCH_DETOUR_ORDER];

    for (size_t i = 0; i < MIXED; i++)
        if (kinds[i]->status == 1)
            ways[kinds[i]->way]++;
    assert_in_range(moved, 0, in_order ? PAST : PAST_TO_FAR);
    ways[UDPBATCH_DETOUR_NONE] -= moved;
    ways[UDPBATCH_DETOUR_ORDER] = moved;
    expect_ways(xdp, ways);
}

static void send_mixed(uint32_t in_order)
{
    struct udpbatch_sender_options options = xdp_options("near");
    union udpbatch_addr any = address(AF_INET, "0.0.0.0", 0);

    options.trains = UDPBATCH_TRAINS_OFF;
    options.in_order = in_order;
    open_destinations();
    struct xdp xdp = xdp_begin_at(&any, &options);
    allow_departure(xdp.sending.fd);
    for (int round = 0; round < 20; round++) {
        make_mixed();
        sending_send(&xdp.sending, packets, MIXED);
        expect_mixed();
        expect_mixed_ways(&xdp, in_order);
    }
    xdp_end(&xdp);
    close_destinations();
}

static void a_batch_may_go_half_by_the_socket(void **state)
{
    (void)state;
    send_mixed(0);
}

static void it_may_do_so_in_order(void **state)
{
    (void)state;
    send_mixed(1);
}

/* More than are sent at a time, and the rest to others. */
enum { IN_ORDER = 1500, FIRST_PART = 1024 };

/* Some by the socket, at `odds` to one among the first `most`. */
static void send_in_order(struct xdp *xdp, struct capture *capture, size_t most, unsigned odds)
{
    static union udpbatch_addr to[7];

    for (unsigned i = 0; i < COUNT_OF(to); i++)
        to[i] = behind_far(AF_INET, 1 + i, 5000);
    make_packets(packets, IN_ORDER, 100, NULL);
    for (size_t i = 0; i < IN_ORDER; i++) {
        packets[i].to = &to[i < FIRST_PART ? below(4) : 4 + below(3)];
        packets[i].meta = i < most && one_in(odds) ? &LATER : NULL;
    }
    xdp_send(xdp, packets, IN_ORDER);
    assert_int_equal(capture_all(capture, frames, IN_ORDER), IN_ORDER);
    for (size_t i = 0; i < IN_ORDER; i++)
        assert_memory_equal(frames[i].data, packets[i].data, 100);
}

/* To whomever it is, whichever way it goes, and though the device's queue holds back those that the
 * socket sends. */
static void in_order_all_leave_as_they_are_in_the_array(void **state)
{
    struct udpbatch_sender_options options = xdp_options("near");
    union udpbatch_addr any = address(AF_INET, "0.0.0.0", 0);
    struct capture capture = capture_open();

    (void)state;
    options.trains = UDPBATCH_TRAINS_OFF;
    options.in_order = 1;
    struct xdp xdp = xdp_begin_at(&any, &options);
    allow_departure(xdp.sending.fd);
    send_in_order(&xdp, &capture, 0, 1);
    expect_past(&xdp, IN_ORDER);
    for (unsigned odds = 10; odds < 1000; odds *= 2)
        send_in_order(&xdp, &capture, IN_ORDER, odds);
    assert_true(run_at(NEAR, "tc qdisc replace dev near root tbf rate 8mbit burst 2kb limit 1mb"));
    for (size_t round = 0; round < 4; round++)
        send_in_order(&xdp, &capture, 10, 3);
    assert_true(run_at(NEAR, "tc qdisc del dev near root"));
    xdp_end(&xdp);
    capture_close(&capture);
}

/* The device's queueing discipline holds back what the socket sends, and only that. */
static void nothing_overtakes_what_is_in_the_sockets_queue(void **state)
{
    enum { TRAIN = 8, ALONE = 30 };
    const char *slow = "tc qdisc replace dev near root tbf rate 200kbit burst 1500b limit 1mb";

    (void)state;
    for (size_t i = 0; i < family_count(); i++) {
        union udpbatch_addr at = on_cable(FAMILIES[i], 2, 0);
        struct port port = port_at(FAR, &at);
        struct xdp xdp = xdp_begin(FAMILIES[i]);

        assert_true(run_at(NEAR, "%s", slow));
        make_packets(packets, TRAIN + ALONE, LEN_MOST, &port.addr);
        for (uint32_t k = 0; k < TRAIN + ALONE; k++)
            packets[k].len = k < TRAIN ? 1000 : 1001 + k;
        xdp_send(&xdp, packets, TRAIN + 1);
        for (uint32_t k = TRAIN + 1; k < TRAIN + ALONE; k++)
            xdp_send(&xdp, &packets[k], 1);
        struct udpbatch_sender_stats stats = xdp_stats(&xdp);
        assert_int_equal(stats.detours[UDPBATCH_DETOUR_TRAIN], TRAIN);
        assert_true(stats.detours[UDPBATCH_DETOUR_ORDER] > 0);
        for (uint32_t k = 0; k < TRAIN + ALONE; k++)
            expect_payload(port.fd, packets[k].data, packets[k].len);
        send_until_past(&xdp, &port.addr); /* the queue is empty again */
        assert_true(run_at(NEAR, "tc qdisc del dev near root"));
        xdp_end(&xdp);
        port_close(&port);
    }
}

int main(void)
{
    static const struct test tests[] = {
        TEST_ONCE(the_way_to_the_far_side_is_open),
        TEST_ONCE(trains_take_the_socket),
        TEST_ONCE(without_trains_all_go_past_the_stack),
        TEST_ONCE(other_devices_are_reached_by_the_socket),
        TEST_ONCE(no_address_is_this_host),
        TEST_ONCE(groups_are_reached_by_the_socket),
        TEST_ONCE(ipv6_groups_are_reached_by_the_socket),
        TEST_ONCE(the_mtu_is_the_edge),
        TEST_ONCE(a_narrow_path_is_the_edge),
        TEST_ONCE(what_must_not_be_cut_is_refused_above_the_mtu),
        TEST_ONCE(a_change_of_the_mtu_is_seen),
        TEST_ONCE(what_is_asked_of_the_stack_takes_the_socket),
        TEST_ONCE(an_unspecified_source_is_the_kernels_choice),
        TEST_ONCE(who_is_told_of_departures_is_told_of_all),
        TEST_ONCE(tos_and_ttl_go_past_the_stack),
        TEST_ONCE(a_socket_that_is_not_bound_yet_sends_the_first_itself),
        TEST_ONCE(what_the_socket_refuses_is_refused_alone),
        TEST_ONCE(what_is_no_address_of_the_socket_is_refused_alone),
        TEST_ONCE(a_batch_may_go_half_by_the_socket),
        TEST_ONCE(it_may_do_so_in_order),
        TEST_ONCE(in_order_all_leave_as_they_are_in_the_array),
        TEST_ONCE(nothing_overtakes_what_is_in_the_sockets_queue),
    };
    const char *missing = past_stack_make();
    unsetenv("UDPBATCH_GSO");
    if (missing != NULL)
        return must_be_able(missing) ? EXIT_FAILURE : EXIT_SKIP;
    chance_begin();
    return run_all("detours past the stack", tests, COUNT_OF(tests));
}
