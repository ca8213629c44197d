/* test_missing_json.c: JSON that there is no memory for while send or recv goes on makes the status
 * 1. Linked with --wrap for those who print it. */
#include "json_recv.h"
#include "json_send.h"

#include <getopt.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "interrupt.h"
#include "interval.h"
#include "options.h"
#include "ticker.h"

bool __wrap_json_send(const struct send_result *result);
bool __wrap_json_recv(const struct recv_result *result);
bool __wrap_interval_print_json(const struct interval *interval);

static bool has_memory;
static unsigned missing;

/* Of each that is printed while the work goes on. */
static bool has_memory_now(void)
{
    missing += !has_memory;
    return has_memory;
}

bool __wrap_interval_print_json(const struct interval *interval)
{
    (void)interval;
    return has_memory_now();
}

bool __wrap_json_send(const struct send_result *result)
{
    return result->ended || has_memory_now();
}

bool __wrap_json_recv(const struct recv_result *result)
{
    return result->ended || has_memory_now();
}

static int run(const struct command *command, char **argv)
{
    int argc = 0;

    while (argv[argc] != NULL)
        argc++;
    optind = 0; /* glibc begins anew */
    missing = 0;
    return command->run(argc, argv);
}

static int send_some(char *option)
{
    char *argv[] = { "send", "-qj",    "--to",   "127.0.0.1:9", "--for",
                     "0.05", "--rate", "100pps", option,        NULL };
    return run(&send_command, argv);
}

static int receive_nothing(char *option)
{
    char *argv[] = { "recv", "-qj", "--bind",    "127.0.0.1:0", "--for",
                     "0.05", "-o",  "/dev/null", option,        NULL };
    return run(&recv_command, argv);
}

static void an_interval_that_is_missing_makes_the_status_1(void **state)
{
    (void)state;
    assert_int_equal(send_some("--interval=0.01"), STATUS_INCOMPLETE);
    assert_true(missing > 0);
    assert_int_equal(receive_nothing("--interval=0.01"), STATUS_INCOMPLETE);
    assert_true(missing > 0);
}

/* The signal is heard from here on, and answered when the work has begun. */
static void totals_that_are_missing_make_the_status_1(void **state)
{
    (void)state;
    totals_hear();
    raise(SIGUSR1);
    assert_int_equal(send_some("--no-trains"), STATUS_INCOMPLETE);
    assert_int_equal(missing, 1);
    raise(SIGUSR1);
    assert_int_equal(receive_nothing("--no-trains"), STATUS_INCOMPLETE);
    assert_int_equal(missing, 1);
}

static void with_memory_the_status_is_0(void **state)
{
    (void)state;
    has_memory = true;
    assert_int_equal(send_some("--interval=0.01"), STATUS_DONE);
    assert_int_equal(receive_nothing("--interval=0.01"), STATUS_DONE);
    assert_int_equal(missing, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_interval_that_is_missing_makes_the_status_1),
        cmocka_unit_test(totals_that_are_missing_make_the_status_1),
        cmocka_unit_test(with_memory_the_status_is_0),
    };
    return cmocka_run_group_tests_name("test_missing_json", tests, NULL, NULL);
}
