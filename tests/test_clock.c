/* test_clock.c: what the system is asked about the time and about itself, and what is made of its
 * answers.
 *
 * Linked with --wrap=clock_gettime,--wrap=nanosleep,--wrap=uname.
 */
#include "internal.h"

#include "system.h"

#include <stdio.h>
#include <sys/utsname.h>
#include <time.h>

#define SECOND_NS INT64_C(1000000000)

/* ---- The system ------------------------------------------------------------------------------ */

static struct {
    clockid_t clock; /* that was looked at last */
    struct timespec now;
    unsigned sleeps;
    struct timespec pause; /* of the last of them */
    int error;             /* that each ends with */
    const char *release;
    unsigned releases_told;
} fake;

int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_nanosleep(const struct timespec *pause, struct timespec *left);
int __wrap_uname(struct utsname *name);

int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
    fake.clock = clock;
    *now = fake.now;
    return 0;
}

int __wrap_nanosleep(const struct timespec *pause, struct timespec *left)
{
    (void)left;
    fake.sleeps++;
    fake.pause = *pause;
    errno = fake.error;
    return fake.error == 0 ? 0 : -1;
}

int __wrap_uname(struct utsname *name)
{
    fake.releases_told++;
    memset(name, 0, sizeof *name);
    snprintf(name->release, sizeof name->release, "%s", fake.release);
    return 0;
}

static int begin(void **state)
{
    (void)state;
    memset(&fake, 0, sizeof fake);
    return 0;
}

/* ---- Sleep ----------------------------------------------------------------------------------- */

static void a_sleep_is_handed_to_the_system_in_seconds_and_nanoseconds(void **state)
{
    static const struct {
        int64_t ns;
        time_t seconds;
        long nanoseconds;
    } table[] = {
        { 1, 0, 1 },
        { SECOND_NS - 1, 0, 999999999 },
        { SECOND_NS, 1, 0 },
        { 2 * SECOND_NS + 500000001, 2, 500000001 },
        { 1000000000 * SECOND_NS + 7, 1000000000, 7 }, /* 31 years */
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        assert_int_equal(ub_sleep_ns(table[i].ns), 0);
        assert_int_equal(fake.pause.tv_sec, table[i].seconds);
        assert_int_equal(fake.pause.tv_nsec, table[i].nanoseconds);
        assert_int_equal(fake.sleeps, i + 1);
    }
}

static void no_time_and_less_is_not_slept(void **state)
{
    (void)state;
    assert_int_equal(ub_sleep_ns(0), 0);
    assert_int_equal(ub_sleep_ns(-1), 0);
    assert_int_equal(ub_sleep_ns(INT64_MIN), 0);
    assert_int_equal(fake.sleeps, 0);
}

static void a_signal_ends_a_sleep(void **state)
{
    (void)state;
    fake.error = EINTR;
    assert_int_equal(ub_sleep_ns(SECOND_NS), -EINTR);
    assert_int_equal(fake.sleeps, 1);
}

/* ---- Clock and release ----------------------------------------------------------------------- */

static void the_clock_is_seconds_and_nanoseconds_that_nobody_sets(void **state)
{
    const time_t year = 366 * 86400;

    (void)state;
    fake.now = (struct timespec){ .tv_sec = 0, .tv_nsec = 999999999 };
    assert_true(ub_clock_ns() == SECOND_NS - 1);
    fake.now = (struct timespec){ .tv_sec = year, .tv_nsec = 123456789 };
    assert_true(ub_clock_ns() == year * SECOND_NS + 123456789);
    assert_int_equal(fake.clock, CLOCK_MONOTONIC);
}

static void the_kernel_is_asked_for_its_release_once(void **state)
{
    (void)state;
    fake.release = "7.1.4";
    assert_int_equal(ub_gso_this_kernel(), UB_GSO_DAMAGES);
    fake.release = "6.18.0";
    assert_int_equal(ub_gso_this_kernel(), UB_GSO_DAMAGES);
    assert_int_equal(fake.releases_told, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_sleep_is_handed_to_the_system_in_seconds_and_nanoseconds, begin),
        cmocka_unit_test_setup(no_time_and_less_is_not_slept, begin),
        cmocka_unit_test_setup(a_signal_ends_a_sleep, begin),
        cmocka_unit_test_setup(the_clock_is_seconds_and_nanoseconds_that_nobody_sets, begin),
        cmocka_unit_test_setup(the_kernel_is_asked_for_its_release_once, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
