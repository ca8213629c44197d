/* test_ticker.c: when to report while the work goes on. */
#include "ticker.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>

#include <cmocka.h>

#include "clock.h"
#include "interrupt.h"

static const uint64_t BEGUN_NS = UINT64_C(5000000000);

static uint64_t after_ms(uint64_t ms)
{
    return BEGUN_NS + ms * NS_PER_MS;
}

static void expect_interval(struct ticker *ticker, uint64_t now_ms, uint64_t from_ms)
{
    assert_int_equal(ticker_due(ticker, after_ms(now_ms)), TICK_INTERVAL);
    assert_int_equal(ticker->from_ns, after_ms(from_ms));
    assert_int_equal(ticker->to_ns, after_ms(now_ms));
}

static void expect_nothing(struct ticker *ticker, uint64_t now_ms)
{
    assert_int_equal(ticker_due(ticker, after_ms(now_ms)), TICK_NONE);
}

static struct ticker begin(double seconds)
{
    struct ticker ticker;
    ticker_begin(&ticker, seconds, BEGUN_NS);
    return ticker;
}

static void an_interval_is_due_when_it_is_over(void **state)
{
    struct ticker ticker = begin(1);

    (void)state;
    expect_nothing(&ticker, 0);
    expect_nothing(&ticker, 999);
    expect_interval(&ticker, 1000, 0);
    expect_nothing(&ticker, 1000);
    expect_nothing(&ticker, 1999);
    expect_interval(&ticker, 2000, 1000);
}

static void intervals_that_are_told_late_do_not_drift(void **state)
{
    struct ticker ticker = begin(0.1);

    (void)state;
    expect_interval(&ticker, 190, 0);
    expect_nothing(&ticker, 199);
    expect_interval(&ticker, 200, 190);
    expect_interval(&ticker, 301, 200);
}

static void intervals_that_were_missed_are_one(void **state)
{
    struct ticker ticker = begin(0.1);

    (void)state;
    expect_interval(&ticker, 1234, 0);
    expect_nothing(&ticker, 1299);
    expect_interval(&ticker, 1300, 1234);
}

static void without_intervals_none_is_due(void **state)
{
    struct ticker ticker = begin(0);

    (void)state;
    expect_nothing(&ticker, 0);
    expect_nothing(&ticker, UINT32_MAX);
    assert_false(ticker_end(&ticker, after_ms(1)));
}

static void the_last_interval_ends_with_the_work(void **state)
{
    struct ticker ticker = begin(1);

    (void)state;
    expect_interval(&ticker, 1000, 0);
    assert_true(ticker_end(&ticker, after_ms(1250)));
    assert_int_equal(ticker.from_ns, after_ms(1000));
    assert_int_equal(ticker.to_ns, after_ms(1250));
}

static void the_user_asks_once_for_the_totals(void **state)
{
    struct ticker ticker = begin(0);

    (void)state;
    raise(SIGUSR1);
    assert_int_equal(ticker_due(&ticker, after_ms(1)), TICK_TOTALS);
    expect_nothing(&ticker, 1);
}

static void who_asks_before_the_work_has_begun_is_answered_then(void **state)
{
    raise(SIGUSR1);
    struct ticker ticker = begin(0);

    (void)state;
    assert_int_equal(ticker_due(&ticker, after_ms(0)), TICK_TOTALS);
}

static void totals_take_no_interval_away(void **state)
{
    struct ticker ticker = begin(1);

    (void)state;
    raise(SIGUSR1);
    assert_int_equal(ticker_due(&ticker, after_ms(1001)), TICK_TOTALS);
    expect_interval(&ticker, 1001, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_interval_is_due_when_it_is_over),
        cmocka_unit_test(intervals_that_are_told_late_do_not_drift),
        cmocka_unit_test(intervals_that_were_missed_are_one),
        cmocka_unit_test(without_intervals_none_is_due),
        cmocka_unit_test(the_last_interval_ends_with_the_work),
        cmocka_unit_test(the_user_asks_once_for_the_totals),
        cmocka_unit_test(who_asks_before_the_work_has_begun_is_answered_then),
        cmocka_unit_test(totals_take_no_interval_away),
    };
    totals_hear();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
