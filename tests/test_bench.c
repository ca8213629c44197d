/* test_bench.c: how `udpbatch bench` makes figures of what it measures, and shows them. */
#include "cli.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "bench_json.h"
#include "histogram.h"
#include "rounds.h"
#include "syscalls.h"
#include "table.h"

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

/* ---- Histogram ------------------------------------------------------------------------------ */

static void expect_close(uint64_t value, uint64_t exact)
{
    uint64_t most = exact / 50;
    if (value > exact ? value - exact > most : exact - value > most)
        fail_msg("%llu is not within 2 %% of %llu", (unsigned long long)value,
                 (unsigned long long)exact);
}

static void quantiles_are_within_2_percent(void **state)
{
    static struct histogram even, uneven;

    (void)state;
    /* 7919 has no divisor in common with 100000: each of 1 .. 100000 once, in disorder. */
    for (uint64_t i = 0; i < 100000; i++)
        histogram_add(&even, i * 7919 % 100000 + 1);
    assert_int_equal(even.total, 100000);
    expect_close(histogram_quantile(&even, 0.001), 100);
    expect_close(histogram_quantile(&even, 0.5), 50000);
    expect_close(histogram_quantile(&even, 0.99), 99000);
    expect_close(histogram_quantile(&even, 1), 100000);

    for (int i = 0; i < 990; i++)
        histogram_add(&uneven, 700);
    for (int i = 0; i < 10; i++)
        histogram_add(&uneven, 12345678);
    expect_close(histogram_quantile(&uneven, 0.5), 700);
    expect_close(histogram_quantile(&uneven, 0.99), 700);
    expect_close(histogram_quantile(&uneven, 0.991), 12345678);
}

static uint64_t quantile_of_one(uint64_t value)
{
    struct histogram *histogram = calloc(1, sizeof *histogram);
    assert_non_null(histogram);
    histogram_add(histogram, value);
    uint64_t quantile = histogram_quantile(histogram, 0.5);
    assert_int_equal(histogram_quantile(histogram, 1), quantile);
    free(histogram);
    return quantile;
}

static void every_size_of_value_has_its_place(void **state)
{
    (void)state;
    for (uint64_t value = 0; value <= 128; value++)
        assert_int_equal(quantile_of_one(value), value < 128 ? value : 129);
    for (unsigned bit = 7; bit < 64; bit++) {
        expect_close(quantile_of_one((UINT64_C(1) << bit) - 1), (UINT64_C(1) << bit) - 1);
        expect_close(quantile_of_one(UINT64_C(1) << bit), UINT64_C(1) << bit);
    }
    assert_true(quantile_of_one(UINT64_MAX) == UINT64_MAX);
}

static void an_empty_histogram_has_no_quantiles(void **state)
{
    static const struct histogram empty;

    (void)state;
    assert_int_equal(histogram_quantile(&empty, 0.5), 0);
    assert_int_equal(histogram_quantile(&empty, 1), 0);
}

/* ---- Rounds --------------------------------------------------------------------------------- */

static void expect_spread(const struct spread *spread, double min, double median, double max)
{
    assert_true(spread->known);
    assert_float_equal(spread->min, min, 1e-6);
    assert_float_equal(spread->median, median, 1e-6);
    assert_float_equal(spread->max, max, 1e-6);
}

static void the_median_is_the_middle_or_between_the_two(void **state)
{
    double odd[] = { 5, 1, 3 }, pair[] = { 10, 1, 2, 4 }, one[] = { 7 };
    struct spread spread;

    (void)state;
    spread = spread_of(odd, 3);
    expect_spread(&spread, 1, 3, 5);
    spread = spread_of(pair, 4);
    expect_spread(&spread, 1, 3, 10);
    spread = spread_of(one, 1);
    expect_spread(&spread, 7, 7, 7);
    spread = spread_of(one, 0);
    assert_false(spread.known);
}

enum { ROUNDS = 3 };

static struct engine_result sum_up(struct round *list, struct round *original, size_t n)
{
    static struct histogram calls;
    const struct rounds rounds = { .list = list, .calls = &calls };
    const struct rounds others = { .list = original, .calls = &calls };
    struct engine_result result = { 0 };
    double room[ROUNDS];

    rounds_sum_up(&rounds, original != NULL ? &others : NULL, n, room, &result);
    return result;
}

static void figures_are_of_what_arrived_or_was_refused(void **state)
{
    struct round list[ROUNDS] = {
        { .packets = 1004,
          .sent = 804,
          .refused = 200,
          .vanished = 4,
          .vanished_known = true,
          .seconds = 2,
          .cpu_seconds = 1 },
        { .packets = 1000,
          .sent = 400,
          .refused = 100,
          .vanished_known = true,
          .seconds = 2,
          .cpu_seconds = 1 },
        { .packets = 4003,
          .sent = 4003,
          .vanished = 3,
          .vanished_known = true,
          .seconds = 2,
          .cpu_seconds = 2 },
    };
    (void)state;
    struct engine_result result = sum_up(list, NULL, ROUNDS);
    expect_spread(&result.packets_per_second, 250, 500, 2000);
    expect_spread(&result.cpu_ns_per_packet, 5e5, 1e6, 2e6);
    assert_false(result.ratio_to_baseline.known);
    assert_int_equal(result.packets, 5500);
    assert_int_equal(result.refused, 300);
    assert_int_equal(result.lost, 507);
    assert_true(result.lost_known);
    list[1].vanished_known = false;
    result = sum_up(list, NULL, ROUNDS);
    assert_false(result.lost_known);
}

static void the_ratio_is_taken_round_by_round(void **state)
{
    struct round original[ROUNDS] = { { .packets = 100, .sent = 100, .seconds = 1 },
                                      { .packets = 200, .sent = 200, .seconds = 1 },
                                      { .packets = 300, .sent = 300, .seconds = 1 } };
    struct round list[ROUNDS] = { { .packets = 200, .sent = 200, .seconds = 1 },
                                  { .packets = 300, .sent = 300, .seconds = 1 },
                                  { .packets = 75, .sent = 75, .seconds = 1 } };
    (void)state;
    struct engine_result result = sum_up(list, original, ROUNDS);
    /* The medians are 200 both: their ratio would be 1. */
    expect_spread(&result.packets_per_second, 75, 200, 300);
    expect_spread(&result.ratio_to_baseline, 0.25, 1.5, 2);
    result = sum_up(original, original, ROUNDS);
    expect_spread(&result.ratio_to_baseline, 1, 1, 1);
}

static void only_complete_rounds_count(void **state)
{
    struct round list[ROUNDS] = {
        { .packets = 10, .sent = 10, .seconds = 1, .cpu_seconds = 1 },
        { .packets = 99, .sent = 1, .vanished = 1, .seconds = 1, .cpu_seconds = 1 }
    };
    (void)state;
    struct engine_result result = sum_up(list, list, 1);
    expect_spread(&result.packets_per_second, 10, 10, 10);
    assert_int_equal(result.packets, 10);
    assert_int_equal(result.lost, 0);
    result = sum_up(list, list, 0);
    assert_false(result.packets_per_second.known);
    assert_false(result.ratio_to_baseline.known);
}

static void expect_finite(const struct spread *spread)
{
    assert_true(spread->min >= 0 && spread->min <= spread->max && spread->max < 1e18);
}

static void nothing_is_divided_by_zero(void **state)
{
    struct round nothing[ROUNDS] = { { .packets = 10 }, { .packets = 10 }, { 0 } };
    struct round little[ROUNDS] = { { .packets = 10, .sent = 10 },
                                    { .packets = 10, .seconds = 1, .cpu_seconds = 1 },
                                    { .packets = 10, .sent = 10, .seconds = 1 } };
    (void)state;
    struct engine_result result = sum_up(nothing, little, ROUNDS);
    assert_false(result.packets_per_second.known);
    assert_false(result.cpu_ns_per_packet.known);
    assert_false(result.ratio_to_baseline.known);
    assert_int_equal(result.lost, 20);
    result = sum_up(little, nothing, ROUNDS);
    expect_finite(&result.packets_per_second);
    expect_finite(&result.cpu_ns_per_packet);
    expect_finite(&result.ratio_to_baseline);
}

/* ---- System calls --------------------------------------------------------------------------- */

/* So many system calls, in the first calls, of which there is one if that is not said, and in the
 * others. */
struct work {
    int first, later, first_calls;
    bool ends, cannot_begin;
    int calls;
};

static void do_work(void *context)
{
    struct work *work = context;
    bool is_later = work->calls++ >= (work->first_calls > 0 ? work->first_calls : 1);
    int count = is_later ? work->later : work->first;
    if (is_later && work->ends)
        _exit(0);
    for (int i = 0; i < count; i++)
        syscall(SYS_getppid);
}

static bool prepare_work(void *context)
{
    (void)context;
    syscall(SYS_getppid);
    return true;
}

static bool begin_work(void *context)
{
    struct work *work = context;
    syscall(SYS_getppid);
    return !work->cannot_begin;
}

static long count_work(struct work *work)
{
    return syscalls_count(&(struct counted){ begin_work, NULL, do_work, work, 1 });
}

static long count_of(int first, int later)
{
    struct work work = { .first = first, .later = later };
    return count_work(&work);
}

static bool can_trace(void)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0)
            raise(SIGSTOP);
        _exit(0);
    }
    bool can = child > 0 && waitpid(child, &status, 0) == child && WIFSTOPPED(status) &&
               ptrace(PTRACE_SETOPTIONS, child, NULL, (void *)PTRACE_O_TRACESYSGOOD) == 0;
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    return can;
}

static void need_tracing(void)
{
    const char *ci = getenv("CI");
    if (can_trace())
        return;
    print_message("cannot run here: a child cannot be traced\n");
    if (ci != NULL && ci[0] != '\0')
        fail();
    skip();
}

static void system_calls_are_counted(void **state)
{
    (void)state;
    need_tracing();
    assert_int_equal(count_of(0, 0), 0);
    assert_int_equal(count_of(1, 1), 1);
    assert_int_equal(count_of(10, 10), 10);
}

static void what_is_done_the_first_time_only_is_not_counted(void **state)
{
    (void)state;
    need_tracing();
    assert_int_equal(count_of(7, 2), 2);
    assert_int_equal(count_of(0, 3), 3);
}

static void what_warms_up_is_not_counted(void **state)
{
    struct work work = { .first = 7, .later = 2, .first_calls = 5 };
    struct counted counted = { begin_work, NULL, do_work, &work, 5 };

    (void)state;
    need_tracing();
    assert_int_equal(syscalls_count(&counted), 2);
    counted.calls_to_warm_up = 4;
    assert_int_equal(syscalls_count(&counted), 7);
}

static void what_prepares_the_work_is_not_counted(void **state)
{
    struct work work = { .first = 4, .later = 2 };
    const struct counted counted = { begin_work, prepare_work, do_work, &work, 1 };

    (void)state;
    need_tracing();
    assert_int_equal(syscalls_count(&counted), 2);
}

static void work_that_does_not_come_back_has_no_count(void **state)
{
    struct work work = { .first = 1, .later = 1, .ends = true };

    (void)state;
    need_tracing();
    assert_int_equal(count_work(&work), -1);
}

static void work_that_cannot_begin_has_no_count(void **state)
{
    struct work work = { .cannot_begin = true };

    (void)state;
    need_tracing();
    assert_int_equal(count_work(&work), -1);
}

static void counting_leaves_no_child_and_nothing_done(void **state)
{
    struct work work = { .first = 1, .later = 1 };

    (void)state;
    count_work(&work);
    assert_int_equal(work.calls, 0);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

/* ---- What is shown -------------------------------------------------------------------------- */

static const char FAULT[] = "3 packets arrived damaged or at a wrong target";

/* A workload with figures, with none, and with a fault; and a curve. */
static struct report made_up_report(void)
{
    static struct workload_result results[3];
    const struct spread spread = { 123456789, 234567890.5, 345678901, true };
    const struct spread ratio = { 0.5, 1.25, 99.5, true };

    results[0] = (struct workload_result){ .name = "W6",
                                           .what = "32 payloads of 1228 bytes to 64 targets",
                                           .packets = 2048,
                                           .rounds = 7,
                                           .engine_count = 3 };
    results[0].engines[0] = (struct engine_result){ .engine = engines_find("udpbatch_send"),
                                                    .packets_per_second = spread,
                                                    .cpu_ns_per_packet = spread,
                                                    .ratio_to_baseline = ratio,
                                                    .syscalls_per_packet = 1.0 / 2048,
                                                    .call_p50_ns = 1234567,
                                                    .call_p99_ns = 12345678,
                                                    .packets = 123456789,
                                                    .refused = 98765432,
                                                    .lost = 12345678 };
    results[0].engines[1] =
        (struct engine_result){ .engine = engines_find("prebuilt"), .syscalls_per_packet = -1 };
    results[0].engines[2] = (struct engine_result){ .engine = engines_find("sendto-loop") };
    strcpy(results[0].engines[2].fault, FAULT);
    for (size_t i = 1; i < COUNT_OF(results); i++) {
        results[i] = results[0];
        results[i].curve = "W3";
        results[i].axis = "packets";
        results[i].parameter = (size_t)1 << i;
    }
    return (struct report){ .machine = { .kernel = "Linux 6.1", .cpu = "of some kind", .cpus = 2 },
                            .where = { .kind = "loopback", .what = "receivers on loopback" },
                            .rounds = 7,
                            .seconds = 0.25,
                            .count = COUNT_OF(results),
                            .workloads = results,
                            .interrupted = true };
}

/* What a function prints to stdout. To be freed. */
static char *printed_by(void (*print)(const struct report *report), const struct report *report)
{
    FILE *file = tmpfile();
    int kept = dup(STDOUT_FILENO);
    char *text = calloc(1, 65536);

    assert_non_null(file);
    assert_non_null(text);
    fflush(stdout);
    dup2(fileno(file), STDOUT_FILENO);
    print(report);
    fflush(stdout);
    dup2(kept, STDOUT_FILENO);
    close(kept);
    rewind(file);
    assert_true(fread(text, 1, 65535, file) < 65535);
    fclose(file);
    return text;
}

static void print_table(const struct report *report)
{
    table_print(report, stdout);
}

static size_t longest_line(const char *text)
{
    size_t longest = 0;
    for (size_t len; *text != '\0'; text += len + (text[len] == '\n')) {
        len = strcspn(text, "\n");
        longest = len > longest ? len : longest;
    }
    return longest;
}

/* The line that begins so, without its newline, into the room. */
static const char *line_of(const char *text, const char *beginning, char room[256])
{
    char pattern[64];
    snprintf(pattern, sizeof pattern, "\n%s ", beginning);
    const char *line = strstr(text, pattern);
    assert_non_null(line);
    snprintf(room, 256, "%.*s", (int)strcspn(line + 1, "\n"), line + 1);
    return room;
}

static void a_table_shows_figures_faults_and_what_is_not_known(void **state)
{
    const struct report report = made_up_report();
    char line[256], *text = printed_by(print_table, &report);

    (void)state;
    assert_true(longest_line(text) <= 130);
    line_of(text, "udpbatch_send", line);
    assert_non_null(strstr(line, " 235M "));
    assert_non_null(strstr(line, " 0.00049 "));
    assert_non_null(strstr(line, " 1.25 "));
    line_of(text, "prebuilt", line);
    assert_int_equal(strspn(line + strlen("prebuilt"), " -"), strlen(line) - strlen("prebuilt"));
    line_of(text, "sendto-loop", line);
    assert_non_null(strstr(line, FAULT));
    assert_non_null(strstr(text, "\nW3: "));
    assert_non_null(strstr(text, "interrupted"));
    assert_non_null(strstr(text, "ratio to original"));
    assert_null(strstr(text, "received"));
    free(text);
}

/* The same figures, of an engine that receives. */
static struct report made_up_report_of_receiving(void)
{
    struct report report = made_up_report();
    report.direction = RECEIVING;
    report.count = 1;
    for (size_t i = 0; i < report.workloads[0].engine_count; i++)
        report.workloads[0].engines[i].engine = engines_find("udpbatch-receiver");
    return report;
}

static void a_table_of_receiving_says_so(void **state)
{
    const struct report report = made_up_report_of_receiving();
    char line[256], *text = printed_by(print_table, &report);

    (void)state;
    assert_true(longest_line(text) <= 130);
    assert_non_null(strstr(text, "\nW6, received: "));
    assert_non_null(strstr(text, "2048 packets per burst, "));
    assert_non_null(strstr(text, "burst, us"));
    assert_non_null(strstr(text, "ratio to recvmmsg"));
    assert_null(strstr(text, "original"));
    line_of(text, "udpbatch-receiver", line);
    assert_non_null(strstr(line, " 235M "));
    free(text);
}

static bool has_printed;

static void print_json(const struct report *report)
{
    has_printed = bench_json_print(report);
}

static void json_is_one_line_with_null_for_what_is_not_known(void **state)
{
    const struct report report = made_up_report();
    char *text = printed_by(print_json, &report);

    (void)state;
    if (!has_printed) {
        free(text);
        print_message("cannot run here: built without jansson\n");
        skip();
    }
    assert_int_equal(strcspn(text, "\n"), strlen(text) - 1);
    assert_non_null(strstr(text, FAULT));
    assert_non_null(strstr(text, "\"syscalls_per_packet\": null"));
    assert_null(strstr(text, ": -1"));
    assert_non_null(strstr(text, "\"curve\": \"W3\""));
    assert_non_null(strstr(text, "\"interrupted\": true"));
    assert_non_null(strstr(text, "\"direction\": \"send\""));
    assert_non_null(strstr(text, "\"ratio_to_original\""));
    free(text);
}

static void json_of_receiving_says_so(void **state)
{
    const struct report report = made_up_report_of_receiving();
    char *text = printed_by(print_json, &report);

    (void)state;
    if (!has_printed) {
        free(text);
        skip(); /* whether it may be is known to the test above */
    }
    assert_non_null(strstr(text, "\"direction\": \"receive\""));
    assert_non_null(strstr(text, "\"ratio_to_recvmmsg\": {"));
    assert_non_null(strstr(text, "\"ratio_to_recvmmsg\": null"));
    assert_null(strstr(text, "original"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_are_within_2_percent),
        cmocka_unit_test(every_size_of_value_has_its_place),
        cmocka_unit_test(an_empty_histogram_has_no_quantiles),
        cmocka_unit_test(the_median_is_the_middle_or_between_the_two),
        cmocka_unit_test(figures_are_of_what_arrived_or_was_refused),
        cmocka_unit_test(the_ratio_is_taken_round_by_round),
        cmocka_unit_test(only_complete_rounds_count),
        cmocka_unit_test(nothing_is_divided_by_zero),
        cmocka_unit_test(system_calls_are_counted),
        cmocka_unit_test(what_is_done_the_first_time_only_is_not_counted),
        cmocka_unit_test(what_warms_up_is_not_counted),
        cmocka_unit_test(what_prepares_the_work_is_not_counted),
        cmocka_unit_test(work_that_does_not_come_back_has_no_count),
        cmocka_unit_test(work_that_cannot_begin_has_no_count),
        cmocka_unit_test(counting_leaves_no_child_and_nothing_done),
        cmocka_unit_test(a_table_shows_figures_faults_and_what_is_not_known),
        cmocka_unit_test(a_table_of_receiving_says_so),
        cmocka_unit_test(json_is_one_line_with_null_for_what_is_not_known),
        cmocka_unit_test(json_of_receiving_says_so),
    };
    alarm(60);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
