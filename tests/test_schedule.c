/* test_schedule.c: captured payloads are due at the distances that the capture and the speed say.
 */
#include "cli.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "clock.h"
#include "schedule.h"

static const uint64_t CAPTURED = UINT64_C(1700000000) * NS_PER_SECOND;
static const uint64_t NOW = 5000;

static const uint64_t SECOND = NS_PER_SECOND, MS = NS_PER_MS;

/* One that has begun: what was captured at CAPTURED left at NOW. */
static struct schedule begun(double speed)
{
    struct schedule schedule;
    schedule_begin(&schedule, speed);
    assert_true(schedule_due_ns(&schedule, CAPTURED, NOW) == NOW);
    return schedule;
}

static void the_first_leaves_at_once(void **state)
{
    (void)state;
    begun(1);
    begun(1000);
    begun(0.001);
}

static void the_others_keep_their_distance_to_it(void **state)
{
    struct schedule schedule = begun(1);

    (void)state;
    assert_true(schedule_due_ns(&schedule, CAPTURED + 1000, NOW) == NOW + 1000);
    assert_true(schedule_due_ns(&schedule, CAPTURED + 3600 * SECOND, NOW) == NOW + 3600 * SECOND);
}

static void speed_divides_the_distance(void **state)
{
    struct schedule twice = begun(2), half = begun(0.5);

    (void)state;
    assert_true(schedule_due_ns(&twice, CAPTURED + 1000, NOW) == NOW + 500);
    assert_true(schedule_due_ns(&half, CAPTURED + 1000, NOW) == NOW + 2000);
}

static void speed_0_makes_all_due(void **state)
{
    struct schedule schedule;

    (void)state;
    schedule_begin(&schedule, 0);
    assert_true(schedule_due_ns(&schedule, CAPTURED, NOW) == NOW);
    assert_true(schedule_due_ns(&schedule, CAPTURED + SECOND, NOW + 1) == NOW + 1);
}

/* What is late now must not make all that follows late. */
static void lateness_is_caught_up(void **state)
{
    struct schedule schedule = begun(1);

    (void)state;
    assert_true(schedule_due_ns(&schedule, CAPTURED + 1 * MS, NOW + 9 * MS) == NOW + 1 * MS);
    assert_true(schedule_due_ns(&schedule, CAPTURED + 2 * MS, NOW + 9 * MS) == NOW + 2 * MS);
}

static void a_little_disorder_changes_nothing(void **state)
{
    struct schedule schedule = begun(1);

    (void)state;
    assert_true(schedule_due_ns(&schedule, CAPTURED + 10 * MS, NOW) == NOW + 10 * MS);
    assert_true(schedule_due_ns(&schedule, CAPTURED + 9 * MS, NOW + 10 * MS) == NOW + 9 * MS);
    assert_true(schedule_due_ns(&schedule, CAPTURED - 9 * MS, NOW + 10 * MS) <= NOW + 10 * MS);
    assert_true(schedule_due_ns(&schedule, CAPTURED + 11 * MS, NOW + 10 * MS) == NOW + 11 * MS);
}

static void a_clock_set_back_begins_anew(void **state)
{
    struct schedule schedule = begun(1);
    const uint64_t now = NOW + 10 * SECOND, captured = CAPTURED + 5 * SECOND;

    (void)state;
    schedule_due_ns(&schedule, CAPTURED + 10 * SECOND, NOW);
    assert_true(schedule_due_ns(&schedule, captured, now) == now);
    assert_true(schedule_due_ns(&schedule, captured, now + 5) == now);
    assert_true(schedule_due_ns(&schedule, captured + 2 * MS, now) == now + 2 * MS);
}

/* Of a packet whose time is damaged: 1970, say. Those behind it are where they would be without. */
static void one_time_that_is_far_back_changes_nothing_for_the_others(void **state)
{
    struct schedule schedule = begun(1);

    (void)state;
    assert_true(schedule_due_ns(&schedule, CAPTURED + 2 * SECOND, NOW) == NOW + 2 * SECOND);
    assert_true(schedule_due_ns(&schedule, 7, NOW + 2 * SECOND) == NOW + 2 * SECOND);
    assert_true(schedule_due_ns(&schedule, 7, NOW + 2 * SECOND + 1) == NOW + 2 * SECOND);
    assert_true(schedule_due_ns(&schedule, CAPTURED + 3 * SECOND, NOW + 2 * SECOND) ==
                NOW + 3 * SECOND);
    assert_true(schedule_due_ns(&schedule, CAPTURED + 4 * SECOND, NOW + 3 * SECOND) ==
                NOW + 4 * SECOND);
}

/* A second capture behind the first, which in the end is as late as that one was. */
static void two_times_that_are_far_back_are_another_capture(void **state)
{
    struct schedule schedule = begun(1);
    const uint64_t now = NOW + 10 * SECOND;

    (void)state;
    schedule_due_ns(&schedule, CAPTURED + 10 * SECOND, NOW);
    assert_true(schedule_due_ns(&schedule, CAPTURED, now) == now);
    assert_true(schedule_due_ns(&schedule, CAPTURED + 5 * SECOND, now) == now + 5 * SECOND);
    assert_true(schedule_due_ns(&schedule, CAPTURED + 10 * SECOND, now) == now + 10 * SECOND);
}

static void absurd_times_are_never_due_and_do_not_overflow(void **state)
{
    struct schedule schedule = begun(1e-9);
    const uint64_t due = schedule_due_ns(&schedule, CAPTURED + (UINT64_MAX >> 2), NOW);

    (void)state;
    assert_true(due > NOW + 1000000 * SECOND && due < UINT64_MAX / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_leaves_at_once),
        cmocka_unit_test(the_others_keep_their_distance_to_it),
        cmocka_unit_test(speed_divides_the_distance),
        cmocka_unit_test(speed_0_makes_all_due),
        cmocka_unit_test(lateness_is_caught_up),
        cmocka_unit_test(a_little_disorder_changes_nothing),
        cmocka_unit_test(a_clock_set_back_begins_anew),
        cmocka_unit_test(one_time_that_is_far_back_changes_nothing_for_the_others),
        cmocka_unit_test(two_times_that_are_far_back_are_another_capture),
        cmocka_unit_test(absurd_times_are_never_due_and_do_not_overflow),
    };
    return cmocka_run_group_tests_name("test_schedule", tests, NULL, NULL);
}
