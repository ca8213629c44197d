/* test_receiver_meta.c: what the kernel tells of a datagram is given out with it, by every back
 * end. */
#define _GNU_SOURCE
#include "internal.h"
#include "receiving.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TOS = 0xb8 | 2, TTL = 77 }; /* expedited forwarding, ECT(0) */

static struct udpbatch_received received[MANY];

/* A receiver at all addresses of this host, that tells what is asked. */
static struct receiving begin(void **state, int family, uint32_t meta)
{
    union udpbatch_addr any = address(family, family == AF_INET ? "0.0.0.0" : "::", 0);
    struct udpbatch_receiver_options options = { .meta = meta };
    return receiving_begin_at(state, port_open_at(&any), options);
}

/* Sends a datagram to that address at the receiver's port; and receives it. */
static void send_to(struct receiving *receiving, const char *text, const struct port *from)
{
    int family = from->addr.sa.sa_family;
    union udpbatch_addr to = address(family, text, ntohs(receiving->port.addr.in4.sin_port));
    struct iovec payload = { (void *)(uintptr_t) "question", 8 };
    struct msghdr message = {
        .msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &payload, .msg_iovlen = 1
    };
    receiving_send_by(receiving, from->fd, &message);
}

static const struct udpbatch_meta *receive_at(struct receiving *receiving, const char *text,
                                              const struct port *from)
{
    send_to(receiving, text, from);
    assert_int_equal(receiving_receive(receiving, received, MANY), 1);
    assert_int_equal(received[0].len, 8);
    return received[0].meta;
}

static bool is_address(const union udpbatch_addr *addr, int family, const char *text)
{
    union udpbatch_addr expected = address(family, text, 0);
    return same_address(addr, &expected);
}

/* A socket of IPv4 that says these of each datagram. */
static struct port marking_port(void)
{
    struct port port = port_open(AF_INET);
    set_option(port.fd, IPPROTO_IP, IP_TOS, TOS);
    set_option(port.fd, IPPROTO_IP, IP_TTL, TTL);
    return port;
}

static struct port marking_port_of_ipv6(void)
{
    struct port port = port_open(AF_INET6);
    set_option(port.fd, IPPROTO_IPV6, IPV6_TCLASS, TOS);
    set_option(port.fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, TTL);
    return port;
}

/* ---- What is told ---------------------------------------------------------------------------- */

static void what_is_not_asked_for_is_not_told(void **state)
{
    struct receiving receiving = begin(state, AF_INET, 0);
    assert_null(receive_at(&receiving, "127.0.0.1", &receiving.from));
    receiving_end(&receiving);

    for (uint32_t flag = UDPBATCH_META_CAME_TO; flag <= UDPBATCH_META_CAME_AT; flag <<= 1) {
        receiving = begin(state, AF_INET, flag);
        uint32_t local = flag == UDPBATCH_META_CAME_TO ? UDPBATCH_META_LOCAL : 0;
        const struct udpbatch_meta *meta = receive_at(&receiving, "127.0.0.1", &receiving.from);
        assert_int_equal(meta->flags, flag | local);
        receiving_end(&receiving);
    }
}

/* A user of the socket may have asked for more; it is not told as long as it was not asked here. */
static void what_others_have_asked_for_is_not_told(void **state)
{
    struct receiving receiving = begin(state, AF_INET, UDPBATCH_META_CAME_WITH_TTL);

    set_option(receiving.port.fd, IPPROTO_IP, IP_PKTINFO, 1);
    set_option(receiving.port.fd, IPPROTO_IP, IP_RECVTOS, 1);
    const struct udpbatch_meta *meta = receive_at(&receiving, "127.0.0.1", &receiving.from);
    assert_int_equal(meta->flags, UDPBATCH_META_CAME_WITH_TTL);
    receiving_end(&receiving);
}

static void expect_all_told(const struct udpbatch_meta *meta, int family, const char *local)
{
    assert_int_equal(meta->flags, META_ALL | UDPBATCH_META_LOCAL);
    assert_true(is_address(&meta->local, family, local));
    assert_int_equal(meta->interface_index, if_nametoindex("lo"));
    assert_int_equal(meta->tos, TOS);
    assert_int_equal(meta->ttl, TTL);
}

static void all_is_told_of_ipv4(void **state)
{
    struct receiving receiving = begin(state, AF_INET, META_ALL);
    struct port from = marking_port();

    expect_all_told(receive_at(&receiving, "127.0.0.2", &from), AF_INET, "127.0.0.2");
    port_close(&from);
    receiving_end(&receiving);
}

static void all_is_told_of_ipv6(void **state)
{
    need_family(AF_INET6);
    struct receiving receiving = begin(state, AF_INET6, META_ALL);
    struct port from = marking_port_of_ipv6();

    expect_all_told(receive_at(&receiving, "::1", &from), AF_INET6, "::1");
    port_close(&from);
    receiving_end(&receiving);
}

static void all_is_told_of_ipv4_on_an_ipv6_socket(void **state)
{
    need_family(AF_INET6);
    struct receiving receiving = begin(state, AF_INET6, META_ALL);
    struct port from = marking_port();

    expect_all_told(receive_at(&receiving, "127.0.0.2", &from), AF_INET6, "::ffff:127.0.0.2");
    assert_int_equal(received[0].from->sa.sa_family, AF_INET6);
    port_close(&from);
    receiving_end(&receiving);
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void the_time_is_that_of_the_arrival(void **state)
{
    struct receiving receiving = begin(state, AF_INET, UDPBATCH_META_CAME_AT);

    uint64_t before = now_ns();
    uint64_t came_at = receive_at(&receiving, "127.0.0.1", &receiving.from)->time_ns;
    assert_in_range(came_at, before, now_ns());
    receiving_end(&receiving);
}

static void datagrams_of_one_call_have_each_their_own(void **state)
{
    struct receiving receiving = begin(state, AF_INET, UDPBATCH_META_CAME_WITH_TTL);

    for (int ttl = 1; ttl <= 5; ttl++) {
        set_option(receiving.from.fd, IPPROTO_IP, IP_TTL, ttl);
        receiving_send(&receiving, "x", 1);
    }
    assert_int_equal(receiving_receive(&receiving, received, MANY), 5);
    for (uint8_t i = 0; i < 5; i++)
        assert_int_equal(received[i].meta->ttl, i + 1);
    receiving_end(&receiving);
}

static void packets_of_a_train_share_it(void **state)
{
    struct receiving receiving = begin(state, AF_INET, META_ALL);
    struct port from = marking_port();

    set_option(from.fd, UB_SOL_UDP, UB_UDP_SEGMENT, 2);
    send_to(&receiving, "127.0.0.2", &from);
    assert_int_equal(receiving_receive(&receiving, received, MANY), 4);
    for (size_t i = 0; i < 4; i++)
        expect_all_told(received[i].meta, AF_INET, "127.0.0.2");
    port_close(&from);
    receiving_end(&receiving);
}

/* ---- Addresses that no answer can come from -------------------------------------------------- */

static void expect_no_local(const struct udpbatch_meta *meta, int family, const char *to)
{
    assert_int_equal(meta->flags, UDPBATCH_META_CAME_TO);
    assert_true(is_address(&meta->local, family, to));
}

static void a_broadcast_address_is_told_and_is_not_local(void **state)
{
    struct receiving receiving = begin(state, AF_INET, UDPBATCH_META_CAME_TO);

    set_option(receiving.from.fd, SOL_SOCKET, SO_BROADCAST, 1);
    expect_no_local(receive_at(&receiving, "127.255.255.255", &receiving.from), AF_INET,
                    "127.255.255.255");
    receiving_end(&receiving);
}

static void a_broadcast_address_is_not_local_on_an_ipv6_socket(void **state)
{
    need_family(AF_INET6);
    struct receiving receiving = begin(state, AF_INET6, UDPBATCH_META_CAME_TO);
    struct port from = port_open(AF_INET);

    set_option(from.fd, SOL_SOCKET, SO_BROADCAST, 1);
    expect_no_local(receive_at(&receiving, "127.255.255.255", &from), AF_INET6,
                    "::ffff:127.255.255.255");
    port_close(&from);
    receiving_end(&receiving);
}

static void a_group_is_told_and_is_not_local(void **state)
{
    struct receiving receiving = begin(state, AF_INET, UDPBATCH_META_CAME_TO);
    struct ip_mreqn group = { .imr_multiaddr = address(AF_INET, "239.9.9.9", 0).in4.sin_addr,
                              .imr_ifindex = (int)if_nametoindex("lo") };

    assert_int_equal(
        setsockopt(receiving.port.fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof group), 0);
    assert_int_equal(
        setsockopt(receiving.from.fd, IPPROTO_IP, IP_MULTICAST_IF, &group, sizeof group), 0);
    expect_no_local(receive_at(&receiving, "239.9.9.9", &receiving.from), AF_INET, "239.9.9.9");
    receiving_end(&receiving);
}

/* What is told of a datagram of IPv6 to that address, that came by the interface 7. */
static struct udpbatch_meta told_of_ipv6(const char *to)
{
    struct in6_pktinfo info = { .ipi6_addr = address(AF_INET6, to, 0).in6.sin6_addr,
                                .ipi6_ifindex = 7 };
    union {
        struct cmsghdr header;
        unsigned char room[CMSG_SPACE(sizeof info)];
    } control = { .header = { .cmsg_len = CMSG_LEN(sizeof info),
                              .cmsg_level = IPPROTO_IPV6,
                              .cmsg_type = IPV6_PKTINFO } };
    struct udpbatch_meta meta = { 0 };

    memcpy(CMSG_DATA(&control.header), &info, sizeof info);
    ub_meta_read(&meta, UDPBATCH_META_CAME_TO, &control.header);
    assert_true(is_address(&meta.local, AF_INET6, to));
    return meta;
}

static void a_group_of_ipv6_is_told_and_is_not_local(void **state)
{
    (void)state;
    assert_int_equal(told_of_ipv6("ff05::1").flags, UDPBATCH_META_CAME_TO);
    assert_int_equal(told_of_ipv6("ff02::1").flags, UDPBATCH_META_CAME_TO);
    assert_int_equal(told_of_ipv6("fd00::1").flags, UDPBATCH_META_CAME_TO | UDPBATCH_META_LOCAL);
}

static void an_address_of_a_link_says_of_which(void **state)
{
    (void)state;
    assert_int_equal(told_of_ipv6("fe80::1").flags, UDPBATCH_META_CAME_TO | UDPBATCH_META_LOCAL);
    assert_int_equal(told_of_ipv6("fe80::1").local.in6.sin6_scope_id, 7);
    assert_int_equal(told_of_ipv6("ff02::1").local.in6.sin6_scope_id, 7);
    assert_int_equal(told_of_ipv6("fd00::1").local.in6.sin6_scope_id, 0);
}

/* ---- The answer ------------------------------------------------------------------------------ */

static void send_back(struct receiving *receiving)
{
    struct udpbatch_packet answer = { .data = received[0].data, .len = received[0].len };
    answer.to = received[0].from;
    answer.meta = received[0].meta;
    assert_int_equal(udpbatch_send(receiving->port.fd, &answer, 1).sent, 1);
}

/* Asks at that address, and expects the answer to come from there. */
static void expect_answer(struct receiving *receiving, const char *text, const struct port *asker)
{
    unsigned char room[16];
    union udpbatch_addr came_from;
    union udpbatch_addr asked =
        address(asker->addr.sa.sa_family, text, ntohs(receiving->port.addr.in4.sin_port));

    receive_at(receiving, text, asker);
    send_back(receiving);
    assert_int_equal(receive_one(asker->fd, room, sizeof room, &came_from), 8);
    assert_true(same_address(&came_from, &asked));
}

static void an_answer_comes_from_the_address_asked(void **state)
{
    struct receiving receiving = begin(state, AF_INET, META_ALL);

    expect_answer(&receiving, "127.0.0.2", &receiving.from);
    expect_answer(&receiving, "127.9.8.7", &receiving.from);
    receiving_end(&receiving);
}

static void an_answer_of_an_ipv6_socket_comes_from_the_address_asked(void **state)
{
    need_family(AF_INET6);
    struct receiving receiving = begin(state, AF_INET6, META_ALL);
    struct port asker = port_open(AF_INET);

    expect_answer(&receiving, "::1", &receiving.from);
    expect_answer(&receiving, "127.0.0.2", &asker);
    port_close(&asker);
    receiving_end(&receiving);
}

static void a_question_to_all_is_answered_from_an_address_of_this_host(void **state)
{
    struct receiving receiving = begin(state, AF_INET, META_ALL);
    unsigned char room[16];
    union udpbatch_addr came_from;

    set_option(receiving.from.fd, SOL_SOCKET, SO_BROADCAST, 1);
    receive_at(&receiving, "127.255.255.255", &receiving.from);
    send_back(&receiving);
    receive_one(receiving.from.fd, room, sizeof room, &came_from);
    came_from.in4.sin_port = 0;
    assert_true(is_address(&came_from, AF_INET, "127.0.0.1"));
    receiving_end(&receiving);
}

int main(void)
{
    static const struct test tests[] = {
        TEST_EACH_BACKEND(what_is_not_asked_for_is_not_told),
        TEST_EACH_BACKEND(what_others_have_asked_for_is_not_told),
        TEST_EACH_BACKEND(all_is_told_of_ipv4),
        TEST_EACH_BACKEND(all_is_told_of_ipv6),
        TEST_EACH_BACKEND(all_is_told_of_ipv4_on_an_ipv6_socket),
        TEST_EACH_BACKEND(the_time_is_that_of_the_arrival),
        TEST_EACH_BACKEND(datagrams_of_one_call_have_each_their_own),
        TEST_EACH_BACKEND(packets_of_a_train_share_it),
        TEST_EACH_BACKEND(a_broadcast_address_is_told_and_is_not_local),
        TEST_EACH_BACKEND(a_broadcast_address_is_not_local_on_an_ipv6_socket),
        TEST_EACH_BACKEND(a_group_is_told_and_is_not_local),
        TEST_ONCE(a_group_of_ipv6_is_told_and_is_not_local),
        TEST_ONCE(an_address_of_a_link_says_of_which),
        TEST_EACH_BACKEND(an_answer_comes_from_the_address_asked),
        TEST_EACH_BACKEND(an_answer_of_an_ipv6_socket_comes_from_the_address_asked),
        TEST_EACH_BACKEND(a_question_to_all_is_answered_from_an_address_of_this_host),
    };
    return run_all("receiver_meta", tests, COUNT_OF(tests));
}
