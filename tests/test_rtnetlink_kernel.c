/* test_rtnetlink_kernel.c: the kernel's own answers about routes and neighbours, and its reports.
 *
 * The program makes network namespaces of its own, which vanish with it. It needs root or user
 * namespaces, and ip; where these are missing it exits with 77, or fails if CI is set.
 */
#define _GNU_SOURCE
#include "backend/rtnetlink.h"

#include "two_hosts.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

static int asking; /* a socket that asks, at near */

static size_t family_count(void)
{
    return has_in6() ? 2 : 1;
}

static unsigned index_of(const char *device)
{
    unsigned index = if_nametoindex(device);
    assert_true(index > 0);
    return index;
}

/* ---- Questions ------------------------------------------------------------------------------- */

static void read_text(int family, const char *text, unsigned char *address)
{
    assert_int_equal(inet_pton(family, text, address), 1);
}

static int family_of(const char *text)
{
    return strchr(text, ':') != NULL ? AF_INET6 : AF_INET;
}

static struct ub_rtnl_query query_to(const char *to)
{
    struct ub_rtnl_query query = { .family = family_of(to) };
    read_text(query.family, to, query.to);
    return query;
}

static struct ub_rtnl_route answer_to(const struct ub_rtnl_query *query)
{
    struct ub_rtnl_route route;
    assert_int_equal(ub_rtnl_route(asking, query, &route), 0);
    return route;
}

static struct ub_rtnl_route route_to(const char *to)
{
    struct ub_rtnl_query query = query_to(to);
    return answer_to(&query);
}

static void expect_address(const unsigned char *address, const char *text)
{
    unsigned char expected[16];
    read_text(family_of(text), text, expected);
    assert_memory_equal(address, expected, family_of(text) == AF_INET ? 4 : 16);
}

/* That a packet leaves by the cable. */
static void expect_from(const struct ub_rtnl_route *route, const char *from)
{
    assert_int_equal(route->type, RTN_UNICAST);
    assert_int_equal(route->interface_index, index_of("near"));
    assert_true(route->has_from);
    expect_address(route->from, from);
}

static void expect_next_hop(const struct ub_rtnl_route *route, const char *next_hop)
{
    assert_int_equal(route->next_hop_family, family_of(next_hop));
    expect_address(route->next_hop, next_hop);
}

static void expect_refusal(const char *to, int error)
{
    struct ub_rtnl_query query = query_to(to);
    struct ub_rtnl_route route;
    assert_int_equal(ub_rtnl_route(asking, &query, &route), -error);
}

/* ---- Routes ---------------------------------------------------------------------------------- */

static void a_destination_on_the_link_has_no_next_hop(void **state)
{
    struct ub_rtnl_route route = route_to("10.99.0.2");
    (void)state;
    expect_from(&route, "10.99.0.1");
    assert_int_equal(route.next_hop_family, 0);
    assert_int_equal(route.mtu, 0);
    assert_false(route.has_more_to_it);
    need_family(AF_INET6);
    route = route_to("fd99::2");
    expect_from(&route, "fd99::1");
    assert_int_equal(route.next_hop_family, 0);
    assert_int_equal(route.mtu, 0);
    assert_false(route.has_more_to_it);
}

static void a_destination_behind_a_router_has_one(void **state)
{
    struct ub_rtnl_route route = route_to("10.98.0.5");
    (void)state;
    expect_from(&route, "10.99.0.1");
    expect_next_hop(&route, "10.99.0.2");
    need_family(AF_INET6);
    route = route_to("fd98::5");
    expect_from(&route, "fd99::1");
    expect_next_hop(&route, "fd99::2");
}

static void an_ipv4_destination_may_be_behind_an_ipv6_router(void **state)
{
    (void)state;
    need_family(AF_INET6);
    assert_true(run_at(NEAR, "ip route add 10.90.1.0/24 via inet6 fe80::2 dev near"));
    struct ub_rtnl_route route = route_to("10.90.1.1");
    expect_from(&route, "10.99.0.1");
    expect_next_hop(&route, "fe80::2");
}

static void the_source_that_is_asked_for_is_the_answer(void **state)
{
    static const char *const to[] = { "10.98.0.5", "fd98::5" };
    static const char *const from[] = { "10.99.0.3", "fd99::3" };
    (void)state;
    for (size_t i = 0; i < family_count(); i++) {
        struct ub_rtnl_query query = query_to(to[i]);
        query.has_from = true;
        read_text(query.family, from[i], query.from);
        struct ub_rtnl_route route = answer_to(&query);
        expect_from(&route, from[i]);
    }
}

static void the_interface_that_is_asked_for_is_the_answer(void **state)
{
    struct ub_rtnl_query query = query_to("10.95.0.2");
    (void)state;
    assert_int_equal(answer_to(&query).interface_index, index_of("near2"));
    query.interface_index = index_of("near");
    assert_int_equal(answer_to(&query).interface_index, index_of("near"));
}

static void expect_type(const char *to, unsigned type)
{
    struct ub_rtnl_query query = query_to(to);
    if (type == RTN_MULTICAST)
        query.interface_index = index_of("near");
    assert_int_equal(answer_to(&query).type, type);
}

static void what_is_for_one_other_host_is_told_from_the_rest(void **state)
{
    (void)state;
    expect_type("10.99.0.2", RTN_UNICAST);
    expect_type("10.99.0.1", RTN_LOCAL);
    expect_type("127.0.0.1", RTN_LOCAL);
    expect_type("10.99.0.255", RTN_BROADCAST);
    expect_type("224.0.0.251", RTN_MULTICAST);
    need_family(AF_INET6);
    expect_type("fd99::2", RTN_UNICAST);
    expect_type("fd99::1", RTN_LOCAL);
    expect_type("::1", RTN_LOCAL);
    expect_type("ff02::fb", RTN_MULTICAST);
}

static void a_destination_without_a_way_is_refused(void **state)
{
    (void)state;
    expect_refusal("192.0.2.1", ENETUNREACH);
    assert_true(run_at(NEAR, "ip route add unreachable 10.90.2.0/24 &&"
                             " ip route add blackhole 10.90.3.0/24 &&"
                             " ip route add prohibit 10.90.4.0/24 &&"
                             " ip route add throw 10.90.5.0/24"));
    expect_refusal("10.90.2.1", EHOSTUNREACH);
    expect_refusal("10.90.3.1", EINVAL);
    expect_refusal("10.90.4.1", EACCES);
    expect_refusal("10.90.5.1", ENETUNREACH);
}

static void an_ipv6_destination_without_a_way_is_refused(void **state)
{
    (void)state;
    need_family(AF_INET6);
    expect_refusal("2001:db8::1", ENETUNREACH);
    assert_true(run_at(NEAR, "ip route add unreachable fd90:2::/64 &&"
                             " ip route add blackhole fd90:3::/64 &&"
                             " ip route add prohibit fd90:4::/64 &&"
                             " ip route add throw fd90:5::/64"));
    expect_refusal("fd90:2::1", EHOSTUNREACH);
    expect_refusal("fd90:3::1", EINVAL);
    expect_refusal("fd90:4::1", EACCES);
    expect_refusal("fd90:5::1", ENETUNREACH);
}

static void a_route_may_have_an_mtu_of_its_own(void **state)
{
    (void)state;
    assert_true(run_at(NEAR, "ip route add 10.90.6.0/24 via 10.99.0.2 mtu 1300"));
    assert_int_equal(route_to("10.90.6.1").mtu, 1300);
    assert_false(route_to("10.90.6.1").has_more_to_it);
    need_family(AF_INET6);
    assert_true(run_at(NEAR, "ip route add fd90:6::/64 via fd99::2 mtu 1300"));
    assert_int_equal(route_to("fd90:6::1").mtu, 1300);
    assert_false(route_to("fd90:6::1").has_more_to_it);
}

static void a_route_may_ask_for_more_than_a_frame_has(void **state)
{
    (void)state;
    assert_true(run_at(NEAR, "ip route add 10.90.8.0/24 via 10.99.0.2 mtu lock 1300"));
    assert_true(route_to("10.90.8.1").has_more_to_it);
    if (run_at(NEAR, "ip route add 10.90.9.0/24 encap ip id 7 dst 10.99.0.2 dev near"))
        assert_true(route_to("10.90.9.1").has_more_to_it);
}

static void a_route_may_have_a_hop_limit_of_its_own(void **state)
{
    (void)state;
    assert_true(run_at(NEAR, "ip route add 10.90.7.0/24 via 10.99.0.2 hoplimit 9"));
    assert_int_equal(route_to("10.90.7.1").hop_limit, 9);
    assert_int_equal(route_to("10.99.0.2").hop_limit, 0);
    need_family(AF_INET6);
    assert_true(run_at(NEAR, "ip route add fd90:7::/64 via fd99::2 hoplimit 9"));
    assert_int_equal(route_to("fd90:7::1").hop_limit, 9);
}

static void of_several_paths_the_answer_names_one(void **state)
{
    (void)state;
    assert_true(run_at(NEAR, "ip route add 10.90.10.0/24"
                             " nexthop via 10.99.0.2 nexthop via 10.99.0.4"));
    struct ub_rtnl_route route = route_to("10.90.10.1");
    expect_from(&route, "10.99.0.1");
    assert_int_equal(route.next_hop_family, AF_INET);
    assert_false(route.has_more_to_it);
    need_family(AF_INET6);
    assert_true(run_at(NEAR, "ip route add fd90:10::/64"
                             " nexthop via fd99::2 nexthop via fd99::4"));
    route = route_to("fd90:10::1");
    expect_from(&route, "fd99::1");
    assert_int_equal(route.next_hop_family, AF_INET6);
    assert_false(route.has_more_to_it);
}

/* ---- Rules ----------------------------------------------------------------------------------- */

enum { TABLE = 90, PREFERENCE = 90 };

/* A rule, and whom it is for. */
static const struct {
    const char *rule;
    uint16_t from_port, to_port;
    uint32_t mark;
    uint8_t tos;
} RULES[] = {
    { "ipproto udp", 0, 0, 0, 0 }, { "sport 1000", 1000, 0, 0, 0 }, { "dport 2000", 0, 2000, 0, 0 },
    { "fwmark 7", 0, 0, 7, 0 },    { "tos 0x10", 0, 0, 0, 0x10 },
};

static struct ub_rtnl_query query_of_rule(const char *to, size_t i)
{
    struct ub_rtnl_query query = query_to(to);
    query.from_port = htons(RULES[i].from_port);
    query.to_port = htons(RULES[i].to_port);
    query.mark = RULES[i].mark;
    query.tos = RULES[i].tos;
    return query;
}

/* By the rule's table the way is by number 5, else by 2. */
static void expect_rules(const char *ip, const char *to, const char *by_rule, const char *else_by)
{
    assert_true(run_at(NEAR, "%s route add default via %s table %d", ip, by_rule, TABLE));
    for (size_t rule = 0; rule < COUNT_OF(RULES); rule++) {
        assert_true(run_at(NEAR, "%s rule add pref %d %s table %d", ip, PREFERENCE,
                           RULES[rule].rule, TABLE));
        for (size_t i = 0; i < COUNT_OF(RULES); i++) {
            struct ub_rtnl_query query = query_of_rule(to, i);
            struct ub_rtnl_route route = answer_to(&query);
            expect_next_hop(&route, rule == 0 || i == rule ? by_rule : else_by);
        }
        assert_true(run_at(NEAR, "%s rule del pref %d", ip, PREFERENCE));
    }
    assert_true(run_at(NEAR, "%s rule add pref %d ipproto tcp table %d", ip, PREFERENCE, TABLE));
    struct ub_rtnl_route route = route_to(to);
    expect_next_hop(&route, else_by);
    assert_true(run_at(NEAR, "%s rule del pref %d", ip, PREFERENCE));
}

static void the_answer_is_by_the_rules_for_such_a_packet(void **state)
{
    (void)state;
    expect_rules("ip", "10.98.0.5", "10.99.0.5", "10.99.0.2");
    need_family(AF_INET6);
    expect_rules("ip -6", "fd98::5", "fd99::5", "fd99::2");
}

/* ---- Learned path MTUs ----------------------------------------------------------------------- */

enum { NARROW_MTU = 1400 };

/* Sends what does not fit behind far until far has said so. */
static uint32_t learn_mtu(int family, int level, int option)
{
    static const unsigned char payload[NARROW_MTU];
    union udpbatch_addr from = on_cable(family, 1, 0), to = at_beyond(family, 2, 9);
    struct port port = port_at(NEAR, &from);
    struct ub_rtnl_query query = query_to(family == AF_INET ? "10.96.0.2" : "fd96::2");
    int64_t begun = now_ms();

    set_option(port.fd, level, option, IP_PMTUDISC_DO);
    assert_int_equal(answer_to(&query).mtu, 0);
    do {
        sendto(port.fd, payload, sizeof payload, 0, &to.sa, sizeof to);
        assert_true(now_ms() - begun < PATIENCE_MS);
    } while (answer_to(&query).mtu == 0);
    port_close(&port);
    return answer_to(&query).mtu;
}

static void a_path_mtu_that_was_learned_is_in_the_answer(void **state)
{
    (void)state;
    assert_true(run_at(FAR, "ip link set far3 mtu %d", NARROW_MTU));
    assert_int_equal(learn_mtu(AF_INET, IPPROTO_IP, IP_MTU_DISCOVER), NARROW_MTU);
    need_family(AF_INET6);
    assert_int_equal(learn_mtu(AF_INET6, IPPROTO_IPV6, IPV6_MTU_DISCOVER), NARROW_MTU);
}

/* ---- Neighbours ------------------------------------------------------------------------------ */

static struct ub_rtnl_neighbour neighbour_at(const char *text, const char *device)
{
    unsigned char address[16];
    struct ub_rtnl_neighbour neighbour;
    read_text(family_of(text), text, address);
    assert_int_equal(
        ub_rtnl_neighbour(asking, family_of(text), index_of(device), address, &neighbour), 0);
    return neighbour;
}

static void expect_mac(const char *address, unsigned char last)
{
    const unsigned char mac[UB_MAC] = { 2, 0, 0, 0, 0, last };
    struct ub_rtnl_neighbour neighbour = neighbour_at(address, "near");
    assert_int_equal(neighbour.state, NUD_PERMANENT);
    assert_true(neighbour.has_mac);
    assert_memory_equal(neighbour.mac, mac, sizeof mac);
}

static void expect_unknown(const char *address, const char *device)
{
    struct ub_rtnl_neighbour neighbour = neighbour_at(address, device);
    assert_int_equal(neighbour.state, 0);
    assert_false(neighbour.has_mac);
}

static void a_neighbour_is_known_on_its_link_alone(void **state)
{
    (void)state;
    expect_mac("10.99.0.2", 2);
    expect_unknown("10.99.0.77", "near");
    expect_unknown("10.99.0.2", "near2");
    need_family(AF_INET6);
    expect_mac("fd99::2", 2);
    expect_mac("fe80::2", 2);
    expect_unknown("fd99::77", "near");
    expect_unknown("fd99::2", "near2");
}

static void a_neighbour_that_did_not_answer_has_no_mac(void **state)
{
    (void)state;
    assert_true(run_at(NEAR, "ip neigh add 10.99.0.78 dev near nud failed"));
    struct ub_rtnl_neighbour neighbour = neighbour_at("10.99.0.78", "near");
    assert_int_equal(neighbour.state, NUD_FAILED);
    assert_false(neighbour.has_mac);
}

static void a_neighbour_on_no_link_is_an_error(void **state)
{
    unsigned char address[16] = { 10, 99, 0, 2 };
    struct ub_rtnl_neighbour neighbour;
    (void)state;
    assert_int_equal(ub_rtnl_neighbour(asking, AF_INET, 9999, address, &neighbour), -ENODEV);
    assert_int_equal(ub_rtnl_neighbour(-1, AF_INET, 9999, address, &neighbour), -EBADF);
}

/* ---- Changes --------------------------------------------------------------------------------- */

static int begin_watch(void)
{
    int watch = ub_rtnl_watch();
    assert_true(watch >= 0);
    return watch;
}

/* What is waited for. */
struct wanted {
    struct ub_rtnl_change change;
    bool has_come;
};

static bool is_same(const struct ub_rtnl_change *a, const struct ub_rtnl_change *b)
{
    return a->what == b->what && a->family == b->family && a->bits == b->bits &&
           a->interface_index == b->interface_index &&
           memcmp(a->address, b->address, sizeof a->address) == 0;
}

static void look(void *context, const struct ub_rtnl_change *change)
{
    struct wanted *wanted = context;
    wanted->has_come |= is_same(change, &wanted->change);
}

static void expect_change(int watch, const struct ub_rtnl_change *change)
{
    struct wanted wanted = { .change = *change };
    struct pollfd news = { .fd = watch, .events = POLLIN };
    while (!wanted.has_come) {
        assert_int_equal(poll(&news, 1, PATIENCE_MS), 1);
        ub_rtnl_read_changes(watch, look, &wanted);
    }
}

static void expect_link(int watch, const char *device)
{
    expect_change(watch, &(struct ub_rtnl_change){ .what = UB_RTNL_LINK,
                                                   .interface_index = index_of(device) });
}

static void expect_route(int watch, const char *to, uint8_t bits)
{
    struct ub_rtnl_change change = { .what = UB_RTNL_ROUTE, .family = family_of(to), .bits = bits };
    read_text(change.family, to, change.address);
    expect_change(watch, &change);
}

static void expect_neighbour(int watch, const char *address)
{
    struct ub_rtnl_change change = { .what = UB_RTNL_NEIGHBOUR,
                                     .family = family_of(address),
                                     .interface_index = index_of("near") };
    read_text(change.family, address, change.address);
    expect_change(watch, &change);
}

static void count(void *context, const struct ub_rtnl_change *change)
{
    size_t *told = context;
    (void)change;
    ++*told;
}

static void count_all(void *context, const struct ub_rtnl_change *change)
{
    size_t *told = context;
    *told += change->what == UB_RTNL_ALL;
}

/* At once: most of what a command does is reported before it ends. */
static void expect_all_by_now(int watch)
{
    size_t told = 0;
    ub_rtnl_read_changes(watch, count_all, &told);
    assert_true(told > 0);
}

static void neither_socket_waits_without_end(void **state)
{
    struct timeval patience = { 0 };
    socklen_t len = sizeof patience;
    int watch = begin_watch();

    (void)state;
    assert_int_equal(getsockopt(asking, SOL_SOCKET, SO_RCVTIMEO, &patience, &len), 0);
    assert_in_range(patience.tv_sec, 1, 5);
    assert_true(fcntl(watch, F_GETFL) & O_NONBLOCK);
    close(watch);
}

static void neither_socket_is_inherited(void **state)
{
    int watch = begin_watch();
    (void)state;
    assert_int_equal(fcntl(asking, F_GETFD), FD_CLOEXEC);
    assert_int_equal(fcntl(watch, F_GETFD), FD_CLOEXEC);
    close(watch);
}

/* Other things may go on in the background at first, as addresses of devices that came up. */
static void questions_are_no_changes(void **state)
{
    int64_t begun = now_ms();
    size_t told;

    (void)state;
    do {
        int watch = begin_watch();
        told = 0;
        route_to("10.98.0.5");
        neighbour_at("10.99.0.2", "near");
        ub_rtnl_read_changes(watch, count, &told);
        close(watch);
        assert_true(now_ms() - begun < PATIENCE_MS);
    } while (told > 0);
}

static void a_route_that_comes_or_goes_is_told(void **state)
{
    static const char *const verbs[] = { "add", "del" };
    int watch = begin_watch();
    (void)state;
    for (size_t i = 0; i < COUNT_OF(verbs); i++) {
        assert_true(run_at(NEAR, "ip route %s 10.91.0.0/16 via 10.99.0.2", verbs[i]));
        expect_route(watch, "10.91.0.0", 16);
        assert_true(run_at(NEAR, "ip route %s default via 10.99.0.2", verbs[i]));
        expect_route(watch, "0.0.0.0", 0);
        if (!has_in6())
            continue;
        assert_true(run_at(NEAR, "ip route %s fd91::/64 via fd99::2", verbs[i]));
        expect_route(watch, "fd91::", 64);
        assert_true(run_at(NEAR, "ip -6 route %s default via fd99::2", verbs[i]));
        expect_route(watch, "::", 0);
    }
    close(watch);
}

static void change_mac(const char *address, unsigned last)
{
    assert_true(run_at(NEAR,
                       "ip neigh replace %s lladdr 02:00:00:00:00:%02x dev near nud permanent",
                       address, last));
}

static void a_neighbour_with_another_mac_is_told(void **state)
{
    static const char *const addresses[] = { "10.99.0.2", "fd99::2" };
    (void)state;
    for (size_t i = 0; i < family_count(); i++) {
        int watch = begin_watch();
        change_mac(addresses[i], 9);
        expect_neighbour(watch, addresses[i]);
        expect_mac(addresses[i], 9);
        change_mac(addresses[i], 2);
        close(watch);
    }
}

static void a_neighbour_that_goes_is_told(void **state)
{
    int watch = begin_watch();
    (void)state;
    assert_true(run_at(NEAR, "ip neigh add 10.99.0.79 lladdr 02:00:00:00:00:79 dev near"));
    expect_neighbour(watch, "10.99.0.79");
    assert_true(run_at(NEAR, "ip neigh del 10.99.0.79 dev near"));
    expect_neighbour(watch, "10.99.0.79");
    close(watch);
}

static void a_link_that_goes_down_and_up_is_told(void **state)
{
    int watch = begin_watch();
    (void)state;
    assert_true(run_at(NEAR, "ip link set near down"));
    expect_link(watch, "near");
    expect_refusal("10.99.0.2", ENETUNREACH);
    close(watch);
    watch = begin_watch();
    assert_true(run_at(NEAR, "ip link set near up"));
    expect_link(watch, "near");
    assert_true(two_hosts_configure());
    close(watch);
}

static void a_link_that_loses_its_carrier_is_told(void **state)
{
    int watch = begin_watch();
    (void)state;
    assert_true(run_at(FAR, "ip link set far2 down"));
    expect_link(watch, "near2");
    close(watch);
    watch = begin_watch();
    assert_true(run_at(FAR, "ip link set far2 up"));
    expect_link(watch, "near2");
    close(watch);
}

static void a_link_with_another_mtu_is_told(void **state)
{
    int watch = begin_watch();
    (void)state;
    assert_true(run_at(NEAR, "ip link set near2 mtu 1400"));
    expect_link(watch, "near2");
    close(watch);
}

static void expect_all_after(const char *ip, const char *arguments)
{
    int watch = begin_watch();
    assert_true(run_at(NEAR, "%s %s", ip, arguments));
    expect_all_by_now(watch);
    close(watch);
}

static void rules_and_addresses_that_come_or_go_change_all(void **state)
{
    (void)state;
    expect_all_after("ip", "rule add pref 90 dport 2000 table 90");
    expect_all_after("ip", "rule del pref 90");
    expect_all_after("ip", "addr add 10.99.0.9/24 dev near");
    expect_all_after("ip", "addr del 10.99.0.9/24 dev near");
    need_family(AF_INET6);
    expect_all_after("ip -6", "rule add pref 90 dport 2000 table 90");
    expect_all_after("ip -6", "rule del pref 90");
}

/* In the background: first comes the look for another host that has the address. */
static void ipv6_addresses_that_come_or_go_change_all(void **state)
{
    static const char *const verbs[] = { "add", "del" };
    (void)state;
    need_family(AF_INET6);
    for (size_t i = 0; i < COUNT_OF(verbs); i++) {
        int watch = begin_watch();
        assert_true(run_at(NEAR, "ip addr %s fd99::9/64 dev near nodad", verbs[i]));
        expect_change(watch, &(struct ub_rtnl_change){ .what = UB_RTNL_ALL });
        close(watch);
    }
}

static void next_hops_that_come_or_go_change_all(void **state)
{
    (void)state;
    if (!run_at(NEAR, "ip nexthop add id 6 via 10.99.0.2 dev near")) { /* before Linux 5.3 */
        print_message("cannot run here: no nexthop objects\n");
        skip();
    }
    expect_all_after("ip", "nexthop add id 7 via 10.99.0.2 dev near");
    expect_all_after("ip", "nexthop del id 7");
}

/* No message among these is UB_RTNL_ALL but that something was lost. */
static void more_changes_than_fit_change_all(void **state)
{
    int watch = begin_watch();
    (void)state;
    set_option(watch, SOL_SOCKET, SO_RCVBUF, 1);
    assert_true(run_at(NEAR, "for i in $(seq 200); do"
                             " echo route add 10.92.$i.0/24 via 10.99.0.2; done | ip -batch -"));
    expect_all_by_now(watch);
    assert_true(run_at(NEAR, "ip route add 10.93.0.0/16 via 10.99.0.2"));
    expect_route(watch, "10.93.0.0", 16);
    close(watch);
}

int main(void)
{
    static const struct test tests[] = {
        TEST_ONCE(a_destination_on_the_link_has_no_next_hop),
        TEST_ONCE(a_destination_behind_a_router_has_one),
        TEST_ONCE(an_ipv4_destination_may_be_behind_an_ipv6_router),
        TEST_ONCE(the_source_that_is_asked_for_is_the_answer),
        TEST_ONCE(the_interface_that_is_asked_for_is_the_answer),
        TEST_ONCE(what_is_for_one_other_host_is_told_from_the_rest),
        TEST_ONCE(a_destination_without_a_way_is_refused),
        TEST_ONCE(an_ipv6_destination_without_a_way_is_refused),
        TEST_ONCE(a_route_may_have_an_mtu_of_its_own),
        TEST_ONCE(a_route_may_ask_for_more_than_a_frame_has),
        TEST_ONCE(a_route_may_have_a_hop_limit_of_its_own),
        TEST_ONCE(of_several_paths_the_answer_names_one),
        TEST_ONCE(the_answer_is_by_the_rules_for_such_a_packet),
        TEST_ONCE(a_path_mtu_that_was_learned_is_in_the_answer),
        TEST_ONCE(a_neighbour_is_known_on_its_link_alone),
        TEST_ONCE(a_neighbour_that_did_not_answer_has_no_mac),
        TEST_ONCE(a_neighbour_on_no_link_is_an_error),
        TEST_ONCE(neither_socket_waits_without_end),
        TEST_ONCE(neither_socket_is_inherited),
        TEST_ONCE(questions_are_no_changes),
        TEST_ONCE(a_route_that_comes_or_goes_is_told),
        TEST_ONCE(a_neighbour_with_another_mac_is_told),
        TEST_ONCE(a_neighbour_that_goes_is_told),
        TEST_ONCE(a_link_that_goes_down_and_up_is_told),
        TEST_ONCE(a_link_that_loses_its_carrier_is_told),
        TEST_ONCE(a_link_with_another_mtu_is_told),
        TEST_ONCE(rules_and_addresses_that_come_or_go_change_all),
        TEST_ONCE(ipv6_addresses_that_come_or_go_change_all),
        TEST_ONCE(next_hops_that_come_or_go_change_all),
        TEST_ONCE(more_changes_than_fit_change_all),
    };
    const char *missing = two_hosts_make();
    if (missing == NULL && !(two_hosts_add_cable() && two_hosts_add_beyond()))
        missing = "ip cannot make more cables";
    if (missing != NULL)
        return must_be_able(missing) ? EXIT_FAILURE : EXIT_SKIP;
    asking = ub_rtnl_open();
    int failed = asking < 0 ? EXIT_FAILURE : run_all("rtnetlink_kernel", tests, COUNT_OF(tests));
    close(asking);
    return failed;
}
