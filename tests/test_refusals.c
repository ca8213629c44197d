/* test_refusals.c: which target refused how many datagrams, and why. */
#include "refusals.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "address.h"

static union udpbatch_addr in6(uint8_t last, uint16_t port, uint32_t scope)
{
    union udpbatch_addr address = {
        .in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_scope_id = scope }
    };
    address.in6.sin6_addr.s6_addr[15] = last;
    return address;
}

static void expect_row(const struct refusals *refusals, size_t i, int error, uint64_t count)
{
    assert_int_equal(refusals->rows[i].error, error);
    assert_int_equal(refusals->rows[i].count, count);
}

static void the_same_target_and_reason_are_counted_together(void **state)
{
    const union udpbatch_addr target = address_in4(1, 9), same = address_in4(1, 9);
    struct refusals refusals = { 0 };

    (void)state;
    refusals_note(&refusals, &target, EPERM);
    refusals_note(&refusals, &same, EPERM);
    assert_int_equal(refusals.count, 1);
    expect_row(&refusals, 0, EPERM, 2);
    refusals_free(&refusals);
}

static void the_reasons_of_a_target_follow_each_other(void **state)
{
    const union udpbatch_addr target = address_in4(1, 9), other = address_in4(1, 10);
    struct refusals refusals = { 0 };

    (void)state;
    refusals_note(&refusals, &target, EPERM);
    refusals_note(&refusals, &other, EPERM);
    refusals_note(&refusals, &target, EACCES);
    refusals_note(&refusals, &target, EACCES);
    assert_int_equal(refusals.count, 3);
    assert_true(refusals.rows[0].first);
    assert_true(refusals.rows[1].first);
    assert_false(refusals.rows[2].first);
    assert_int_equal(refusals.rows[0].next, 2);
    assert_int_equal(refusals.rows[1].next, REFUSALS_END);
    assert_int_equal(refusals.rows[2].next, REFUSALS_END);
    expect_row(&refusals, 2, EACCES, 2);
    refusals_free(&refusals);
}

static void whatever_differs_makes_another_target(void **state)
{
    const union udpbatch_addr targets[] = {
        address_in4(1, 9), address_in4(2, 9), address_in4(1, 10), in6(1, 9, 0),
        in6(2, 9, 0),      in6(1, 10, 0),     in6(1, 9, 1),       in6(0, 9, 0),
    };
    const size_t n = sizeof targets / sizeof targets[0];
    struct refusals refusals = { 0 };

    (void)state;
    for (size_t i = 0; i < 2 * n; i++)
        refusals_note(&refusals, &targets[i % n], EPERM);
    assert_int_equal(refusals.count, n);
    for (size_t i = 0; i < n; i++)
        expect_row(&refusals, i, EPERM, 2);
    refusals_free(&refusals);
}

static void many_targets_are_found_again(void **state)
{
    enum { MANY = 100000 };
    struct refusals refusals = { 0 };

    (void)state;
    for (uint32_t i = 0; i < 2 * MANY; i++) {
        const union udpbatch_addr target = address_in4(i % MANY, 9);
        refusals_note(&refusals, &target, i < MANY ? EPERM : EACCES);
    }
    assert_int_equal(refusals.count, 2 * MANY);
    for (size_t i = 0; i < MANY; i++) {
        assert_true(refusals.rows[i].first);
        assert_int_equal(refusals.rows[i].next, MANY + i);
    }
    refusals_free(&refusals);
}

static void without_refusals_there_is_nothing(void **state)
{
    struct refusals refusals = { 0 };

    (void)state;
    refusals_free(&refusals);
    assert_int_equal(refusals.count, 0);
    assert_null(refusals.first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_target_and_reason_are_counted_together),
        cmocka_unit_test(the_reasons_of_a_target_follow_each_other),
        cmocka_unit_test(whatever_differs_makes_another_target),
        cmocka_unit_test(many_targets_are_found_again),
        cmocka_unit_test(without_refusals_there_is_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
