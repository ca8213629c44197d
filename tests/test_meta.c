/* test_meta.c: what is asked for a packet to be sent, where the system can do it. */
#include "internal.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static union udpbatch_addr address(int family, const char *host)
{
    union udpbatch_addr addr = { .sa = { .sa_family = (sa_family_t)family } };
    void *in = family == AF_INET ? (void *)&addr.in4.sin_addr : (void *)&addr.in6.sin6_addr;
    assert_int_equal(inet_pton(family, host, in), 1);
    return addr;
}

static const struct ub_facts all_is_set = {
    .known = ~0u, .has_txtime = true, .forbids_fragments = true, .own = { 0x01020304 }
};
static const struct ub_facts nothing_is_set = { .known = ~0u };

static int refusal_of(const struct udpbatch_meta *meta, bool is_in4, const struct ub_facts *facts)
{
    unsigned asks = 0;
    int error = ub_meta_check(meta, is_in4, facts, &asks);
    assert_int_equal(asks, 0);
    return -error;
}

static void what_cannot_be_done_for_a_packet_is_refused(void **state)
{
    const struct udpbatch_meta departure = { .flags = UDPBATCH_META_DEPARTURE, .time_ns = 1 };
    const struct udpbatch_meta whole = { .flags = UDPBATCH_META_DONT_FRAGMENT };
    const struct udpbatch_meta unknown = { .flags = UINT32_C(1) << 31 };
    const struct udpbatch_meta no_ttl = { .flags = UDPBATCH_META_TTL };
    const struct udpbatch_meta no_interface = { .flags = UDPBATCH_META_INTERFACE };

    (void)state;
    assert_int_equal(refusal_of(&unknown, true, &all_is_set), EOPNOTSUPP);
    assert_int_equal(refusal_of(&departure, true, &nothing_is_set), EOPNOTSUPP);
    assert_int_equal(refusal_of(&departure, true, &all_is_set), 0);
    assert_int_equal(refusal_of(&whole, true, &nothing_is_set), EOPNOTSUPP);
    assert_int_equal(refusal_of(&whole, true, &all_is_set), 0);
    assert_int_equal(refusal_of(&whole, false, &nothing_is_set), 0);
    assert_int_equal(refusal_of(&no_ttl, true, &all_is_set), EINVAL);
    assert_int_equal(refusal_of(&no_interface, false, &all_is_set), EINVAL);
}

/* udpbatch send asks by a packet that is too long whether there is any meta, and counts on this. */
static void what_a_meta_asks_for_is_judged_before_the_length(void **state)
{
    const struct udpbatch_meta departure = { .flags = UDPBATCH_META_DEPARTURE, .time_ns = 1 };
    const union udpbatch_addr to = address(AF_INET, "192.0.2.1");
    const struct udpbatch_packet packet = {
        .data = "", .len = UB_PAYLOAD_MAX + 1, .to = &to, .meta = &departure
    };
    unsigned asks = 0;

    (void)state;
    assert_int_equal(ub_check(&packet, &nothing_is_set, &asks), -EOPNOTSUPP);
    assert_int_equal(ub_check(&packet, &all_is_set, &asks), -EMSGSIZE);
}

static void a_source_address_is_of_the_family_that_the_packet_leaves_as(void **state)
{
    const union udpbatch_addr locals[] = { address(AF_INET, "192.0.2.1"),
                                           address(AF_INET6, "::ffff:192.0.2.1"),
                                           address(AF_INET6, "2001:db8::1"),
                                           { .sa = { .sa_family = AF_UNIX } } };
    const int as_in4[] = { 0, 0, EAFNOSUPPORT, EAFNOSUPPORT };
    const int as_in6[] = { EAFNOSUPPORT, EAFNOSUPPORT, 0, EAFNOSUPPORT };

    (void)state;
    for (size_t i = 0; i < sizeof locals / sizeof locals[0]; i++) {
        const struct udpbatch_meta meta = { .flags = UDPBATCH_META_LOCAL, .local = locals[i] };
        assert_int_equal(refusal_of(&meta, true, &all_is_set), as_in4[i]);
        assert_int_equal(refusal_of(&meta, false, &all_is_set), as_in6[i]);
    }
}

static void what_a_packet_came_with_asks_nothing(void **state)
{
    const struct udpbatch_meta received = {
        .flags = UDPBATCH_META_CAME_TO | UDPBATCH_META_CAME_BY | UDPBATCH_META_CAME_WITH_TOS |
                 UDPBATCH_META_CAME_WITH_TTL | UDPBATCH_META_CAME_AT,
    };
    const struct ub_facts unknown = { 0 };
    unsigned char control[8];

    (void)state;
    assert_int_equal(refusal_of(&received, true, &unknown), 0);
    assert_int_equal(ub_meta_room(&received), 0);
    assert_int_equal(ub_meta_write(&received, true, &all_is_set, control), 0);
}

static void the_socket_is_asked_only_where_the_answer_counts(void **state)
{
    const struct ub_facts unknown = { 0 };
    struct udpbatch_meta meta = { .flags = UDPBATCH_META_DEPARTURE };
    unsigned asks = 0;

    (void)state;
    ub_meta_check(&meta, true, &unknown, &asks);
    assert_int_equal(asks, UB_ASKS_TXTIME);
    meta.flags = UDPBATCH_META_DONT_FRAGMENT;
    asks = 0;
    ub_meta_check(&meta, false, &unknown, &asks);
    assert_int_equal(asks, 0);
    ub_meta_check(&meta, true, &unknown, &asks);
    assert_int_equal(asks, UB_ASKS_NO_FRAGMENTS);
    meta = (struct udpbatch_meta){ .flags = UDPBATCH_META_INTERFACE, .interface_index = 1 };
    asks = 0;
    ub_meta_check(&meta, false, &unknown, &asks);
    assert_int_equal(asks, 0);
    ub_meta_check(&meta, true, &unknown, &asks);
    assert_int_equal(asks, UB_ASKS_OWN);
}

/* All that can be asked for a packet, in each combination. */
static struct udpbatch_meta meta_of(uint32_t flags, bool is_in4)
{
    return (struct udpbatch_meta){
        .flags = flags,
        .interface_index = 7,
        .time_ns = UINT64_C(0x123456789abcdef0),
        .local = is_in4 ? address(AF_INET6, "::ffff:192.0.2.1") : address(AF_INET6, "2001:db8::1"),
        .tos = 0xb9,
        .ttl = 200,
    };
}

/* The value of a control message, which is there once if it is to be there. */
static void expect_control(const struct msghdr *message, bool is_there, int level, int type,
                           const void *value, size_t len)
{
    union {
        const struct msghdr *in;
        struct msghdr *out; /* CMSG_NXTHDR wants it without const */
    } mutable = { message };
    int found = 0;

    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(mutable.out, c))
        if (c->cmsg_level == level && c->cmsg_type == type) {
            assert_int_equal(c->cmsg_len, CMSG_LEN(len));
            assert_memory_equal(CMSG_DATA(c), value, len);
            found++;
        }
    assert_int_equal(found, is_there);
}

static void expect_origin(const struct msghdr *message, const struct udpbatch_meta *meta,
                          bool is_in4)
{
    bool has_local = (meta->flags & UDPBATCH_META_LOCAL) != 0;
    bool has_interface = (meta->flags & UDPBATCH_META_INTERFACE) != 0;
    /* without an address of its own, a packet by an interface keeps the socket's */
    struct in_pktinfo four = { .ipi_ifindex = has_interface ? 7 : 0,
                               .ipi_spec_dst = all_is_set.own };
    struct in6_pktinfo six = { .ipi6_ifindex = has_interface ? 7 : 0 };

    if (has_local) {
        memcpy(&four.ipi_spec_dst, &meta->local.in6.sin6_addr.s6_addr[12],
               sizeof four.ipi_spec_dst);
        six.ipi6_addr = meta->local.in6.sin6_addr;
    }
    expect_control(message, is_in4 && (has_local || has_interface), IPPROTO_IP, IP_PKTINFO, &four,
                   sizeof four);
    expect_control(message, !is_in4 && (has_local || has_interface), IPPROTO_IPV6, IPV6_PKTINFO,
                   &six, sizeof six);
}

static void expect_numbers(const struct msghdr *message, const struct udpbatch_meta *meta,
                           bool is_in4)
{
    bool has_tos = (meta->flags & UDPBATCH_META_TOS) != 0;
    bool has_ttl = (meta->flags & UDPBATCH_META_TTL) != 0;
    bool is_whole = (meta->flags & UDPBATCH_META_DONT_FRAGMENT) != 0;
    bool departs = (meta->flags & UDPBATCH_META_DEPARTURE) != 0;
    const int tos = meta->tos, ttl = meta->ttl, one = 1;

    expect_control(message, has_tos && is_in4, IPPROTO_IP, IP_TOS, &tos, sizeof tos);
    expect_control(message, has_tos && !is_in4, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof tos);
    expect_control(message, has_ttl && is_in4, IPPROTO_IP, IP_TTL, &ttl, sizeof ttl);
    expect_control(message, has_ttl && !is_in4, IPPROTO_IPV6, IPV6_HOPLIMIT, &ttl, sizeof ttl);
    expect_control(message, is_whole && !is_in4, IPPROTO_IPV6, IPV6_DONTFRAG, &one, sizeof one);
    expect_control(message, departs, SOL_SOCKET, SCM_TXTIME, &meta->time_ns, sizeof meta->time_ns);
}

static void expect_message(const struct udpbatch_meta *meta, bool is_in4, uint32_t count)
{
    union {
        size_t align;
        unsigned char bytes[512];
    } control;
    const uint16_t segment = 100;
    const struct udpbatch_piece piece = { "", 0 };
    struct ub_train train = { .meta = meta,
                              .pieces = &piece,
                              .piece_count = 1,
                              .count = count,
                              .segment = segment,
                              .control = control.bytes,
                              .is_in4 = is_in4 };
    struct msghdr message;

    train.control_size = (uint32_t)(ub_meta_room(meta) + UB_SEGMENT_ROOM);
    memset(&control, 0xa5, sizeof control);
    ub_msghdr_of_train(&message, &train, &all_is_set);
    assert_true(message.msg_controllen <= train.control_size);
    assert_int_equal(control.bytes[train.control_size], 0xa5);
    expect_origin(&message, meta, is_in4);
    expect_numbers(&message, meta, is_in4);
    expect_control(&message, count > 1, UB_SOL_UDP, UB_UDP_SEGMENT, &segment, sizeof segment);
}

static void all_that_is_asked_for_a_packet_is_told_the_kernel(void **state)
{
    (void)state;
    for (uint32_t flags = 0; flags < UDPBATCH_META_DONT_FRAGMENT * 2; flags++)
        for (int is_in4 = 0; is_in4 < 2; is_in4++) {
            const struct udpbatch_meta meta = meta_of(flags, is_in4 != 0);
            assert_int_equal(refusal_of(&meta, is_in4 != 0, &all_is_set), 0);
            expect_message(&meta, is_in4 != 0, 1);
            expect_message(&meta, is_in4 != 0, 2);
        }
}

static void a_link_local_source_address_names_its_link(void **state)
{
    struct udpbatch_meta meta = { .flags = UDPBATCH_META_LOCAL,
                                  .local = address(AF_INET6, "fe80::1") };
    struct in6_pktinfo origin = { .ipi6_ifindex = 3 };
    union {
        size_t align;
        unsigned char bytes[64];
    } control;
    struct msghdr message = { .msg_control = control.bytes };

    (void)state;
    meta.local.in6.sin6_scope_id = 3;
    origin.ipi6_addr = meta.local.in6.sin6_addr;
    message.msg_controllen = ub_meta_write(&meta, false, &all_is_set, control.bytes);
    expect_control(&message, true, IPPROTO_IPV6, IPV6_PKTINFO, &origin, sizeof origin);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_be_done_for_a_packet_is_refused),
        cmocka_unit_test(what_a_meta_asks_for_is_judged_before_the_length),
        cmocka_unit_test(a_source_address_is_of_the_family_that_the_packet_leaves_as),
        cmocka_unit_test(what_a_packet_came_with_asks_nothing),
        cmocka_unit_test(the_socket_is_asked_only_where_the_answer_counts),
        cmocka_unit_test(all_that_is_asked_for_a_packet_is_told_the_kernel),
        cmocka_unit_test(a_link_local_source_address_names_its_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
