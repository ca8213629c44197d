/* test_rtnetlink.c: what is read in rtnetlink messages, whole and damaged; and what is asked, of a
 * kernel that answers by a script.
 *
 * Linked with --wrap=send,--wrap=recvmsg.
 */
#include "backend/rtnetlink.h"

#include "chance.h"

#include <arpa/inet.h>
#include <limits.h>
#include <linux/fib_rules.h>
#include <linux/neighbour.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

enum { NEAR = 7, ROOM = 1024 }; /* the number of a device; bytes */

static const unsigned char MAC[UB_MAC] = { 2, 0, 0, 0, 0, 9 };

/* ---- Messages as the kernel writes them ------------------------------------------------------ */

static struct {
    _Alignas(struct nlmsghdr) unsigned char bytes[ROOM];
    size_t len;
    size_t last; /* where the last message begins */
} written;

static void clear(void)
{
    memset(&written, 0, sizeof written);
}

static void append(const void *from, size_t len)
{
    assert_true(written.len + NLMSG_ALIGN(len) <= ROOM);
    if (len > 0)
        memcpy(written.bytes + written.len, from, len);
    written.len += NLMSG_ALIGN(len);
}

static struct nlmsghdr *last(void)
{
    return (void *)(written.bytes + written.last);
}

/* After this, put() belongs to the new message. */
static void begin_message(uint16_t type, const void *about, size_t size)
{
    struct nlmsghdr header = { .nlmsg_type = type };
    written.last = written.len;
    append(&header, sizeof header);
    append(about, size);
    last()->nlmsg_len = (uint32_t)(sizeof header + size);
}

static struct rtattr *put(unsigned type, const void *value, size_t len)
{
    struct rtattr header = { .rta_type = (uint16_t)type, .rta_len = (uint16_t)RTA_LENGTH(len) };
    struct rtattr *begun = (void *)(written.bytes + written.len);
    append(&header, sizeof header);
    append(value, len);
    last()->nlmsg_len = (uint32_t)(written.len - written.last);
    return begun;
}

static void put_number(unsigned type, uint32_t number)
{
    put(type, &number, sizeof number);
}

static void put_address(unsigned type, const char *text)
{
    unsigned char address[16];
    int family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;
    assert_int_equal(inet_pton(family, text, address), 1);
    put(type, address, family == AF_INET ? 4 : 16);
}

static struct rtattr *put_metric(unsigned type, uint32_t number)
{
    struct rtattr *metrics = put(RTA_METRICS, NULL, 0);
    put_number(type, number);
    metrics->rta_len = (uint16_t)(metrics->rta_len + RTA_LENGTH(sizeof number));
    return metrics;
}

static void put_via(int family, const char *text, size_t len)
{
    unsigned char via[2 + 16] = { 0 };
    uint16_t number = (uint16_t)family;
    memcpy(via, &number, sizeof number);
    assert_int_equal(inet_pton(family, text, via + 2), 1);
    put(RTA_VIA, via, len);
}

static void put_cache_info(int error)
{
    struct rta_cacheinfo info = { .rta_expires = 100, .rta_error = (uint32_t)error };
    put(RTA_CACHEINFO, &info, sizeof info);
}

static void begin_route_message(uint16_t type, int family, uint8_t bits)
{
    struct rtmsg about = { .rtm_family = (uint8_t)family,
                           .rtm_type = RTN_UNICAST,
                           .rtm_dst_len = bits };
    begin_message(type, &about, sizeof about);
}

static void begin_route(int family)
{
    clear();
    begin_route_message(RTM_NEWROUTE, family, family == AF_INET ? 32 : 128);
}

static void begin_neighbour_message(uint16_t type, int family)
{
    struct ndmsg about = { .ndm_family = (uint8_t)family,
                           .ndm_ifindex = NEAR,
                           .ndm_state = NUD_REACHABLE };
    begin_message(type, &about, sizeof about);
}

static void write_error(int error)
{
    struct nlmsgerr about = { .error = error };
    clear();
    begin_message(NLMSG_ERROR, &about, sizeof about);
}

/* ---- Reading them ---------------------------------------------------------------------------- */

/* The first bytes of what was written, behind which nothing may be read: a sanitizer would see. */
static void *copy(size_t len)
{
    unsigned char *bytes = malloc(len);
    assert_true(len == 0 || bytes != NULL);
    if (len > 0)
        memcpy(bytes, written.bytes, len);
    return bytes;
}

static int read_route(struct ub_rtnl_route *route, size_t len)
{
    void *bytes = copy(len);
    int error = ub_rtnl_parse_route(bytes, len, route);
    free(bytes);
    return error;
}

static int read_neighbour(struct ub_rtnl_neighbour *neighbour, size_t len)
{
    void *bytes = copy(len);
    int error = ub_rtnl_parse_neighbour(bytes, len, neighbour);
    free(bytes);
    return error;
}

static struct ub_rtnl_change told[ROOM];
static size_t told_count;

static void remember(void *context, const struct ub_rtnl_change *change)
{
    assert_ptr_equal(context, told);
    told[told_count++] = *change;
}

static void read_changes(size_t len)
{
    void *bytes = copy(len);
    told_count = 0;
    ub_rtnl_parse_changes(bytes, len, remember, told);
    free(bytes);
}

static struct ub_rtnl_route route_of_written(void)
{
    struct ub_rtnl_route route;
    memset(&route, 0xff, sizeof route);
    assert_int_equal(read_route(&route, written.len), 0);
    return route;
}

static void expect_address(const unsigned char *address, int family, const char *text)
{
    unsigned char expected[16];
    assert_int_equal(inet_pton(family, text, expected), 1);
    assert_memory_equal(address, expected, family == AF_INET ? 4 : 16);
}

static void expect_refusal(int error)
{
    struct ub_rtnl_route route;
    struct ub_rtnl_neighbour neighbour;
    assert_int_equal(read_route(&route, written.len), error);
    if (last()->nlmsg_type == NLMSG_ERROR)
        assert_int_equal(read_neighbour(&neighbour, written.len), error);
}

static void expect_one(enum ub_rtnl_what what)
{
    read_changes(written.len);
    assert_int_equal(told_count, 1);
    assert_int_equal(told[0].what, what);
}

/* ---- Routes ---------------------------------------------------------------------------------- */

static void a_route_says_where_a_packet_goes_and_from_where(void **state)
{
    (void)state;
    begin_route(AF_INET);
    put_address(RTA_DST, "10.98.0.5");
    put_number(RTA_OIF, NEAR);
    put_address(RTA_PREFSRC, "10.99.0.1");
    put_address(RTA_GATEWAY, "10.99.0.2");
    struct ub_rtnl_route route = route_of_written();
    assert_int_equal(route.type, RTN_UNICAST);
    assert_int_equal(route.interface_index, NEAR);
    assert_true(route.has_from);
    expect_address(route.from, AF_INET, "10.99.0.1");
    assert_int_equal(route.next_hop_family, AF_INET);
    expect_address(route.next_hop, AF_INET, "10.99.0.2");
    assert_int_equal(route.mtu, 0);
    assert_false(route.has_more_to_it);
}

static void an_ipv6_route_does_too(void **state)
{
    (void)state;
    begin_route(AF_INET6);
    put_address(RTA_DST, "fd98::5");
    put_number(RTA_OIF, NEAR);
    put_address(RTA_PREFSRC, "fd99::1");
    put_address(RTA_GATEWAY, "fe80::2");
    put_cache_info(0);
    struct ub_rtnl_route route = route_of_written();
    assert_int_equal(route.interface_index, NEAR);
    assert_true(route.has_from);
    expect_address(route.from, AF_INET6, "fd99::1");
    assert_int_equal(route.next_hop_family, AF_INET6);
    expect_address(route.next_hop, AF_INET6, "fe80::2");
    assert_false(route.has_more_to_it);
}

static void a_route_on_the_link_has_no_next_hop(void **state)
{
    (void)state;
    begin_route(AF_INET);
    put_number(RTA_OIF, NEAR);
    struct ub_rtnl_route route = route_of_written();
    assert_int_equal(route.next_hop_family, 0);
    assert_false(route.has_from);
}

static void an_ipv4_route_may_lead_by_an_ipv6_next_hop(void **state)
{
    (void)state;
    begin_route(AF_INET);
    put_number(RTA_OIF, NEAR);
    put_via(AF_INET6, "fe80::2", 18);
    struct ub_rtnl_route route = route_of_written();
    assert_int_equal(route.next_hop_family, AF_INET6);
    expect_address(route.next_hop, AF_INET6, "fe80::2");
    assert_false(route.has_more_to_it);
}

static void the_mtu_of_a_route_is_read(void **state)
{
    (void)state;
    begin_route(AF_INET);
    put_metric(RTAX_MTU, 1300);
    assert_int_equal(route_of_written().mtu, 1300);
    assert_false(route_of_written().has_more_to_it);
    begin_route(AF_INET);
    put_metric(RTAX_MTU, 1300)->rta_type |= NLA_F_NESTED; /* as newer messages of the kernel have */
    assert_int_equal(route_of_written().mtu, 1300);
}

static void what_only_the_stack_can_do_is_told(void **state)
{
    static const unsigned types[] = { RTA_ENCAP, RTA_ENCAP_TYPE, RTA_NEWDST, RTA_MULTIPATH };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        begin_route(AF_INET6);
        put_number(types[i], 1);
        assert_true(route_of_written().has_more_to_it);
    }
    begin_route(AF_INET);
    put_metric(RTAX_LOCK, 1 << RTAX_MTU);
    assert_true(route_of_written().has_more_to_it);
}

static void other_metrics_matter_to_nobody_here(void **state)
{
    (void)state;
    for (unsigned metric = 0; metric <= RTAX_MAX; metric++) {
        begin_route(AF_INET);
        put_metric(metric, metric == RTAX_LOCK ? ~(1u << RTAX_MTU) : 1);
        assert_false(route_of_written().has_more_to_it);
        assert_int_equal(route_of_written().hop_limit, metric == RTAX_HOPLIMIT);
        assert_int_equal(route_of_written().mtu, metric == RTAX_MTU);
    }
}

static void a_refusal_is_its_error(void **state)
{
    static const int errors[] = { ENETUNREACH, EHOSTUNREACH, EACCES, EINVAL, ENOENT };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(errors); i++) {
        write_error(-errors[i]);
        expect_refusal(-errors[i]);
        begin_route(AF_INET6);
        put_cache_info(-errors[i]);
        expect_refusal(-errors[i]);
    }
}

static void an_error_that_is_none_is_damage(void **state)
{
    static const int errors[] = { 0, 1, EHOSTUNREACH, -4096, INT_MIN, INT_MAX };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(errors); i++) {
        write_error(errors[i]);
        expect_refusal(-EBADMSG);
        begin_route(AF_INET6);
        put_cache_info(errors[i]);
        expect_refusal(errors[i] == 0 ? 0 : -EBADMSG);
    }
}

static void an_attribute_that_is_not_known_is_passed_over(void **state)
{
    static const unsigned char value[33];
    (void)state;
    begin_route(AF_INET);
    for (unsigned len = 0; len < sizeof value; len++)
        put(1000 + len, value, len);
    put_number(RTA_OIF, NEAR);
    assert_int_equal(route_of_written().interface_index, NEAR);
}

static void expect_sizes(int family, unsigned type, size_t right)
{
    static const unsigned char value[64];
    for (size_t len = 0; len < sizeof value; len++) {
        begin_route(family);
        put(type, value, len);
        expect_refusal(len == right ? 0 : -EBADMSG);
    }
}

static void an_address_of_another_size_is_damage(void **state)
{
    (void)state;
    expect_sizes(AF_INET, RTA_PREFSRC, 4);
    expect_sizes(AF_INET, RTA_GATEWAY, 4);
    expect_sizes(AF_INET6, RTA_PREFSRC, 16);
    expect_sizes(AF_INET6, RTA_GATEWAY, 16);
    expect_sizes(AF_BRIDGE, RTA_GATEWAY, SIZE_MAX);
    expect_sizes(AF_INET, RTA_VIA, SIZE_MAX); /* of no family */
    for (size_t len = 2; len <= 18; len++) {
        begin_route(AF_INET);
        put_via(AF_INET6, "fe80::2", len);
        expect_refusal(len == 18 ? 0 : -EBADMSG);
    }
}

static void a_number_that_is_cut_is_damage(void **state)
{
    static const unsigned char value[32];
    (void)state;
    for (size_t len = 0; len < sizeof value; len++) {
        begin_route(AF_INET);
        put(RTA_OIF, value, len);
        expect_refusal(len >= 4 ? 0 : -EBADMSG);
        begin_route(AF_INET);
        put(RTA_CACHEINFO, value, len);
        expect_refusal(-EBADMSG);
    }
    for (uint16_t less = 1; less < 8; less++) {
        begin_route(AF_INET);
        struct rtattr *metrics = put_metric(RTAX_MTU, 1300);
        metrics->rta_len = (uint16_t)(metrics->rta_len - less);
        expect_refusal(-EBADMSG);
    }
}

static void an_attribute_that_goes_on_behind_the_end_is_damage(void **state)
{
    struct ub_rtnl_neighbour neighbour;
    struct ub_rtnl_route route;

    (void)state;
    begin_route(AF_INET);
    put(RTA_FLOW, NULL, 0)->rta_len++;
    assert_int_equal(read_route(&route, written.len), -EBADMSG);
    clear();
    begin_neighbour_message(RTM_NEWNEIGH, AF_INET);
    put(NDA_PROBES, NULL, 0)->rta_len++;
    assert_int_equal(read_neighbour(&neighbour, written.len), -EBADMSG);
}

static void an_answer_to_another_question_is_damage(void **state)
{
    struct ub_rtnl_neighbour neighbour;
    struct ub_rtnl_route route;

    (void)state;
    begin_route(AF_INET);
    assert_int_equal(read_neighbour(&neighbour, written.len), -EBADMSG);
    clear();
    begin_neighbour_message(RTM_NEWNEIGH, AF_INET);
    assert_int_equal(read_route(&route, written.len), -EBADMSG);
}

/* ---- Neighbours ------------------------------------------------------------------------------ */

static void write_neighbour(uint16_t type, int family, const char *address, size_t mac_len)
{
    unsigned char mac[32] = { 0 };
    memcpy(mac, MAC, sizeof MAC);
    clear();
    begin_neighbour_message(type, family);
    put_address(NDA_DST, address);
    put(NDA_LLADDR, mac, mac_len);
}

static void a_neighbour_has_a_state_and_a_mac(void **state)
{
    struct ub_rtnl_neighbour neighbour;
    (void)state;
    write_neighbour(RTM_NEWNEIGH, AF_INET, "10.99.0.2", UB_MAC);
    assert_int_equal(read_neighbour(&neighbour, written.len), 0);
    assert_int_equal(neighbour.state, NUD_REACHABLE);
    assert_true(neighbour.has_mac);
    assert_memory_equal(neighbour.mac, MAC, UB_MAC);
}

static void a_neighbour_may_have_no_mac(void **state)
{
    struct ub_rtnl_neighbour neighbour;
    (void)state;
    clear();
    begin_neighbour_message(RTM_NEWNEIGH, AF_INET);
    put_address(NDA_DST, "10.99.0.2");
    assert_int_equal(read_neighbour(&neighbour, written.len), 0);
    assert_int_equal(neighbour.state, NUD_REACHABLE);
    assert_false(neighbour.has_mac);
}

static void an_address_of_another_kind_of_link_is_no_mac(void **state)
{
    struct ub_rtnl_neighbour neighbour;
    (void)state;
    for (size_t len = 0; len <= 32; len++) {
        write_neighbour(RTM_NEWNEIGH, AF_INET, "10.99.0.2", len);
        assert_int_equal(read_neighbour(&neighbour, written.len), 0);
        assert_int_equal(neighbour.has_mac, len == UB_MAC);
    }
}

/* ---- Changes --------------------------------------------------------------------------------- */

static void a_link_that_changes_is_told(void **state)
{
    static const uint16_t types[] = { RTM_NEWLINK, RTM_DELLINK };
    struct ifinfomsg about = { .ifi_index = NEAR };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        clear();
        begin_message(types[i], &about, sizeof about);
        put(IFLA_IFNAME, "near", 5);
        expect_one(UB_RTNL_LINK);
        assert_int_equal(told[0].interface_index, NEAR);
    }
}

static void expect_route_change(uint16_t type, int family, const char *to, uint8_t bits)
{
    clear();
    begin_route_message(type, family, bits);
    put_number(RTA_TABLE, RT_TABLE_MAIN);
    if (bits > 0)
        put_address(RTA_DST, to);
    put_number(RTA_OIF, NEAR);
    expect_one(UB_RTNL_ROUTE);
    assert_int_equal(told[0].family, family);
    assert_int_equal(told[0].bits, bits);
    expect_address(told[0].address, family, to);
}

static void a_route_that_changes_is_told_with_whom_it_leads_to(void **state)
{
    static const uint16_t types[] = { RTM_NEWROUTE, RTM_DELROUTE };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        expect_route_change(types[i], AF_INET, "10.98.0.0", 24);
        expect_route_change(types[i], AF_INET, "10.98.0.1", 32);
        expect_route_change(types[i], AF_INET, "0.0.0.0", 0);
        expect_route_change(types[i], AF_INET6, "fd98::", 64);
        expect_route_change(types[i], AF_INET6, "fd98::1", 128);
        expect_route_change(types[i], AF_INET6, "::", 0);
    }
}

static void expect_neighbour_change(uint16_t type, int family, const char *address)
{
    write_neighbour(type, family, address, UB_MAC);
    expect_one(UB_RTNL_NEIGHBOUR);
    assert_int_equal(told[0].family, family);
    assert_int_equal(told[0].interface_index, NEAR);
    expect_address(told[0].address, family, address);
}

static void a_neighbour_that_changes_is_told(void **state)
{
    (void)state;
    expect_neighbour_change(RTM_NEWNEIGH, AF_INET, "10.99.0.2");
    expect_neighbour_change(RTM_DELNEIGH, AF_INET, "10.99.0.2");
    expect_neighbour_change(RTM_NEWNEIGH, AF_INET6, "fd99::2");
    expect_neighbour_change(RTM_DELNEIGH, AF_INET6, "fd99::2");
}

static void what_changes_more_than_can_be_told_changes_all(void **state)
{
    static const uint16_t types[] = { RTM_NEWRULE,    RTM_DELRULE, RTM_NEWNEXTHOP,
                                      RTM_DELNEXTHOP, RTM_NEWADDR, RTM_DELADDR,
                                      NLMSG_OVERRUN,  RTM_MAX,     NLMSG_MIN_TYPE - 1 };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        clear();
        begin_message(types[i], NULL, 0);
        expect_one(UB_RTNL_ALL);
    }
}

static void what_is_of_other_families_changes_nothing(void **state)
{
    (void)state;
    clear();
    begin_neighbour_message(RTM_NEWNEIGH, AF_BRIDGE);
    put(NDA_LLADDR, MAC, UB_MAC);
    begin_route_message(RTM_NEWROUTE, 129 /* RTNL_FAMILY_IPMR */, 32);
    begin_neighbour_message(RTM_GETNEIGH, AF_INET);
    put_address(NDA_DST, "10.99.0.2");
    read_changes(written.len);
    assert_int_equal(told_count, 0);
    read_changes(0);
    assert_int_equal(told_count, 0);
}

static void many_changes_in_one_datagram_are_told_in_order(void **state)
{
    struct ifinfomsg about = { .ifi_index = NEAR };
    (void)state;
    clear();
    begin_route_message(RTM_NEWROUTE, AF_INET, 0);
    begin_neighbour_message(RTM_NEWNEIGH, AF_BRIDGE);
    begin_message(RTM_NEWLINK, &about, sizeof about);
    begin_message(RTM_NEWRULE, NULL, 0);
    read_changes(written.len);
    assert_int_equal(told_count, 3);
    assert_int_equal(told[0].what, UB_RTNL_ROUTE);
    assert_int_equal(told[1].what, UB_RTNL_LINK);
    assert_int_equal(told[2].what, UB_RTNL_ALL);
}

static void what_cannot_be_read_changes_all(void **state)
{
    static const uint16_t types[] = { RTM_NEWLINK, RTM_NEWROUTE, RTM_NEWNEIGH };
    static const unsigned char about[16];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(types); i++)
        for (size_t len = 0; len < 12; len++) {
            clear();
            begin_message(types[i], about, len);
            expect_one(UB_RTNL_ALL);
        }
    clear();
    begin_route_message(RTM_NEWROUTE, AF_INET, 24); /* to nowhere */
    expect_one(UB_RTNL_ALL);
    put_address(RTA_DST, "fd98::");
    expect_one(UB_RTNL_ALL);
    clear();
    begin_route_message(RTM_NEWROUTE, AF_INET, 33);
    put_address(RTA_DST, "10.98.0.0");
    expect_one(UB_RTNL_ALL);
    clear();
    begin_neighbour_message(RTM_NEWNEIGH, AF_INET6);
    put_address(NDA_DST, "10.99.0.2");
    expect_one(UB_RTNL_ALL);
}

static void what_is_read_before_damage_is_told_too(void **state)
{
    (void)state;
    clear();
    begin_route_message(RTM_NEWROUTE, AF_INET, 0);
    begin_route_message(RTM_NEWROUTE, AF_INET, 0);
    last()->nlmsg_len++;
    read_changes(written.len);
    assert_int_equal(told_count, 2);
    assert_int_equal(told[0].what, UB_RTNL_ROUTE);
    assert_int_equal(told[1].what, UB_RTNL_ALL);
}

/* ---- Damage ---------------------------------------------------------------------------------- */

static void write_full_route(void)
{
    begin_route(AF_INET);
    put_address(RTA_DST, "10.98.0.5");
    put_number(RTA_OIF, NEAR);
    put_address(RTA_PREFSRC, "10.99.0.1");
    put_via(AF_INET6, "fe80::2", 18);
    put_metric(RTAX_MTU, 1300);
    put_cache_info(0);
}

static void write_full_ipv6_route(void)
{
    begin_route(AF_INET6);
    put_address(RTA_DST, "fd98::5");
    put_address(RTA_GATEWAY, "fd99::2");
    put_metric(RTAX_HOPLIMIT, 64);
    put_number(RTA_OIF, NEAR);
    put_address(RTA_PREFSRC, "fd99::1");
}

static void write_full_neighbour(void)
{
    write_neighbour(RTM_NEWNEIGH, AF_INET6, "fd99::2", UB_MAC);
    put_number(NDA_PROBES, 1);
}

static void write_refusal(void)
{
    write_error(-ENETUNREACH);
}

static void write_many(void)
{
    struct ifinfomsg about = { .ifi_index = NEAR };
    write_full_route();
    begin_message(RTM_NEWLINK, &about, sizeof about);
    put(IFLA_IFNAME, "near", 5);
    begin_neighbour_message(RTM_DELNEIGH, AF_INET);
    put_address(NDA_DST, "10.99.0.2");
    begin_route_message(RTM_DELROUTE, AF_INET6, 64);
    put_address(RTA_DST, "fd98::");
    begin_message(RTM_DELRULE, NULL, 0);
}

static void (*const writers[])(void) = { write_full_route, write_full_ipv6_route,
                                         write_full_neighbour, write_refusal, write_many };

static bool is_sound(const struct ub_rtnl_change *change)
{
    unsigned bits = change->family == AF_INET ? 32 : 128;
    bool has_family = change->family == AF_INET || change->family == AF_INET6;
    return change->what == UB_RTNL_ALL || change->what == UB_RTNL_LINK ||
           (change->what == UB_RTNL_NEIGHBOUR && has_family) ||
           (change->what == UB_RTNL_ROUTE && has_family && change->bits <= bits);
}

/* Whatever the bytes are, what comes out is one of the things that can come out. */
static void read_all_ways(size_t len)
{
    struct ub_rtnl_route route;
    struct ub_rtnl_neighbour neighbour;
    assert_in_range(-read_route(&route, len), 0, 4095);
    assert_in_range(-read_neighbour(&neighbour, len), 0, 4095);
    read_changes(len);
    for (size_t i = 0; i < told_count; i++)
        assert_true(is_sound(&told[i]));
}

static void a_message_that_is_cut_is_damage(void **state)
{
    struct ub_rtnl_route route;
    struct ub_rtnl_neighbour neighbour;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(writers); i++) {
        writers[i]();
        for (size_t len = 0; len < last()->nlmsg_len; len++) {
            read_all_ways(len);
            if (written.last > 0)
                continue;
            assert_int_equal(read_route(&route, len), -EBADMSG);
            assert_int_equal(read_neighbour(&neighbour, len), -EBADMSG);
            assert_int_equal(told_count, len > 0);
        }
    }
}

static void a_message_that_ends_early_is_read_to_its_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(writers); i++) {
        writers[i]();
        for (size_t len = sizeof(struct nlmsghdr); len < written.len - written.last; len++) {
            last()->nlmsg_len = (uint32_t)len;
            read_all_ways(written.last + len);
        }
    }
}

static void each_length_may_be_a_lie(void **state)
{
    static const uint16_t lies[] = { 0, 3, 4, 0xffff };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(writers) * COUNT_OF(lies); i++) {
        writers[i / COUNT_OF(lies)]();
        for (size_t at = 0; at < written.len; at += sizeof lies[0]) {
            writers[i / COUNT_OF(lies)]();
            memcpy(written.bytes + at, &lies[i % COUNT_OF(lies)], sizeof lies[0]);
            read_all_ways(written.len);
        }
    }
}

static void random_damage_is_survived(void **state)
{
    enum { ROUNDS = 50000 };
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        writers[below(COUNT_OF(writers))]();
        for (unsigned times = 1 + below(4); times > 0; times--)
            written.bytes[below((unsigned)written.len)] = (unsigned char)below(256);
        read_all_ways(one_in(4) ? below((unsigned)written.len + 1) : written.len);
    }
}

/* ---- A kernel that answers by a script ------------------------------------------------------- */

/* What a call of recvmsg is to find. */
struct arrival {
    int error;          /* instead of a datagram */
    uint32_t pid;       /* its sender; 0 is the kernel */
    uint32_t other_seq; /* added to the number of the question */
    size_t cut;         /* bytes that did not fit */
};

static struct {
    const struct arrival *arrivals; /* the last one again and again */
    size_t arrival_count, next, receive_calls;
    unsigned char question[256];
    size_t question_len, send_calls;
    int send_errors[2]; /* of the first calls */
} kernel;

static void begin_script(const struct arrival *arrivals, size_t count)
{
    memset(&kernel, 0, sizeof kernel);
    kernel.arrivals = arrivals;
    kernel.arrival_count = count;
}

ssize_t __wrap_send(int fd, const void *bytes, size_t len, int flags);
ssize_t __wrap_send(int fd, const void *bytes, size_t len, int flags)
{
    size_t call = kernel.send_calls++;
    (void)fd;
    (void)flags;
    if (call < COUNT_OF(kernel.send_errors) && kernel.send_errors[call] != 0) {
        errno = kernel.send_errors[call];
        return -1;
    }
    assert_true(len <= sizeof kernel.question);
    memcpy(kernel.question, bytes, len);
    kernel.question_len = len;
    return (ssize_t)len;
}

static uint32_t number_of_question(void)
{
    return ((const struct nlmsghdr *)(void *)kernel.question)->nlmsg_seq;
}

/* What was written arrives. */
static ssize_t arrive(const struct arrival *arrival, struct msghdr *message)
{
    struct sockaddr_nl from = { .nl_family = AF_NETLINK, .nl_pid = arrival->pid };

    assert_true(written.len <= message->msg_iov->iov_len);
    last()->nlmsg_seq = number_of_question() + arrival->other_seq;
    memcpy(message->msg_iov->iov_base, written.bytes, written.len - arrival->cut);
    memcpy(message->msg_name, &from, sizeof from);
    message->msg_flags = arrival->cut > 0 ? MSG_TRUNC : 0;
    return (ssize_t)(written.len - arrival->cut);
}

ssize_t __wrap_recvmsg(int fd, struct msghdr *message, int flags);
ssize_t __wrap_recvmsg(int fd, struct msghdr *message, int flags)
{
    const struct arrival *arrival = &kernel.arrivals[kernel.next];
    (void)fd;
    (void)flags;
    kernel.receive_calls++;
    if (kernel.next + 1 < kernel.arrival_count)
        kernel.next++;
    if (arrival->error == 0)
        return arrive(arrival, message);
    errno = arrival->error;
    return -1;
}

/* ---- Questions ------------------------------------------------------------------------------- */

/* The question's attribute of that type, NULL if it has none; there may be no second one. */
static const unsigned char *asked(unsigned type, size_t len)
{
    const unsigned char *value = NULL;
    for (size_t at = NLMSG_LENGTH(sizeof(struct rtmsg)); at < kernel.question_len;) {
        const struct rtattr *attribute = (void *)(kernel.question + at);
        if (attribute->rta_type == type) {
            assert_null(value);
            assert_int_equal(attribute->rta_len, RTA_LENGTH(len));
            value = kernel.question + at + RTA_LENGTH(0);
        }
        at += RTA_ALIGN(attribute->rta_len);
    }
    return value;
}

static void expect_asked(unsigned type, const void *value, size_t len)
{
    assert_non_null(asked(type, len));
    assert_memory_equal(asked(type, len), value, len);
}

static int ask(const struct ub_rtnl_query *query, struct ub_rtnl_route *route)
{
    return ub_rtnl_route(0, query, route);
}

static const struct arrival answer[] = { { 0 } };
static const struct ub_rtnl_query anywhere = { .family = AF_INET, .to = { 192, 0, 2, 1 } };

static void all_that_is_known_of_a_packet_is_asked(void **state)
{
    const uint32_t near = NEAR, mark = 5;
    const unsigned char udp = IPPROTO_UDP;
    struct ub_rtnl_query query = { .family = AF_INET6,
                                   .to = "to an IPv6 host",
                                   .has_from = true,
                                   .from = "from IPv6 host",
                                   .from_port = htons(1000),
                                   .to_port = htons(2000),
                                   .interface_index = near,
                                   .mark = mark,
                                   .tos = 0x10 };
    struct ub_rtnl_route route;
    struct rtmsg about;

    (void)state;
    begin_route(AF_INET6);
    begin_script(answer, 1);
    assert_int_equal(ask(&query, &route), 0);
    memcpy(&about, kernel.question + sizeof(struct nlmsghdr), sizeof about);
    assert_int_equal(about.rtm_family, AF_INET6);
    assert_int_equal(about.rtm_dst_len, 128);
    assert_int_equal(about.rtm_src_len, 128);
    assert_int_equal(about.rtm_tos, 0x10);
    expect_asked(RTA_DST, query.to, 16);
    expect_asked(RTA_SRC, query.from, 16);
    expect_asked(RTA_OIF, &near, sizeof near);
    expect_asked(RTA_MARK, &mark, sizeof mark);
    expect_asked(RTA_IP_PROTO, &udp, sizeof udp);
    expect_asked(RTA_SPORT, &query.from_port, 2);
    expect_asked(RTA_DPORT, &query.to_port, 2);
}

static void what_is_not_known_is_not_asked(void **state)
{
    static const unsigned left_out[] = { RTA_SRC, RTA_OIF, RTA_MARK, RTA_SPORT, RTA_DPORT };
    struct ub_rtnl_route route;

    (void)state;
    begin_route(AF_INET);
    begin_script(answer, 1);
    assert_int_equal(ask(&anywhere, &route), 0);
    for (size_t i = 0; i < COUNT_OF(left_out); i++)
        assert_null(asked(left_out[i], 0));
    expect_asked(RTA_DST, anywhere.to, 4);
    assert_int_equal(kernel.send_calls, 1);
    assert_int_equal(kernel.receive_calls, 1);
}

/* IPv6 names the source that it would choose by itself, IPv4 none. */
static void a_source_that_is_asked_for_is_the_answer(void **state)
{
    struct ub_rtnl_query query = anywhere;
    struct ub_rtnl_route route;

    (void)state;
    query.has_from = true;
    assert_int_equal(inet_pton(AF_INET, "10.99.0.3", query.from), 1);
    begin_route(AF_INET);
    for (int times = 0; times < 2; times++) {
        begin_script(answer, 1);
        assert_int_equal(ask(&query, &route), 0);
        assert_true(route.has_from);
        expect_address(route.from, AF_INET, "10.99.0.3");
        put_address(RTA_PREFSRC, "10.99.0.1");
    }
}

static void what_answers_no_question_of_now_is_passed_over(void **state)
{
    static const struct arrival arrivals[] = {
        { .error = EINTR }, { .other_seq = 1 }, { .pid = 99 }, { 0 }, { .error = EAGAIN },
    };
    struct ub_rtnl_route route;

    (void)state;
    begin_route(AF_INET);
    begin_script(arrivals, COUNT_OF(arrivals));
    kernel.send_errors[0] = EINTR;
    assert_int_equal(ask(&anywhere, &route), 0);
    assert_int_equal(kernel.send_calls, 2);
    assert_int_equal(kernel.receive_calls, 4);
}

static void expect_failure(const struct arrival *arrival, int error)
{
    unsigned char address[16] = { 0 };
    struct ub_rtnl_neighbour neighbour;
    struct ub_rtnl_route route;

    begin_route(AF_INET);
    begin_script(arrival, 1);
    assert_int_equal(ask(&anywhere, &route), -error);
    begin_script(arrival, 1);
    assert_int_equal(ub_rtnl_neighbour(0, AF_INET, NEAR, address, &neighbour), -error);
    assert_int_equal(kernel.receive_calls, 1);
}

static void a_question_without_an_answer_ends(void **state)
{
    (void)state;
    expect_failure(&(struct arrival){ .error = EAGAIN }, ETIMEDOUT);
    expect_failure(&(struct arrival){ .error = ENOBUFS }, ENOBUFS);
    expect_failure(&(struct arrival){ .error = EBADF }, EBADF);
    expect_failure(&(struct arrival){ .cut = 4 }, ENOBUFS);
}

static void a_question_that_cannot_be_sent_is_not_waited_for(void **state)
{
    struct ub_rtnl_route route;
    (void)state;
    begin_script(answer, 1);
    kernel.send_errors[0] = ENOBUFS;
    assert_int_equal(ask(&anywhere, &route), -ENOBUFS);
    assert_int_equal(kernel.receive_calls, 0);
}

static void a_neighbour_that_is_unknown_has_no_state(void **state)
{
    static const struct {
        int error, result;
    } cases[] = { { ENOENT, 0 }, { EOPNOTSUPP, 0 }, { ENODEV, -ENODEV } };
    unsigned char address[16] = { 0 };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct ub_rtnl_neighbour neighbour = { .state = NUD_REACHABLE, .has_mac = true };
        write_error(-cases[i].error);
        begin_script(answer, 1);
        assert_int_equal(ub_rtnl_neighbour(0, AF_INET, NEAR, address, &neighbour), cases[i].result);
        assert_int_equal(neighbour.state, 0);
        assert_false(neighbour.has_mac);
    }
}

/* ---- Reports --------------------------------------------------------------------------------- */

/* Reads with the script; returns how many system calls that took. */
static size_t read_script(const struct arrival *arrivals, size_t count)
{
    clear();
    begin_route_message(RTM_NEWROUTE, AF_INET, 0);
    begin_script(arrivals, count);
    told_count = 0;
    ub_rtnl_read_changes(0, remember, told);
    return kernel.receive_calls;
}

static void where_nothing_has_changed_that_is_one_system_call(void **state)
{
    static const struct arrival nothing = { .error = EAGAIN };
    (void)state;
    assert_int_equal(read_script(&nothing, 1), 1);
    assert_int_equal(told_count, 0);
}

static void all_that_the_kernel_reports_is_read(void **state)
{
    static const struct arrival arrivals[] = {
        { 0 }, { .pid = 99 }, { .error = EINTR }, { 0 }, { .error = EAGAIN },
    };
    (void)state;
    assert_int_equal(read_script(arrivals, COUNT_OF(arrivals)), 5);
    assert_int_equal(told_count, 2);
    assert_int_equal(told[0].what, UB_RTNL_ROUTE);
    assert_int_equal(told[1].what, UB_RTNL_ROUTE);
}

static void what_is_lost_of_the_reports_changes_all(void **state)
{
    static const struct arrival arrivals[] = {
        { 0 }, { .error = ENOBUFS }, { .cut = 4 }, { 0 }, { .error = EAGAIN },
    };
    (void)state;
    assert_int_equal(read_script(arrivals, COUNT_OF(arrivals)), 5);
    assert_int_equal(told_count, 4);
    assert_int_equal(told[0].what, UB_RTNL_ROUTE);
    assert_int_equal(told[1].what, UB_RTNL_ALL);
    assert_int_equal(told[2].what, UB_RTNL_ALL);
    assert_int_equal(told[3].what, UB_RTNL_ROUTE);
}

static void a_socket_that_fails_changes_all_at_each_call(void **state)
{
    static const struct arrival failure = { .error = EBADF };
    (void)state;
    assert_int_equal(read_script(&failure, 1), 1);
    assert_int_equal(told_count, 1);
    assert_int_equal(told[0].what, UB_RTNL_ALL);
}

static void reports_without_end_change_all(void **state)
{
    (void)state;
    size_t calls = read_script(answer, 1);
    assert_in_range(calls, 2, 100);
    assert_int_equal(told_count, calls + 1);
    assert_int_equal(told[told_count - 2].what, UB_RTNL_ROUTE);
    assert_int_equal(told[told_count - 1].what, UB_RTNL_ALL);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_route_says_where_a_packet_goes_and_from_where),
        cmocka_unit_test(an_ipv6_route_does_too),
        cmocka_unit_test(a_route_on_the_link_has_no_next_hop),
        cmocka_unit_test(an_ipv4_route_may_lead_by_an_ipv6_next_hop),
        cmocka_unit_test(the_mtu_of_a_route_is_read),
        cmocka_unit_test(what_only_the_stack_can_do_is_told),
        cmocka_unit_test(other_metrics_matter_to_nobody_here),
        cmocka_unit_test(a_refusal_is_its_error),
        cmocka_unit_test(an_error_that_is_none_is_damage),
        cmocka_unit_test(an_attribute_that_is_not_known_is_passed_over),
        cmocka_unit_test(an_address_of_another_size_is_damage),
        cmocka_unit_test(a_number_that_is_cut_is_damage),
        cmocka_unit_test(an_attribute_that_goes_on_behind_the_end_is_damage),
        cmocka_unit_test(an_answer_to_another_question_is_damage),
        cmocka_unit_test(a_neighbour_has_a_state_and_a_mac),
        cmocka_unit_test(a_neighbour_may_have_no_mac),
        cmocka_unit_test(an_address_of_another_kind_of_link_is_no_mac),
        cmocka_unit_test(a_link_that_changes_is_told),
        cmocka_unit_test(a_route_that_changes_is_told_with_whom_it_leads_to),
        cmocka_unit_test(a_neighbour_that_changes_is_told),
        cmocka_unit_test(what_changes_more_than_can_be_told_changes_all),
        cmocka_unit_test(what_is_of_other_families_changes_nothing),
        cmocka_unit_test(many_changes_in_one_datagram_are_told_in_order),
        cmocka_unit_test(what_cannot_be_read_changes_all),
        cmocka_unit_test(what_is_read_before_damage_is_told_too),
        cmocka_unit_test(a_message_that_is_cut_is_damage),
        cmocka_unit_test(a_message_that_ends_early_is_read_to_its_end),
        cmocka_unit_test(each_length_may_be_a_lie),
        cmocka_unit_test(random_damage_is_survived),
        cmocka_unit_test(all_that_is_known_of_a_packet_is_asked),
        cmocka_unit_test(what_is_not_known_is_not_asked),
        cmocka_unit_test(a_source_that_is_asked_for_is_the_answer),
        cmocka_unit_test(what_answers_no_question_of_now_is_passed_over),
        cmocka_unit_test(a_question_without_an_answer_ends),
        cmocka_unit_test(a_question_that_cannot_be_sent_is_not_waited_for),
        cmocka_unit_test(a_neighbour_that_is_unknown_has_no_state),
        cmocka_unit_test(where_nothing_has_changed_that_is_one_system_call),
        cmocka_unit_test(all_that_the_kernel_reports_is_read),
        cmocka_unit_test(what_is_lost_of_the_reports_changes_all),
        cmocka_unit_test(a_socket_that_fails_changes_all_at_each_call),
        cmocka_unit_test(reports_without_end_change_all),
    };
    chance_begin();
    return cmocka_run_group_tests_name("rtnetlink", tests, NULL, NULL);
}
