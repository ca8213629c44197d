/* test_pure.c: the parts that ask nothing of the kernel: addresses, meta, settle, fan-out, options.
 */
#include "internal.h"

#include <arpa/inet.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const union udpbatch_addr target = { .in4 = { .sin_family = AF_INET } };
static const union udpbatch_addr other = { .in6 = { .sin6_family = AF_INET6 } };

static struct udpbatch_packet packet(const void *data, uint32_t len, const union udpbatch_addr *to)
{
    return (struct udpbatch_packet){ .data = data, .len = len, .to = to };
}

/* ---- addresses ----------------------------------------------------------------------------- */

static union udpbatch_addr address(int family, const char *host)
{
    union udpbatch_addr addr = { .sa = { .sa_family = (sa_family_t)family } };
    void *in = family == AF_INET ? (void *)&addr.in4.sin_addr : (void *)&addr.in6.sin6_addr;
    assert_int_equal(inet_pton(family, host, in), 1);
    return addr;
}

static void an_ipv4_address_is_the_same_host_in_either_form(void **state)
{
    const union udpbatch_addr four = address(AF_INET, "192.0.2.1");
    const union udpbatch_addr mapped = address(AF_INET6, "::ffff:192.0.2.1");
    const union udpbatch_addr six = address(AF_INET6, "::192.0.2.1");
    unsigned char hosts[3][16];

    (void)state;
    assert_true(ub_addr_is_in4(&four));
    assert_true(ub_addr_is_in4(&mapped));
    assert_false(ub_addr_is_in4(&six));
    ub_addr_host(&four, hosts[0]);
    ub_addr_host(&mapped, hosts[1]);
    ub_addr_host(&six, hosts[2]);
    assert_memory_equal(hosts[0], hosts[1], sizeof hosts[0]);
    assert_memory_not_equal(hosts[0], hosts[2], sizeof hosts[0]);
}

/* ---- which kernels may have trains --------------------------------------------------------- */

static void kernels_that_damage_trains_are_known_by_their_release(void **state)
{
    static const struct {
        const char *release;
        enum ub_gso_kernel kernel;
    } table[] = {
        { "4.18.0-553.el8.x86_64", UB_GSO_WELL },
        { "6.6.43", UB_GSO_WELL },
        { "6.6.44", UB_GSO_EQUAL_ONLY },
        { "6.6.44-1-lts", UB_GSO_EQUAL_ONLY },
        { "6.6.45", UB_GSO_WELL },
        { "6.6.440", UB_GSO_WELL },
        { "6.18.44-fc-v669", UB_GSO_WELL },
        { "6.99.99", UB_GSO_WELL },
        { "7.0", UB_GSO_DAMAGES },
        { "7.0-rc1", UB_GSO_DAMAGES },
        { "7.0.0", UB_GSO_DAMAGES },
        { "7.0.255", UB_GSO_DAMAGES },
        { "7.0.256", UB_GSO_DAMAGES },
        { "7.1.4", UB_GSO_DAMAGES },
        { "7.1.4-generic", UB_GSO_DAMAGES },
        { "7.1.5", UB_GSO_WELL },
        { "7.2.0", UB_GSO_WELL },
        { "70.0.0", UB_GSO_WELL },
        { "", UB_GSO_WELL },
        { "next", UB_GSO_WELL },
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (ub_gso_kernel(table[i].release) != table[i].kernel)
            fail_msg("%s is taken for %d", table[i].release, (int)ub_gso_kernel(table[i].release));
}

/* Whether a refusal of a train is remembered for longer than a call. */
static bool is_remembered(int error, uint16_t port, uint32_t asked)
{
    const struct udpbatch_meta meta = { .flags = asked };
    const union udpbatch_addr to = { .in4 = { .sin_family = AF_INET, .sin_port = port } };
    const struct ub_train train = {
        .to = &to, .meta = &meta, .count = 2, .segment = 100, .error = error
    };
    struct ub_route route;
    struct ub_gso gso = { .segments = 64, .routes = &route, .route_capacity = 1 };

    ub_gso_learn(&gso, &train);
    return gso.route_count == 1;
}

static void what_is_wrong_with_the_packets_is_not_held_against_trains(void **state)
{
    (void)state;
    assert_true(is_remembered(EINVAL, 9, 0));
    assert_true(is_remembered(EINVAL, 9, UDPBATCH_META_TOS));
    assert_false(is_remembered(EINVAL, 0, 0));
    assert_false(is_remembered(EINVAL, 9, UDPBATCH_META_LOCAL));
    assert_false(is_remembered(EINVAL, 9, UDPBATCH_META_INTERFACE));
    assert_true(is_remembered(EIO, 9, UDPBATCH_META_LOCAL));
    assert_false(is_remembered(EPERM, 9, 0));
}

/* ---- what is asked for a packet ------------------------------------------------------------ */

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

/* ---- settle -------------------------------------------------------------------------------- */

static void every_error_has_one_meaning_of_either_sign(void **state)
{
    static const struct {
        int error;
        enum udpbatch_meaning meaning;
    } table[] = {
        { 0, UDPBATCH_NO_ERROR },          { EAGAIN, UDPBATCH_BUSY },
        { EWOULDBLOCK, UDPBATCH_BUSY },    { ENOBUFS, UDPBATCH_BUSY },
        { ENOMEM, UDPBATCH_BUSY },         { EINTR, UDPBATCH_BUSY },
        { EMSGSIZE, UDPBATCH_PACKET },     { EFAULT, UDPBATCH_PACKET },
        { EOPNOTSUPP, UDPBATCH_PACKET },   { EACCES, UDPBATCH_TARGET },
        { EPERM, UDPBATCH_TARGET },        { ENETUNREACH, UDPBATCH_TARGET },
        { EAFNOSUPPORT, UDPBATCH_TARGET }, { EINVAL, UDPBATCH_TARGET },
        { ECONNREFUSED, UDPBATCH_TARGET }, { EBADF, UDPBATCH_SOCKET },
        { ENOTSOCK, UDPBATCH_SOCKET },     { EPIPE, UDPBATCH_SOCKET },
        { EDESTADDRREQ, UDPBATCH_SOCKET }, { EBUSY, UDPBATCH_BUSY },
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        assert_int_equal(udpbatch_error_meaning(table[i].error), table[i].meaning);
        assert_int_equal(udpbatch_error_meaning(-table[i].error), table[i].meaning);
    }
    assert_int_equal(udpbatch_error_meaning(INT_MIN), UDPBATCH_PACKET);
}

static void the_tally_names_the_first_that_was_refused(void **state)
{
    struct udpbatch_packet packets[5] = { { .status = 1 },
                                          { .status = 0 },
                                          { .status = -EPERM },
                                          { .status = -EACCES },
                                          { .status = 1 } };
    struct udpbatch_tally tally = ub_settle_tally(packets, 5, ENOBUFS);

    (void)state;
    assert_int_equal(tally.sent, 2);
    assert_int_equal(tally.unsent, 1);
    assert_int_equal(tally.refused, 2);
    assert_int_equal(tally.first_refused, 2);
    assert_int_equal(tally.first_error, EPERM);
    assert_int_equal(tally.unsent_error, ENOBUFS);
    tally = ub_settle_tally(packets, 1, ENOBUFS);
    assert_int_equal(tally.first_refused, 1);
    assert_int_equal(tally.first_error, 0);
    assert_int_equal(tally.unsent_error, 0);
}

/* ---- fan-out ------------------------------------------------------------------------------- */

enum { PAYLOADS = 3, TARGETS = 5, PRODUCT = PAYLOADS * TARGETS };

static void every_payload_goes_to_every_target_from_any_index(void **state)
{
    const struct udpbatch_packet payloads[PAYLOADS] = { packet("a", 1, NULL), packet("bb", 2, NULL),
                                                        packet("ccc", 3, &other) };
    const union udpbatch_addr targets[TARGETS] = { 0 };
    const struct udpbatch_fanout fanout = { payloads, PAYLOADS, targets, TARGETS };
    struct udpbatch_packet packets[PRODUCT + 2];

    (void)state;
    for (size_t from = 0; from <= PRODUCT + 1; from++)
        for (size_t n = 0; n <= PRODUCT + 2; n++) {
            size_t left = from < PRODUCT ? PRODUCT - from : 0;
            memset(packets, 0xff, sizeof packets);
            size_t filled = udpbatch_fanout_fill(&fanout, from, packets, n);
            assert_int_equal(filled, n < left ? n : left);
            for (size_t i = 0; i < filled; i++) {
                assert_ptr_equal(packets[i].data, payloads[(from + i) % PAYLOADS].data);
                assert_int_equal(packets[i].len, payloads[(from + i) % PAYLOADS].len);
                assert_ptr_equal(packets[i].to, &targets[(from + i) / PAYLOADS]);
                assert_int_equal(packets[i].status, 0);
                assert_null(packets[i].meta);
            }
            if (filled < PRODUCT + 2)
                assert_int_equal(packets[filled].status, -1);
        }
}

static void no_payloads_or_no_targets_are_no_packets(void **state)
{
    const struct udpbatch_packet payload = packet("a", 1, NULL);
    struct udpbatch_packet out;

    (void)state;
    assert_int_equal(
        udpbatch_fanout_fill(&(struct udpbatch_fanout){ NULL, 0, &target, 1 }, 0, &out, 1), 0);
    assert_int_equal(
        udpbatch_fanout_fill(&(struct udpbatch_fanout){ &payload, 1, NULL, 0 }, 0, &out, 1), 0);
    assert_int_equal(udpbatch_fanout_fill(&(struct udpbatch_fanout){ &payload, 1, &target, 1 },
                                          SIZE_MAX, &out, 1),
                     0);
}

/* ---- options ------------------------------------------------------------------------------- */

struct old {
    size_t size;
    size_t a;
};

struct new
{
    size_t size;
    size_t a, b;
};

static void a_longer_structure_is_taken_if_what_is_unknown_is_zero(void **state)
{
    struct old mine = { 0 };
    struct new theirs = { sizeof theirs, 7, 0 };

    (void)state;
    assert_int_equal(ub_options_take(&mine, sizeof mine, &theirs), 0);
    assert_int_equal(mine.a, 7);
    theirs.size = SIZE_MAX;
    assert_int_equal(ub_options_take(&mine, sizeof mine, &theirs), -E2BIG);
    theirs.size = sizeof theirs;
    theirs.b = 1;
    assert_int_equal(ub_options_take(&mine, sizeof mine, &theirs), -E2BIG);
}

static void a_shorter_structure_leaves_the_rest_at_its_default(void **state)
{
    struct new mine = { 0 };
    size_t theirs = sizeof theirs;

    (void)state;
    assert_int_equal(ub_options_take(&mine, sizeof mine, &theirs), 0);
    assert_int_equal(mine.a, 0);
    theirs = sizeof theirs - 1;
    assert_int_equal(ub_options_take(&mine, sizeof mine, &theirs), -EINVAL);
    assert_int_equal(ub_options_take(&mine, sizeof mine, NULL), 0);
}

static void statistics_are_cut_or_padded_to_what_the_caller_knows(void **state)
{
    struct {
        size_t size;
        uint64_t a, b;
    } mine = { 0, 1, 2 };
    struct {
        size_t size;
        uint64_t a, b, c;
    } theirs = { sizeof(size_t) + sizeof(uint64_t), 9, 9, 9 };

    (void)state;
    ub_stats_give(&theirs, &mine, sizeof mine);
    assert_int_equal(theirs.a, 1);
    assert_int_equal(theirs.b, 9);
    theirs.size = sizeof theirs;
    ub_stats_give(&theirs, &mine, sizeof mine);
    assert_int_equal(theirs.size, sizeof theirs);
    assert_int_equal(theirs.b, 2);
    assert_int_equal(theirs.c, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ipv4_address_is_the_same_host_in_either_form),
        cmocka_unit_test(kernels_that_damage_trains_are_known_by_their_release),
        cmocka_unit_test(what_is_wrong_with_the_packets_is_not_held_against_trains),
        cmocka_unit_test(what_cannot_be_done_for_a_packet_is_refused),
        cmocka_unit_test(a_source_address_is_of_the_family_that_the_packet_leaves_as),
        cmocka_unit_test(what_a_packet_came_with_asks_nothing),
        cmocka_unit_test(the_socket_is_asked_only_where_the_answer_counts),
        cmocka_unit_test(all_that_is_asked_for_a_packet_is_told_the_kernel),
        cmocka_unit_test(a_link_local_source_address_names_its_link),
        cmocka_unit_test(every_error_has_one_meaning_of_either_sign),
        cmocka_unit_test(the_tally_names_the_first_that_was_refused),
        cmocka_unit_test(every_payload_goes_to_every_target_from_any_index),
        cmocka_unit_test(no_payloads_or_no_targets_are_no_packets),
        cmocka_unit_test(a_longer_structure_is_taken_if_what_is_unknown_is_zero),
        cmocka_unit_test(a_shorter_structure_leaves_the_rest_at_its_default),
        cmocka_unit_test(statistics_are_cut_or_padded_to_what_the_caller_knows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
