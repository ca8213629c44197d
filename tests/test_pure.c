/* test_pure.c: the parts that ask nothing of the kernel: plan, settle, fan-out, options. */
#include "internal.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const union udpbatch_addr target = { .in4 = { .sin_family = AF_INET } };
static const union udpbatch_addr other = { .in6 = { .sin6_family = AF_INET6 } };

/* ---- plan ---------------------------------------------------------------------------------- */

enum { CAPACITY = 4 };

static struct ub_train trains[CAPACITY];
static struct udpbatch_piece pieces[CAPACITY];
static struct ub_plan plan = { .trains = trains, .pieces = pieces, .capacity = CAPACITY };

static struct udpbatch_packet packet(const void *data, uint32_t len, const union udpbatch_addr *to)
{
    return (struct udpbatch_packet){ .data = data, .len = len, .to = to };
}

static void a_packet_is_a_train_of_one(void **state)
{
    struct udpbatch_packet packets[] = { packet("abc", 3, &target), packet("de", 2, NULL) };

    (void)state;
    assert_int_equal(ub_plan_make(&plan, packets, 0, 2), 2);
    assert_int_equal(plan.count, 2);
    assert_ptr_equal(trains[0].to, &target);
    assert_int_equal(trains[0].piece_count, 1);
    assert_ptr_equal(trains[0].pieces[0].data, packets[0].data);
    assert_int_equal(trains[0].pieces[0].len, 3);
    assert_int_equal(trains[0].bytes, 3);
    assert_int_equal(trains[0].count, 1);
    assert_int_equal(trains[0].error, 0);
    assert_null(trains[1].to);
    assert_int_equal(trains[1].first, 1);
}

static void packets_with_a_status_are_not_planned(void **state)
{
    struct udpbatch_packet packets[3] = { packet("a", 1, &target), packet("b", 1, &target),
                                          packet("c", 1, &target) };
    (void)state;
    packets[0].status = 1;
    packets[2].status = -EPERM;
    assert_int_equal(ub_plan_make(&plan, packets, 0, 3), 3);
    assert_int_equal(plan.count, 1);
    assert_int_equal(trains[0].first, 1);
    assert_int_equal(packets[2].status, -EPERM);
}

static void a_full_plan_says_where_to_go_on(void **state)
{
    struct udpbatch_packet packets[CAPACITY * 2 + 1];

    (void)state;
    for (int i = 0; i < CAPACITY * 2 + 1; i++)
        packets[i] = packet("a", 1, &target);
    packets[0].status = 1;
    assert_int_equal(ub_plan_make(&plan, packets, 0, CAPACITY * 2 + 1), CAPACITY + 1);
    assert_int_equal(plan.count, CAPACITY);
    assert_int_equal(ub_plan_make(&plan, packets, CAPACITY + 1, CAPACITY * 2 + 1),
                     CAPACITY * 2 + 1);
    assert_int_equal(trains[0].first, CAPACITY + 1);
}

static int refusal_of(struct udpbatch_packet it)
{
    ub_plan_make(&plan, &it, 0, 1);
    assert_int_equal(plan.count, it.status == 0);
    assert_int_equal(plan.refused, it.status != 0);
    return -it.status;
}

static void what_no_back_end_could_send_is_refused_in_the_plan(void **state)
{
    static const union udpbatch_addr neither = { .sa = { .sa_family = AF_UNIX } };
    static const union udpbatch_addr zeroed;
    struct udpbatch_packet with_meta = packet("a", 1, &target);

    (void)state;
    with_meta.meta = (const struct udpbatch_meta *)(const void *)&zeroed;
    assert_int_equal(refusal_of(with_meta), EOPNOTSUPP);
    assert_int_equal(refusal_of(packet("a", 1, &neither)), EAFNOSUPPORT);
    assert_int_equal(refusal_of(packet("a", 1, &zeroed)), EAFNOSUPPORT);
    assert_int_equal(refusal_of(packet(NULL, 1, &target)), EFAULT);
    assert_int_equal(refusal_of(packet(NULL, 0, &target)), 0);
    assert_int_equal(refusal_of(packet("a", 65535, &other)), 0);
    assert_int_equal(refusal_of(packet("a", 65536, &other)), EMSGSIZE);
    assert_int_equal(refusal_of(packet("a", UINT32_MAX >> 1, &other)), EMSGSIZE);
}

static void fates_are_decided_in_the_order_of_the_array(void **state)
{
    struct udpbatch_packet packets[] = { packet("a", 1, &target), packet(NULL, 1, &target),
                                         packet("c", 1, &target) };
    (void)state;
    assert_int_equal(ub_plan_make(&plan, packets, 0, 3), 1);
    assert_int_equal(plan.count, 1);
    assert_int_equal(packets[1].status, 0);
    assert_int_equal(ub_plan_make(&plan, packets, 1, 3), 3);
    assert_int_equal(plan.count, 1);
    assert_int_equal(packets[1].status, -EFAULT);
}

static void a_payload_in_pieces_goes_by_the_callers_list(void **state)
{
    const struct udpbatch_piece list[] = { { "head", 4 }, { NULL, 0 }, { "body", 4 } };
    struct udpbatch_packet it = packet(list, UDPBATCH_PIECES(3), &target);

    (void)state;
    assert_int_equal(refusal_of(it), 0);
    assert_ptr_equal(trains[0].pieces, list);
    assert_int_equal(trains[0].piece_count, 3);
    assert_int_equal(trains[0].bytes, 8);
}

static void bad_lists_of_pieces_are_refused(void **state)
{
    static struct udpbatch_piece list[UB_PIECES_MAX + 1];
    const struct udpbatch_piece no_data[] = { { "a", 1 }, { NULL, 1 } };
    const struct udpbatch_piece endless[] = { { "a", 1 }, { "b", SIZE_MAX } };
    const struct udpbatch_piece large[] = { { "a", 65535 }, { "b", 1 } };

    (void)state;
    assert_int_equal(refusal_of(packet(no_data, UDPBATCH_PIECES(2), &target)), EFAULT);
    assert_int_equal(refusal_of(packet(NULL, UDPBATCH_PIECES(1), &target)), EFAULT);
    assert_int_equal(refusal_of(packet(NULL, UDPBATCH_PIECES(0), &target)), 0);
    assert_int_equal(refusal_of(packet(endless, UDPBATCH_PIECES(2), &target)), EMSGSIZE);
    assert_int_equal(refusal_of(packet(large, UDPBATCH_PIECES(2), &target)), EMSGSIZE);
    assert_int_equal(refusal_of(packet(large, UDPBATCH_PIECES(1), &target)), 0);
    assert_int_equal(refusal_of(packet(list, UDPBATCH_PIECES(1024), &target)), 0);
    assert_int_equal(refusal_of(packet(list, UDPBATCH_PIECES(1025), &target)), EMSGSIZE);
    assert_int_equal(refusal_of(packet(list, UINT32_MAX, &target)), EMSGSIZE);
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
        { EDESTADDRREQ, UDPBATCH_SOCKET },
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
        cmocka_unit_test(a_packet_is_a_train_of_one),
        cmocka_unit_test(packets_with_a_status_are_not_planned),
        cmocka_unit_test(a_full_plan_says_where_to_go_on),
        cmocka_unit_test(what_no_back_end_could_send_is_refused_in_the_plan),
        cmocka_unit_test(fates_are_decided_in_the_order_of_the_array),
        cmocka_unit_test(a_payload_in_pieces_goes_by_the_callers_list),
        cmocka_unit_test(bad_lists_of_pieces_are_refused),
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
