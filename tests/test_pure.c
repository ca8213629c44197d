/* test_pure.c: the parts that ask nothing of the kernel but the time: addresses, settle, fan-out,
 * options. */
#include "internal.h"

#include "system.h"

#include <limits.h>

static const union udpbatch_addr target = { .in4 = { .sin_family = AF_INET } };
static const union udpbatch_addr other = { .in6 = { .sin6_family = AF_INET6 } };

static struct udpbatch_packet packet(const void *data, uint32_t len, const union udpbatch_addr *to)
{
    return (struct udpbatch_packet){ .data = data, .len = len, .to = to };
}

/* ---- addresses ----------------------------------------------------------------------------- */

static union udpbatch_addr address(int family, const char *host)
{
    union udpbatch_addr addr = { .in6 = { .sin6_family = AF_INET6 } };
    void *in = family == AF_INET ? (void *)&addr.in4.sin_addr : (void *)&addr.in6.sin6_addr;

    if (family == AF_INET)
        addr.in4.sin_family = AF_INET;
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

/* ---- the clock ----------------------------------------------------------------------------- */

/* Windows sleeps by ticks; elsewhere what sleeps may go by a clock that is not quite the same. */
static void the_clock_goes_on_while_one_sleeps(void **state)
{
    enum { MS = 1000000, PAUSE_MS = 40, TICK_MS = IS_WINDOWS ? 20 : 1 };
    int64_t begun = ub_clock_ns();

    (void)state;
    assert_int_equal(ub_sleep_ns(PAUSE_MS * MS), 0);
    assert_true(ub_clock_ns() - begun >= (PAUSE_MS - TICK_MS) * MS);
    for (int i = 0; i < 1000; i++) {
        int64_t before = ub_clock_ns();
        assert_true(ub_clock_ns() >= before);
    }
    assert_int_equal(ub_sleep_ns(0), 0);
    assert_int_equal(ub_sleep_ns(-1), 0);
    assert_int_equal(ub_sleep_ns(INT64_MIN), 0);
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
        cmocka_unit_test(the_clock_goes_on_while_one_sleeps),
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
