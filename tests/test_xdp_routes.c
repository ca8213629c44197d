/* test_xdp_routes.c: past the network stack, too, the kernel is the router: each packet leaves to
 * the neighbour that the socket would have sent it to, whatever has changed before the call.
 *
 * The program makes hosts of its own (past_stack.h). Gateways need not be there: the cable shows to
 * which link address a frame is sent. It needs root or user namespaces, and ip; where these are
 * missing it exits with 77, or fails if CI is set.
 */
#define _GNU_SOURCE
#include "past_stack.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct udpbatch_packet packets[MANY];
static struct frame frames[CAPTURE_MOST];

/* ---- Gateways -------------------------------------------------------------------------------- */

/* The last byte of a link address, and in digits the number of the gateway: 10.99.0.21, fd99::21.
 */
enum { FAR_ITSELF = 0x02, FIRST = 0x21, SECOND = 0x22, THIRD = 0x23 };

static const char *in_family(int family, const char *in4, const char *in6)
{
    return family == AF_INET ? in4 : in6;
}

static void ip_at_near(const char *command)
{
    if (!run_at(NEAR, "ip %s", command))
        fail_msg("ip %s failed", command);
}

static void ip_in(int family, const char *in4, const char *in6)
{
    ip_at_near(in_family(family, in4, in6));
}

static void add_gateway(int family, unsigned number, unsigned mac)
{
    char command[160];
    snprintf(command, sizeof command,
             "neigh replace %s%x lladdr 02:00:00:00:00:%02x dev near nud permanent",
             in_family(family, "10.99.0.", "fd99::"), number, mac);
    ip_at_near(command);
}

/* Of the networks 10.92.0.0/24 and fd92::/64. */
static union udpbatch_addr beyond_gateway(int family, unsigned number)
{
    char text[40];
    snprintf(text, sizeof text, "%s%u", in_family(family, "10.92.0.", "fd92::"), number);
    return address(family, text, 5000);
}

static void route_by(int family, unsigned gateway)
{
    char command[160];
    snprintf(command, sizeof command, "route replace %s via %s%x",
             in_family(family, "10.92.0.0/24", "fd92::/64"),
             in_family(family, "10.99.0.", "fd99::"), gateway);
    ip_at_near(command);
}

/* As it is before each test, whatever the one before has left. */
static void set_gateways(int family)
{
    assert_true(run_at(NEAR, "while ip %s rule del prio 100 2>/dev/null; do :; done",
                       family == AF_INET ? "-4" : "-6"));
    assert_true(two_hosts_configure());
    for (unsigned gateway = FIRST; gateway <= THIRD; gateway++)
        add_gateway(family, gateway, gateway);
    ip_in(family, "route flush root 10.92.0.0/16", "-6 route flush root fd92::/16");
    route_by(family, FIRST);
}

/* ---- Where a packet goes --------------------------------------------------------------------- */

/* A sender, and what passes the cable. */
struct scene {
    struct xdp xdp;
    struct capture capture;
    int family;
    union udpbatch_addr to;
};

static struct scene begin(int family)
{
    set_gateways(family);
    return (struct scene){ .capture = capture_open(),
                           .xdp = xdp_begin(family),
                           .family = family,
                           .to = beyond_gateway(family, 1) };
}

static void end(struct scene *scene)
{
    xdp_end(&scene->xdp);
    capture_close(&scene->capture);
}

/* The very next packet goes past the stack to that link address. */
static void expect_next_to(struct scene *scene, unsigned mac)
{
    forget_ways(&scene->xdp);
    assert_int_equal(xdp_send_one(&scene->xdp, &scene->to, 100), 1);
    expect_past(&scene->xdp, 1);
    assert_int_equal(capture_all(&scene->capture, frames, 1), 1);
    assert_true(same_address(&frames[0].to, &scene->to));
    if (frames[0].to_mac[MAC - 1] != mac)
        fail_msg("to link address %02x in place of %02x", frames[0].to_mac[MAC - 1], mac);
}

static void expect_next_refused(struct scene *scene, int error)
{
    forget_ways(&scene->xdp);
    assert_int_equal(xdp_send_one(&scene->xdp, &scene->to, 100), -error);
    expect_past(&scene->xdp, 0);
}

/* ---- Changes --------------------------------------------------------------------------------- */

static void a_changed_route_is_followed_at_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < family_count(); i++) {
        struct scene scene = begin(FAMILIES[i]);
        for (int round = 0; round < 5; round++) {
            expect_next_to(&scene, FIRST);
            route_by(FAMILIES[i], SECOND);
            expect_next_to(&scene, SECOND);
            route_by(FAMILIES[i], FIRST);
        }
        end(&scene);
    }
}

static void a_removed_route_is_none_at_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < family_count(); i++) {
        struct scene scene = begin(FAMILIES[i]);
        expect_next_to(&scene, FIRST);
        ip_in(FAMILIES[i], "route del 10.92.0.0/24", "route del fd92::/64");
        expect_next_refused(&scene, ENETUNREACH);
        route_by(FAMILIES[i], FIRST);
        expect_next_to(&scene, FIRST);
        ip_in(FAMILIES[i], "route add unreachable 10.92.0.1", "route add unreachable fd92::1");
        expect_next_refused(&scene, EHOSTUNREACH);
        ip_in(FAMILIES[i], "route del unreachable 10.92.0.1", "route del unreachable fd92::1");
        expect_next_to(&scene, FIRST);
        end(&scene);
    }
}

static void a_longer_prefix_is_followed_at_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < family_count(); i++) {
        struct scene scene = begin(FAMILIES[i]);
        expect_next_to(&scene, FIRST);
        ip_in(FAMILIES[i], "route add 10.92.0.0/31 via 10.99.0.22",
              "route add fd92::/127 via fd99::22");
        expect_next_to(&scene, SECOND);
        ip_in(FAMILIES[i], "route del 10.92.0.0/31", "route del fd92::/127");
        expect_next_to(&scene, FIRST);
        end(&scene);
    }
}

static void a_new_source_address_is_used_at_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < family_count(); i++) {
        struct scene scene = begin(FAMILIES[i]);
        union udpbatch_addr third = on_cable(FAMILIES[i], 3, ntohs(scene.xdp.own.in4.sin_port));
        expect_next_to(&scene, FIRST);
        assert_true(same_address(&frames[0].from, &scene.xdp.own));
        ip_in(FAMILIES[i], "route replace 10.92.0.0/24 via 10.99.0.21 src 10.99.0.3",
              "route replace fd92::/64 via fd99::21 src fd99::3");
        expect_next_to(&scene, FIRST);
        assert_true(same_address(&frames[0].from, &third));
        route_by(FAMILIES[i], FIRST);
        end(&scene);
    }
}

static void a_neighbours_new_link_address_is_used_at_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < family_count(); i++) {
        struct scene scene = begin(FAMILIES[i]);
        for (unsigned mac = 0x40; mac < 0x50; mac++) {
            expect_next_to(&scene, mac == 0x40 ? FIRST : mac - 1);
            add_gateway(FAMILIES[i], FIRST, mac);
            expect_next_to(&scene, mac);
        }
        add_gateway(FAMILIES[i], FIRST, FIRST);
        expect_next_to(&scene, FIRST);
        end(&scene);
    }
}

static void the_devices_own_new_link_address_is_used_at_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < family_count(); i++) {
        struct scene scene = begin(FAMILIES[i]);
        for (unsigned char mac = 0x60; mac < 0x63; mac++) {
            assert_true(run_at(NEAR, "ip link set near address 02:00:00:00:00:%02x", mac));
            add_gateway(FAMILIES[i], FIRST, FIRST); /* it has forgotten all neighbours */
            expect_next_to(&scene, FIRST);
            assert_int_equal(frames[0].from_mac[MAC - 1], mac);
        }
        ip_at_near("link set near address 02:00:00:00:00:01");
        end(&scene);
    }
}

/* More has changed than the kernel keeps for those who listen. */
static void a_change_among_many_is_followed(void **state)
{
    (void)state;
    for (size_t i = 0; i < family_count(); i++) {
        struct scene scene = begin(FAMILIES[i]);
        const char *many = in_family(FAMILIES[i], "route replace 10.91.%d.%d via 10.99.0.23\\n",
                                     "route replace fd91::%d:%d via fd99::23\\n");
        const char *one = in_family(FAMILIES[i], "route replace 10.92.0.0/24 via 10.99.0.22\\n",
                                    "route replace fd92::/64 via fd99::22\\n");
        expect_next_to(&scene, FIRST);
        assert_true(run_at(NEAR,
                           "awk 'BEGIN { for (i = 0; i < 10000; i++) {"
                           " printf \"%s\", i / 200, i %% 200;"
                           " if (i == 9000) printf \"%s\" } }' | ip -batch -",
                           many, one));
        expect_next_to(&scene, SECOND);
        route_by(FAMILIES[i], FIRST);
        ip_in(FAMILIES[i], "route flush root 10.91.0.0/16", "-6 route flush root fd91::/16");
        expect_next_to(&scene, FIRST);
        end(&scene);
    }
}

/* ---- Rules and paths ------------------------------------------------------------------------- */

static void let_table_go_to_second(int family)
{
    ip_in(family, "route replace table 101 10.92.0.0/24 via 10.99.0.22",
          "route replace table 101 fd92::/64 via fd99::22");
}

static void change_rule(int family, const char *verb, const char *rule)
{
    char command[160];
    snprintf(command, sizeof command, "%s rule %s %s lookup 101 prio 100",
             family == AF_INET ? "-4" : "-6", verb, rule);
    ip_at_near(command);
}

static void expect_rule(struct scene *scene, const char *rule)
{
    change_rule(scene->family, "add", rule);
    expect_next_to(scene, SECOND);
    change_rule(scene->family, "del", rule);
    expect_next_to(scene, FIRST);
}

static void a_rule_is_followed_at_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < family_count(); i++) {
        struct scene scene = begin(FAMILIES[i]);
        char rule[80];

        let_table_go_to_second(FAMILIES[i]);
        expect_next_to(&scene, FIRST);
        expect_rule(&scene, in_family(FAMILIES[i], "to 10.92.0.1", "to fd92::1"));
        expect_rule(&scene, "from all");
        expect_rule(&scene, "ipproto udp");
        expect_rule(&scene, "ipproto udp dport 5000");
        snprintf(rule, sizeof rule, "ipproto udp sport %d", ntohs(scene.xdp.own.in4.sin_port));
        expect_rule(&scene, rule);
        change_rule(FAMILIES[i], "add", "ipproto tcp");
        change_rule(FAMILIES[i], "add", "ipproto udp dport 5001");
        change_rule(FAMILIES[i], "add", "fwmark 5");
        expect_next_to(&scene, FIRST);
        change_rule(FAMILIES[i], "del", "ipproto tcp");
        change_rule(FAMILIES[i], "del", "ipproto udp dport 5001");
        change_rule(FAMILIES[i], "del", "fwmark 5");
        end(&scene);
    }
}

/* By the source that the socket is bound to, and not by one that a route would give it. */
static void a_rule_for_a_source_is_followed(void **state)
{
    (void)state;
    for (size_t i = 0; i < family_count(); i++) {
        struct udpbatch_sender_options options = xdp_options("near");
        struct scene scene = begin(FAMILIES[i]);
        union udpbatch_addr third = on_cable(FAMILIES[i], 3, 0);
        const char *rule = in_family(FAMILIES[i], "from 10.99.0.3", "from fd99::3");

        let_table_go_to_second(FAMILIES[i]);
        change_rule(FAMILIES[i], "add", rule);
        expect_next_to(&scene, FIRST);
        xdp_end(&scene.xdp);
        scene.xdp = xdp_begin_at(&third, &options);
        expect_next_to(&scene, SECOND);
        change_rule(FAMILIES[i], "del", rule);
        expect_next_to(&scene, FIRST);
        end(&scene);
    }
}

static void a_rule_for_the_sockets_mark_is_followed(void **state)
{
    (void)state;
    for (size_t i = 0; i < family_count(); i++) {
        struct udpbatch_sender_options options = xdp_options("near");
        struct scene scene = begin(FAMILIES[i]);
        int fd = dup(scene.xdp.sending.fd);

        let_table_go_to_second(FAMILIES[i]);
        change_rule(FAMILIES[i], "add", "fwmark 7");
        expect_next_to(&scene, FIRST);
        set_option(fd, SOL_SOCKET, SO_MARK, 7);
        xdp_end(&scene.xdp);
        scene.xdp.sending = sending_begin_with(fd, &options);
        expect_next_to(&scene, SECOND);
        change_rule(FAMILIES[i], "del", "fwmark 7");
        expect_next_to(&scene, FIRST);
        end(&scene);
    }
}

enum { OTHER_USER = 61234 };

/* A user namespace of the test's own has but one. */
static void need_other_user(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool is_there = fchown(fd, OTHER_USER, (gid_t)-1) == 0;
    close(fd);
    if (!is_there) {
        print_message("cannot run here: no other user in this namespace\n");
        skip();
    }
}

/* Which is not always the user who sends by it. */
static void a_rule_for_the_sockets_owner_is_followed(void **state)
{
    (void)state;
    need_other_user();
    for (size_t i = 0; i < family_count(); i++) {
        struct udpbatch_sender_options options = xdp_options("near");
        struct scene scene = begin(FAMILIES[i]);
        int fd = dup(scene.xdp.sending.fd);

        let_table_go_to_second(FAMILIES[i]);
        change_rule(FAMILIES[i], "add", "uidrange 61234-61234");
        expect_next_to(&scene, FIRST);
        xdp_end(&scene.xdp);
        assert_int_equal(fchown(fd, OTHER_USER, (gid_t)-1), 0);
        scene.xdp.sending = sending_begin_with(fd, &options);
        expect_next_to(&scene, SECOND);
        change_rule(FAMILIES[i], "del", "uidrange 61234-61234");
        expect_next_to(&scene, FIRST);
        end(&scene);
    }
}

/* Packets of one call part by what each asks for. */
static void a_rule_for_the_tos_is_followed_for_each_packet(void **state)
{
    enum { COUNT = 8 };
    static const struct udpbatch_meta asked = { .flags = UDPBATCH_META_TOS, .tos = 0x10 | 2 };

    (void)state;
    for (size_t i = 0; i < family_count(); i++) {
        struct scene scene = begin(FAMILIES[i]);
        let_table_go_to_second(FAMILIES[i]);
        change_rule(FAMILIES[i], "add", "tos 0x10");
        make_packets(packets, COUNT, 100, &scene.to);
        for (uint32_t k = 0; k < COUNT; k++) {
            packets[k].len = 10 + k;
            packets[k].meta = k % 2 == 0 ? &asked : NULL;
        }
        xdp_send(&scene.xdp, packets, COUNT);
        assert_int_equal(capture_all(&scene.capture, frames, COUNT), COUNT);
        for (size_t k = 0; k < COUNT; k++) {
            assert_int_equal(frames[k].tos, k % 2 == 0 ? 0x12 : 0);
            assert_int_equal(frames[k].to_mac[MAC - 1], k % 2 == 0 ? SECOND : FIRST);
        }
        change_rule(FAMILIES[i], "del", "tos 0x10");
        end(&scene);
    }
}

/* Whichever of several paths the kernel chooses for the socket's packets, others take it, too. */
static void compare_paths(struct scene *scene)
{
    enum { COUNT = 64 };
    static union udpbatch_addr hosts[COUNT];
    unsigned char macs[COUNT];
    size_t seconds = 0;

    make_packets(packets, COUNT, 100, NULL);
    for (unsigned k = 0; k < COUNT; k++) {
        hosts[k] = beyond_gateway(scene->family, 1 + k);
        packets[k].to = &hosts[k];
    }
    udpbatch_send(scene->xdp.sending.fd, packets, COUNT);
    assert_int_equal(capture_all(&scene->capture, frames, COUNT), COUNT);
    for (size_t k = 0; k < COUNT; k++) {
        macs[k] = frames[k].to_mac[MAC - 1];
        seconds += macs[k] == SECOND;
        packets[k].status = 0;
    }
    assert_in_range(seconds, 1, COUNT - 1);
    xdp_send(&scene->xdp, packets, COUNT);
    expect_past(&scene->xdp, COUNT);
    assert_int_equal(capture_all(&scene->capture, frames, COUNT), COUNT);
    for (size_t k = 0; k < COUNT; k++)
        assert_int_equal(frames[k].to_mac[MAC - 1], macs[k]);
}

/* By the hosts, or by their ports too. */
static void of_several_paths_the_sockets_is_taken(void **state)
{
    (void)state;
    for (size_t i = 0; i < family_count() * 2; i++) {
        int family = FAMILIES[i / 2];
        struct scene scene = begin(family);
        ip_in(family, "route replace 10.92.0.0/24 nexthop via 10.99.0.21 nexthop via 10.99.0.22",
              "route replace fd92::/64 nexthop via fd99::21 nexthop via fd99::22");
        assert_true(run_at(NEAR, "echo %zu >/proc/sys/net/%s/fib_multipath_hash_policy", i % 2,
                           in_family(family, "ipv4", "ipv6")));
        compare_paths(&scene);
        end(&scene);
    }
}

static void a_next_hop_object_is_followed_at_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < family_count(); i++) {
        struct scene scene = begin(FAMILIES[i]);
        ip_in(FAMILIES[i], "nexthop add id 1 via 10.99.0.22 dev near",
              "nexthop add id 1 via fd99::22 dev near");
        ip_in(FAMILIES[i], "route replace 10.92.0.0/24 nhid 1", "route del fd92::/64");
        if (FAMILIES[i] == AF_INET6)
            ip_at_near("route add fd92::/64 nhid 1");
        expect_next_to(&scene, SECOND);
        ip_in(FAMILIES[i], "nexthop replace id 1 via 10.99.0.23 dev near",
              "nexthop replace id 1 via fd99::23 dev near");
        expect_next_to(&scene, THIRD);
        ip_at_near("nexthop del id 1");
        expect_next_refused(&scene, ENETUNREACH);
        route_by(FAMILIES[i], FIRST);
        end(&scene);
    }
}

/* RFC 5549: a network of IPv4 behind a gateway of IPv6. */
static void a_gateway_may_be_of_the_other_family(void **state)
{
    (void)state;
    need_family(AF_INET6);
    struct scene scene = begin(AF_INET);

    ip_at_near("route replace 10.92.0.0/24 via inet6 fd99::22 dev near");
    expect_next_to(&scene, SECOND);
    add_gateway(AF_INET6, SECOND, THIRD);
    expect_next_to(&scene, THIRD);
    add_gateway(AF_INET6, SECOND, SECOND);
    route_by(AF_INET, FIRST);
    end(&scene);
}

/* What a route may say besides where it goes, and the stack alone can do. */
static void a_hop_limit_of_the_route_takes_the_socket(void **state)
{
    (void)state;
    for (size_t i = 0; i < family_count(); i++) {
        struct scene scene = begin(FAMILIES[i]);
        ip_in(FAMILIES[i], "route replace 10.92.0.0/24 via 10.99.0.21 hoplimit 9",
              "route replace fd92::/64 via fd99::21 hoplimit 9");
        assert_int_equal(xdp_send_one(&scene.xdp, &scene.to, 100), 1);
        expect_detour(&scene.xdp, UDPBATCH_DETOUR_ROUTE, 1);
        assert_int_equal(capture_all(&scene.capture, frames, 1), 1);
        assert_int_equal(frames[0].ttl, 9);
        assert_int_equal(frames[0].to_mac[MAC - 1], FIRST);
        route_by(FAMILIES[i], FIRST);
        end(&scene);
    }
}

/* ---- Neighbours ------------------------------------------------------------------------------ */

/* Nobody answers for it: all goes by the socket, which says that it was sent. */
static void to_a_neighbour_that_is_not_there_all_take_the_socket(void **state)
{
    enum { COUNT = 20 };

    (void)state;
    for (size_t i = 0; i < family_count(); i++) {
        struct scene scene = begin(FAMILIES[i]);
        union udpbatch_addr nobody = on_cable(FAMILIES[i], 77, 5000);

        make_packets(packets, COUNT, LEN_MOST, &nobody);
        for (uint32_t k = 0; k < COUNT; k++)
            packets[k].len = 10 + k;
        xdp_send(&scene.xdp, packets, COUNT);
        expect_detour(&scene.xdp, UDPBATCH_DETOUR_NEIGHBOUR, COUNT);
        assert_int_equal(xdp_send_one(&scene.xdp, &nobody, 10), 1);
        expect_detour(&scene.xdp, UDPBATCH_DETOUR_NEIGHBOUR, 1);
        assert_int_equal(capture_all(&scene.capture, frames, 1), 0);
        end(&scene);
    }
}

/* The first ones wait in the stack until it is known who it is; no other overtakes them. */
static void what_waits_for_a_neighbour_is_not_overtaken(void **state)
{
    (void)state;
    for (size_t i = 0; i < family_count(); i++) {
        union udpbatch_addr at = on_cable(FAMILIES[i], 2, 0);
        struct port port = port_at(FAR, &at);
        struct xdp xdp = xdp_begin(FAMILIES[i]);
        int64_t begun = now_ms();
        uint32_t count = 0;

        ip_in(FAMILIES[i], "neigh del 10.99.0.2 dev near", "neigh del fd99::2 dev near");
        assert_int_equal(xdp_send_one(&xdp, &port.addr, 100 + count++), 1);
        expect_detour(&xdp, UDPBATCH_DETOUR_NEIGHBOUR, 1);
        do {
            forget_ways(&xdp);
            assert_int_equal(xdp_send_one(&xdp, &port.addr, 100 + count++), 1);
            assert_true(now_ms() - begun < PATIENCE_MS);
        } while (!have_gone_past(&xdp));
        for (uint32_t k = 0; k < count; k++) {
            unsigned char room[LEN_MOST];
            assert_int_equal(receive_one(port.fd, room, sizeof room, NULL), 100 + k);
        }
        expect_nothing(port.fd);
        assert_true(two_hosts_configure());
        xdp_end(&xdp);
        port_close(&port);
    }
}

/* The kernel confirms a neighbour that is used; what passes by the stack it does not see. */
static void a_stale_neighbour_is_confirmed_by_one_packet(void **state)
{
    (void)state;
    for (size_t i = 0; i < family_count(); i++) {
        union udpbatch_addr to = on_cable(FAMILIES[i], 2, 5000);
        struct xdp xdp = xdp_begin(FAMILIES[i]);
        int64_t begun = now_ms();
        size_t by_socket = 0;

        ip_in(FAMILIES[i], "ntable change name arp_cache dev near delay_probe 100",
              "ntable change name ndisc_cache dev near delay_probe 100");
        ip_in(FAMILIES[i], "neigh replace 10.99.0.2 lladdr 02:00:00:00:00:02 dev near nud stale",
              "neigh replace fd99::2 lladdr 02:00:00:00:00:02 dev near nud stale");
        assert_int_equal(xdp_send_one(&xdp, &to, 10), 1);
        expect_detour(&xdp, UDPBATCH_DETOUR_NEIGHBOUR, 1);
        assert_int_equal(xdp_send_one(&xdp, &to, 10), 1);
        expect_past(&xdp, 1);
        while (!run_at(NEAR, "ip neigh show %s dev near nud reachable | grep -q .",
                       in_family(FAMILIES[i], "10.99.0.2", "fd99::2"))) {
            assert_int_equal(xdp_send_one(&xdp, &to, 10), 1);
            by_socket += !have_gone_past(&xdp);
            assert_true(now_ms() - begun < PATIENCE_MS);
        }
        assert_int_equal(by_socket, 0);
        assert_true(two_hosts_configure());
        xdp_end(&xdp);
    }
}

static uint16_t far_mac = 0x70;

/* It says nothing of it: the kernel finds out as it confirms what it uses (RFC 4861, 7.3). */
static void a_neighbour_that_has_silently_changed_is_found_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < family_count(); i++) {
        union udpbatch_addr at = on_cable(FAMILIES[i], 2, 0);
        struct port port = port_at(FAR, &at);
        struct pollfd arrival = { .fd = port.fd, .events = POLLIN };
        struct xdp xdp = xdp_begin(FAMILIES[i]);
        const char *table = in_family(FAMILIES[i], "arp_cache", "ndisc_cache");
        int64_t begun = now_ms();

        assert_true(run_at(NEAR,
                           "ip ntable change name %s dev near base_reachable 500"
                           " retrans 50 delay_probe 100",
                           table));
        ip_in(FAMILIES[i], "neigh del 10.99.0.2 dev near", "neigh del fd99::2 dev near");
        send_until_past(&xdp, &port.addr);
        assert_true(run_at(FAR, "ip link set far address 02:00:00:00:00:%02x", far_mac++));
        while (recv(port.fd, frames, sizeof frames, MSG_DONTWAIT) >= 0)
            continue;
        do {
            assert_int_equal(xdp_send_one(&xdp, &port.addr, 10), 1);
            assert_true(now_ms() - begun < PATIENCE_MS);
        } while (poll(&arrival, 1, 10) == 0);
        send_until_past(&xdp, &port.addr);
        assert_true(run_at(NEAR,
                           "ip ntable change name %s dev near base_reachable 30000 retrans 1000"
                           " delay_probe 5000",
                           table));
        assert_true(run_at(FAR, "ip link set far address 02:00:00:00:00:02"));
        assert_true(two_hosts_configure());
        xdp_end(&xdp);
        port_close(&port);
    }
}

/* ---- The path's MTU -------------------------------------------------------------------------- */

/* A router on the way sends back what is too long (RFC 1191, RFC 8201): the kernel learns it, and
 * the library from the kernel, within a second or two. */
static void a_narrower_path_is_learned_of(void **state)
{
    enum { NARROW = 1300, LEN = 1400 };

    (void)state;
    for (size_t i = 0; i < family_count(); i++) {
        union udpbatch_addr at = at_beyond(FAMILIES[i], 2, 0), from = on_cable(FAMILIES[i], 1, 0);
        struct port port = port_at(BEYOND, &at);
        struct pollfd arrival = { .fd = port.fd, .events = POLLIN };
        struct xdp xdp = xdp_begin(FAMILIES[i]);
        int64_t begun = now_ms();

        wait_for_way_to(BEYOND, &from, &at);
        assert_true(run_at(FAR, "ip link set far3 mtu %d", NARROW));
        assert_true(run_at(BEYOND, "ip link set beyond mtu %d", NARROW));
        assert_int_equal(xdp_send_one(&xdp, &port.addr, LEN), 1);
        expect_past(&xdp, 1);
        do {
            assert_int_equal(xdp_send_one(&xdp, &port.addr, LEN), 1);
            assert_true(now_ms() - begun < PATIENCE_MS);
        } while (poll(&arrival, 1, 10) == 0);
        assert_int_equal(receive_one(port.fd, frames, sizeof frames, NULL), LEN);
        forget_ways(&xdp);
        assert_int_equal(xdp_send_one(&xdp, &port.addr, LEN), 1);
        expect_detour(&xdp, UDPBATCH_DETOUR_SIZE, 1);
        assert_int_equal(xdp_send_one(&xdp, &port.addr, NARROW - 48), 1);
        expect_past(&xdp, 1);
        assert_true(run_at(FAR, "ip link set far3 mtu 1500"));
        assert_true(run_at(BEYOND, "ip link set beyond mtu 1500"));
        ip_in(FAMILIES[i], "route flush cache", "-6 route flush cache");
        xdp_end(&xdp);
        port_close(&port);
    }
}

/* ---- Many destinations ----------------------------------------------------------------------- */

/* More than are remembered: those that are not take the socket, or are asked for again; each
 * arrives. */
static void any_number_of_destinations_is_reached(void **state)
{
    enum { ALL = 20000, AT_ONCE = 2500 };
    static union udpbatch_addr to[AT_ONCE];
    static uint32_t numbers[AT_ONCE];
    static bool seen[AT_ONCE];

    (void)state;
    for (size_t i = 0; i < family_count(); i++) {
        struct scene scene = begin(FAMILIES[i]);
        for (uint32_t from = 0; from < ALL; from += AT_ONCE) {
            for (uint32_t k = 0; k < AT_ONCE; k++) {
                to[k] = behind_far(FAMILIES[i], 1 + (from + k) % 250,
                                   (uint16_t)(1000 + (from + k) / 250));
                numbers[k] = from + k;
                seen[k] = false;
                packets[k] =
                    (struct udpbatch_packet){ .data = &numbers[k], .len = 4, .to = &to[k] };
            }
            xdp_send(&scene.xdp, packets, AT_ONCE);
            assert_int_equal(capture_all(&scene.capture, frames, AT_ONCE), AT_ONCE);
            for (size_t k = 0; k < AT_ONCE; k++) {
                uint32_t number;
                memcpy(&number, frames[k].data, sizeof number);
                assert_true(number - from < AT_ONCE && !seen[number - from]);
                assert_true(same_address(&frames[k].to, &to[number - from]));
                seen[number - from] = true;
            }
        }
        assert_true(xdp_stats(&scene.xdp).xdp_packets > 0);
        end(&scene);
    }
}

/* A thousand are fewer than are remembered: soon none is asked for any more. */
static void a_thousand_destinations_are_soon_known(void **state)
{
    enum { COUNT = 1000 };
    static union udpbatch_addr to[COUNT];

    (void)state;
    for (size_t i = 0; i < family_count(); i++) {
        struct scene scene = begin(FAMILIES[i]);
        int64_t begun = now_ms();
        make_packets(packets, COUNT, 10, NULL);
        for (unsigned k = 0; k < COUNT; k++) {
            to[k] = behind_far(FAMILIES[i], 1 + k % 250, (uint16_t)(1000 + k / 250));
            packets[k].to = &to[k];
        }
        do {
            assert_true(now_ms() - begun < PATIENCE_MS);
            for (size_t k = 0; k < COUNT; k++)
                packets[k].status = 0;
            forget_ways(&scene.xdp);
            xdp_send(&scene.xdp, packets, COUNT);
            assert_int_equal(capture_all(&scene.capture, frames, COUNT), COUNT);
        } while (!have_gone_past(&scene.xdp));
        end(&scene);
    }
}

int main(void)
{
    static const struct test tests[] = {
        TEST_ONCE(the_way_to_the_far_side_is_open),
        TEST_ONCE(a_changed_route_is_followed_at_once),
        TEST_ONCE(a_removed_route_is_none_at_once),
        TEST_ONCE(a_longer_prefix_is_followed_at_once),
        TEST_ONCE(a_new_source_address_is_used_at_once),
        TEST_ONCE(a_neighbours_new_link_address_is_used_at_once),
        TEST_ONCE(the_devices_own_new_link_address_is_used_at_once),
        TEST_ONCE(a_change_among_many_is_followed),
        TEST_ONCE(a_rule_is_followed_at_once),
        TEST_ONCE(a_rule_for_a_source_is_followed),
        TEST_ONCE(a_rule_for_the_sockets_mark_is_followed),
        TEST_ONCE(a_rule_for_the_sockets_owner_is_followed),
        TEST_ONCE(a_rule_for_the_tos_is_followed_for_each_packet),
        TEST_ONCE(of_several_paths_the_sockets_is_taken),
        TEST_ONCE(a_next_hop_object_is_followed_at_once),
        TEST_ONCE(a_gateway_may_be_of_the_other_family),
        TEST_ONCE(a_hop_limit_of_the_route_takes_the_socket),
        TEST_ONCE(to_a_neighbour_that_is_not_there_all_take_the_socket),
        TEST_ONCE(what_waits_for_a_neighbour_is_not_overtaken),
        TEST_ONCE(a_stale_neighbour_is_confirmed_by_one_packet),
        TEST_ONCE(a_neighbour_that_has_silently_changed_is_found_again),
        TEST_ONCE(a_narrower_path_is_learned_of),
        TEST_ONCE(any_number_of_destinations_is_reached),
        TEST_ONCE(a_thousand_destinations_are_soon_known),
    };
    const char *missing = past_stack_make();
    unsetenv("UDPBATCH_GSO");
    if (missing != NULL)
        return must_be_able(missing) ? EXIT_FAILURE : EXIT_SKIP;
    return run_all("routes past the stack", tests, COUNT_OF(tests));
}
