/* test_bench_workload.c: what `udpbatch bench` is asked to send, and the packets that this means.
 */
#include "cli.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "workload.h"

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

/* ---- What is asked for ---------------------------------------------------------------------- */

static struct workload_specs specs;

/* The workloads of the text, which is good. */
static size_t ask_for(const char *text)
{
    struct reason reason = { "" };
    workload_specs_free(&specs);
    if (!workload_add(&specs, text, &reason))
        fail_msg("%.60s: %s", text, reason.text);
    return specs.count;
}

static void expect_refusal(const char *text, const char *why)
{
    struct reason reason = { "" };
    workload_specs_free(&specs);
    if (workload_add(&specs, text, &reason))
        fail_msg("%.60s was taken", text);
    if (strstr(reason.text, why) == NULL)
        fail_msg("%.60s: \"%s\" does not say \"%s\"", text, reason.text, why);
    assert_null(strchr(reason.text, '\n'));
}

static void expect_spec(size_t i, const char *name, const char *shape, size_t parameter)
{
    assert_true(i < specs.count);
    assert_string_equal(specs.list[i].name, name);
    assert_string_equal(specs.list[i].shape->name, shape);
    assert_int_equal(specs.list[i].parameter, parameter);
}

static void a_name_alone_takes_the_usual_parameter(void **state)
{
    static const size_t usual[] = { 64, 256, 64, 512, 64, 64, 10, 256 };
    char name[8];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(usual); i++) {
        snprintf(name, sizeof name, "W%zu", i + 1);
        assert_int_equal(ask_for(name), 1);
        expect_spec(0, name, name, usual[i]);
        assert_string_equal(workload_shape(i)->name, name);
        assert_null(specs.list[0].curve);
    }
    assert_null(workload_shape(COUNT_OF(usual)));
}

static void a_number_behind_a_colon_is_the_parameter(void **state)
{
    (void)state;
    ask_for("W1:200");
    expect_spec(0, "W1:200", "W1", 200);
    assert_int_equal(workload_targets(&specs.list[0]), 200);
    assert_true(workload_has_one_payload(&specs.list[0]));
    ask_for("W3:200");
    assert_int_equal(workload_targets(&specs.list[0]), 1);
    assert_false(workload_has_one_payload(&specs.list[0]));
}

static void a_name_may_be_written_small(void **state)
{
    (void)state;
    ask_for("w1:9");
    expect_spec(0, "W1:9", "W1", 9);
    ask_for("w7:10:w2");
    expect_spec(0, "W7:10:W2", "W7", 10);
}

static void what_is_spoilt_has_a_base(void **state)
{
    (void)state;
    ask_for("W7,W7:1,W7:100:W1,W7:5:W2");
    expect_spec(0, "W7", "W7", 10);
    assert_string_equal(specs.list[0].base->name, "W1");
    assert_string_equal(specs.list[1].base->name, "W1");
    expect_spec(2, "W7:100:W1", "W7", 100);
    expect_spec(3, "W7:5:W2", "W7", 5);
    assert_string_equal(specs.list[3].base->name, "W2");
    assert_int_equal(workload_targets(&specs.list[0]), 64);
    assert_int_equal(workload_targets(&specs.list[3]), 129);
    assert_true(workload_has_one_payload(&specs.list[0]));
    assert_false(workload_has_one_payload(&specs.list[3]));
}

static void commas_stand_between_workloads_and_more_are_added(void **state)
{
    struct reason reason;

    (void)state;
    assert_int_equal(ask_for("W6,W1:9,W1"), 3);
    assert_true(workload_add(&specs, "W2", &reason));
    assert_int_equal(specs.count, 4);
    expect_spec(0, "W6", "W6", 64);
    expect_spec(1, "W1:9", "W1", 9);
    expect_spec(2, "W1", "W1", 64);
    expect_spec(3, "W2", "W2", 256);
}

static void expect_range(const char *text, const char *shape, const size_t *points, size_t count)
{
    char name[32];

    assert_int_equal(ask_for(text), count);
    for (size_t i = 0; i < count; i++) {
        snprintf(name, sizeof name, "%s:%zu", shape, points[i]);
        expect_spec(i, name, shape, points[i]);
        assert_string_equal(specs.list[i].curve, shape);
    }
}

static void a_range_is_its_powers_of_two_and_its_ends(void **state)
{
    static const size_t all[] = { 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096 };
    (void)state;
    expect_range("W1:1..1024", "W1", all, 11);
    expect_range("W3:1..4096", "W3", all, 13);
    expect_range("W1:3..20", "W1", (const size_t[]){ 3, 4, 8, 16, 20 }, 5);
    expect_range("W1:5..6", "W1", (const size_t[]){ 5, 6 }, 2);
    expect_range("w3:1..3", "W3", (const size_t[]){ 1, 2, 3 }, 3);
    expect_range("W1:64..128", "W1", (const size_t[]){ 64, 128 }, 2);
}

static void limits_belong_to_the_workload(void **state)
{
    static const struct {
        const char *least, *most, *below, *above;
    } limits[] = {
        { "W1:1", "W1:1024", "W1:0", "W1:1025" },     { "W2:2", "W2:2046", "W2:1", "W2:2047" },
        { "W3:1", "W3:4096", "W3:0", "W3:4097" },     { "W4:1", "W4:1024", "W4:0", "W4:1025" },
        { "W5:1", "W5:4096", "W5:0", "W5:4097" },     { "W6:1", "W6:1024", "W6:0", "W6:1025" },
        { "W7:1", "W7:100:W2", "W7:0", "W7:101:W2" }, { "W8:2", "W8:2046", "W8:1", "W8:2047" },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(limits); i++) {
        ask_for(limits[i].least);
        ask_for(limits[i].most);
        expect_refusal(limits[i].below, "takes a number from");
        expect_refusal(limits[i].above, "takes a number from");
    }
}

static void bad_text_is_refused_with_a_reason(void **state)
{
    static const char *const unknown[] = { "W0", "W9", "W", "W11", "X1", "W1x", "W1 ", " W1" };
    static const char *const numbers[] = { "W1:x",     "W1:-1",   "W1:+1",     "W1: 1",
                                           "W1:1.5",   "W1:1e2",  "W1:0x10",   "W3:9999999999",
                                           "W1:..",    "W1:1..",  "W1:..5",    "W1:1..2..3",
                                           "W1:1...5", "W1:0..5", "W1:1..1025" };
    static const char *const forms[] = {
        "",     ",",     "W1,",    ",W1",    "W1,,W2",   ":",          ":1",       "W1:",
        "W1::", "W1::2", "W7:10:", "W7::W2", "W1:1:2:3", "W7:10:W2:1", "W7:10:W2:"
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(unknown); i++)
        expect_refusal(unknown[i], "there is no workload");
    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        expect_refusal(numbers[i], "takes a number from");
    for (size_t i = 0; i < COUNT_OF(forms); i++)
        expect_refusal(forms[i], "write a workload as");
    expect_refusal("W1:1:2", "takes one parameter");
    expect_refusal("W1:1:W2", "takes one parameter");
    expect_refusal("W7:10:W3", "W1 or W2");
    expect_refusal("W7:10:W7", "W1 or W2");
    expect_refusal("W7:10:W9", "W1 or W2");
    expect_refusal("W1:5..5", "no range");
    expect_refusal("W1:9..2", "no range");
}

static void what_is_asked_for_twice_is_refused(void **state)
{
    (void)state;
    expect_refusal("W6,W1,W6", "name W6 once");
    expect_refusal("W1:9,W1:9", "name W1:9 once");
    expect_refusal("W1:1..8,W1:16..32", "one range");
    assert_int_equal(ask_for("W1:1..8,W1:4,W3:1..8"), 9);
    expect_refusal("W7:1..10:W2", "range");
}

static void text_of_any_length_is_refused_with_a_short_reason(void **state)
{
    static char text[100000];
    char next[16];

    (void)state;
    memset(text, 'W', sizeof text - 1);
    expect_refusal(text, "write a workload as");
    memset(text, '1', sizeof text - 1);
    memcpy(text, "W1:", 3);
    expect_refusal(text, "write a workload as");
    text[0] = '\0';
    for (int i = 1; i <= 1000; i++) {
        snprintf(next, sizeof next, "%sW1:%d", i > 1 ? "," : "", i);
        strcat(text, next);
    }
    expect_refusal(text, "at most");
}

/* ---- The packets ---------------------------------------------------------------------------- */

enum { TARGETS = 1024, FEW = 3 };

static union udpbatch_addr targets[TARGETS];
static struct bad_targets bad = { .names = { "EAFNOSUPPORT", "EACCES", "EPERM" }, .count = 3 };
static struct workload workload;

static const struct workload_spec *build_to(const char *text, struct layout layout, size_t count)
{
    workload_free(&workload);
    assert_int_equal(ask_for(text), 1);
    assert_true(workload_build(&workload, &specs.list[0], &layout, targets, count, &bad));
    return &specs.list[0];
}

static const struct workload_spec *build(const char *text)
{
    return build_to(text, (struct layout){ 0 }, TARGETS);
}

static size_t target_of(size_t i)
{
    return (size_t)(workload.packets[i].to - targets);
}

/* Payload k goes to the packets k, k + payload_count, and so on. */
static void expect_numbered_payloads(void)
{
    for (size_t i = 0; i < workload.n; i++)
        assert_int_equal(workload_payload_number(&workload.packets[i]), i % workload.payload_count);
}

static void expect_different_payloads(void)
{
    const size_t len = workload.least_bytes - PAYLOAD_NUMBER_BYTES;

    for (size_t a = 0; a < workload.payload_count; a++) {
        for (size_t b = a + 1; b < workload.payload_count; b++) {
            const char *first = workload.packets[a].data, *second = workload.packets[b].data;
            if (memcmp(first + PAYLOAD_NUMBER_BYTES, second + PAYLOAD_NUMBER_BYTES, len) == 0)
                fail_msg("the payloads %zu and %zu are the same but for their numbers", a, b);
        }
    }
}

static void every_workload_has_the_shape_that_its_sender_has(void **state)
{
    static const struct {
        const char *text;
        size_t payloads, targets, packets, least, most, bytes;
    } rows[] = {
        { "W1", 1, 64, 64, 1228, 1228, 64 * 1228 },
        { "W1:1", 1, 1, 1, 1228, 1228, 1228 },
        { "W1:1024", 1, 1024, 1024, 1228, 1228, 1024 * 1228 },
        { "W2", 256, 129, 256, 1203, 1228, 128 * 1203 + 128 * 1228 },
        { "W2:2", 2, 2, 2, 1203, 1228, 1203 + 1228 },
        { "W2:3", 3, 2, 3, 1203, 1228, 1203 + 2 * 1228 },
        { "W2:2046", 2046, 1024, 2046, 1203, 1228, 1023 * 1203 + 1023 * 1228 },
        { "W3", 64, 1, 64, 1232, 1232, 64 * 1232 },
        { "W4", 512, 512, 512, 160, 160, 512 * 160 },
        { "W5", 64, 1, 64, 400, 400, 64 * 400 },
        { "W6", 32, 64, 2048, 1228, 1228, 2048 * 1228 },
        { "W8", 256, 129, 256, 1203, 1228, 128 * 1203 + 128 * 1228 },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct workload_spec *spec = build(rows[i].text);
        assert_int_equal(workload.payload_count, rows[i].payloads);
        assert_int_equal(workload.target_count, rows[i].targets);
        assert_int_equal(workload_targets(spec), rows[i].targets);
        assert_int_equal(workload.n, rows[i].packets);
        assert_int_equal(workload.least_bytes, rows[i].least);
        assert_int_equal(workload.most_bytes, rows[i].most);
        assert_int_equal(workload.bytes, rows[i].bytes);
        assert_int_equal(workload.bad, 0);
        expect_numbered_payloads();
        expect_different_payloads();
    }
}

static void a_fan_out_goes_target_by_target(void **state)
{
    static const char *const texts[] = { "W1", "W3", "W5", "W6" };

    (void)state;
    for (size_t t = 0; t < COUNT_OF(texts); t++) {
        build(texts[t]);
        for (size_t i = 0; i < workload.n; i++) {
            assert_int_equal(target_of(i), i / workload.payload_count);
            assert_ptr_equal(workload.packets[i].data,
                             workload.packets[i % workload.payload_count].data);
            assert_int_equal(workload.packets[i].len, workload.most_bytes);
        }
    }
}

static void scattered_packets_go_each_to_its_own_target(void **state)
{
    (void)state;
    build("W4");
    for (size_t i = 0; i < workload.n; i++)
        assert_int_equal(target_of(i), i);
}

static void expect_broadcast(size_t n)
{
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(target_of(i), i % 2 == 0 ? 0 : 1 + i / 2);
        assert_int_equal(workload.packets[i].len, i < n / 2 ? 1203 : 1228);
    }
}

static void every_second_packet_of_a_broadcast_goes_to_one_target(void **state)
{
    (void)state;
    build("W2");
    expect_broadcast(256);
    build("W8:20");
    expect_broadcast(20);
}

static void a_size_holds_for_every_payload(void **state)
{
    (void)state;
    build_to("W2", (struct layout){ .bytes = PAYLOAD_LEAST }, TARGETS);
    assert_int_equal(workload.least_bytes, PAYLOAD_LEAST);
    assert_int_equal(workload.most_bytes, PAYLOAD_LEAST);
    assert_int_equal(workload.bytes, 256 * PAYLOAD_LEAST);
    expect_numbered_payloads();
    expect_different_payloads();
    build_to("W3:4", (struct layout){ .bytes = 65507 }, TARGETS);
    assert_int_equal(workload.packets[3].len, 65507);
    expect_different_payloads();
}

/* Bytes between the end of a payload and the beginning of the next one. */
static ptrdiff_t gap_after(size_t i)
{
    const char *here = workload.packets[i].data, *next = workload.packets[i + 1].data;
    return next - here - (ptrdiff_t)workload.packets[i].len;
}

static void payloads_touch_only_if_they_are_to_be_contiguous(void **state)
{
    static const char *const texts[] = { "W2", "W3", "W4", "W6" };

    (void)state;
    for (size_t t = 0; t < COUNT_OF(texts); t++) {
        build_to(texts[t], (struct layout){ .contiguous = true }, TARGETS);
        for (size_t i = 0; i + 1 < workload.payload_count; i++)
            assert_int_equal(gap_after(i), 0);
        expect_numbered_payloads();
        build(texts[t]);
        for (size_t i = 0; i + 1 < workload.payload_count; i++)
            assert_true(gap_after(i) >= 64);
    }
}

static void fewer_targets_are_used_in_turn(void **state)
{
    (void)state;
    build_to("W4", (struct layout){ 0 }, FEW);
    for (size_t i = 0; i < workload.n; i++)
        assert_int_equal(target_of(i), i % FEW);
    build_to("W6", (struct layout){ 0 }, FEW);
    for (size_t i = 0; i < workload.n; i++)
        assert_int_equal(target_of(i), i / 32 % FEW);
    build_to("W2", (struct layout){ 0 }, FEW);
    for (size_t i = 0; i < workload.n; i++)
        assert_int_equal(target_of(i), (i % 2 == 0 ? 0 : 1 + i / 2) % FEW);
    build_to("W1", (struct layout){ 0 }, 1);
    for (size_t i = 0; i < workload.n; i++)
        assert_int_equal(target_of(i), 0);
}

/* So many are bad, of each kind in its turn; the others are as they would be. */
static void expect_bad(const char *text, size_t count)
{
    size_t found = 0, last = 0, shortest = SIZE_MAX, longest = 0;

    build(text);
    for (size_t i = 0; i < workload.n; i++) {
        if (!workload_is_bad(&workload, &workload.packets[i]))
            continue;
        assert_ptr_equal(workload.packets[i].to, &bad.addresses[found % bad.count]);
        if (found > 0) {
            shortest = i - last < shortest ? i - last : shortest;
            longest = i - last > longest ? i - last : longest;
        }
        last = i;
        found++;
    }
    assert_int_equal(found, count);
    assert_int_equal(workload.bad, count);
    if (count > 1)
        assert_in_range(shortest, 100 / specs.list->parameter, longest);
    assert_true(longest <= 100 / specs.list->parameter + 1);
    expect_numbered_payloads();
}

static void so_many_in_a_hundred_are_bad_and_spread_evenly(void **state)
{
    (void)state;
    expect_bad("W7", 6);
    expect_bad("W7:10:W2", 25);
    expect_bad("W7:50", 32);
    expect_bad("W7:33:W2", 84);
    expect_bad("W7:99:W2", 253);
    expect_bad("W7:100", 64);
    expect_bad("W7:100:W2", 256);
    assert_int_equal(workload.bytes, 0);
}

static void one_at_least_is_bad_and_stands_among_the_good(void **state)
{
    (void)state;
    expect_bad("W7:1", 1);
    assert_true(workload_is_bad(&workload, &workload.packets[32]));
    assert_int_equal(workload.bytes, 63 * 1228);
    expect_bad("W7:1:W2", 2);
}

static void the_good_of_a_spoilt_workload_are_those_of_its_base(void **state)
{
    (void)state;
    build("W7:10:W2");
    for (size_t i = 0; i < workload.n; i++) {
        if (workload_is_bad(&workload, &workload.packets[i]))
            continue;
        assert_int_equal(target_of(i), i % 2 == 0 ? 0 : 1 + i / 2);
        assert_int_equal(workload.packets[i].len, i < 128 ? 1203 : 1228);
    }
}

static void expect_words(const char *text, const char *words)
{
    char described[WORKLOAD_TEXT];
    const struct workload_spec *spec = build(text);
    workload_describe(&workload, spec, described);
    if (strstr(described, words) == NULL)
        fail_msg("%s: \"%s\" does not say \"%s\"", text, described, words);
}

static void what_has_one_target_is_for_one_receiver(void **state)
{
    static const char *const one[] = { "W3", "W5", "W3:1..1024", "W1:1", "W6:1", "W4:1" };
    static const char *const many[] = { "W1", "W2", "W2:2", "W4", "W6", "W7:10:W2", "W8", "W1:2" };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(one); i++)
        for (size_t j = ask_for(one[i]); j-- > 0;)
            assert_true(workload_is_for_one(&specs.list[j]));
    for (size_t i = 0; i < COUNT_OF(many); i++) {
        ask_for(many[i]);
        assert_false(workload_is_for_one(&specs.list[0]));
    }
}

static void a_workload_is_told_in_words(void **state)
{
    (void)state;
    expect_words("W6", "32 payloads of 1228 bytes to 64 targets");
    expect_words("W1:1", "1 payload of 1228 bytes to 1 target");
    expect_words("W2", "256 payloads of 1203 and 1228 bytes");
    expect_words("W7", "6 bad (EAFNOSUPPORT, EACCES, EPERM)");
    expect_words("W7:100:W2", "256 bad (EAFNOSUPPORT, EACCES, EPERM)");
    expect_words("W8", "non-blocking, send buffer 64 KiB");
}

static int free_what_is_left(void **state)
{
    (void)state;
    workload_free(&workload);
    workload_specs_free(&specs);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_alone_takes_the_usual_parameter),
        cmocka_unit_test(a_number_behind_a_colon_is_the_parameter),
        cmocka_unit_test(a_name_may_be_written_small),
        cmocka_unit_test(what_is_spoilt_has_a_base),
        cmocka_unit_test(commas_stand_between_workloads_and_more_are_added),
        cmocka_unit_test(a_range_is_its_powers_of_two_and_its_ends),
        cmocka_unit_test(limits_belong_to_the_workload),
        cmocka_unit_test(bad_text_is_refused_with_a_reason),
        cmocka_unit_test(what_is_asked_for_twice_is_refused),
        cmocka_unit_test(text_of_any_length_is_refused_with_a_short_reason),
        cmocka_unit_test(every_workload_has_the_shape_that_its_sender_has),
        cmocka_unit_test(a_fan_out_goes_target_by_target),
        cmocka_unit_test(scattered_packets_go_each_to_its_own_target),
        cmocka_unit_test(every_second_packet_of_a_broadcast_goes_to_one_target),
        cmocka_unit_test(a_size_holds_for_every_payload),
        cmocka_unit_test(payloads_touch_only_if_they_are_to_be_contiguous),
        cmocka_unit_test(fewer_targets_are_used_in_turn),
        cmocka_unit_test(so_many_in_a_hundred_are_bad_and_spread_evenly),
        cmocka_unit_test(one_at_least_is_bad_and_stands_among_the_good),
        cmocka_unit_test(the_good_of_a_spoilt_workload_are_those_of_its_base),
        cmocka_unit_test(what_has_one_target_is_for_one_receiver),
        cmocka_unit_test(a_workload_is_told_in_words),
    };
    alarm(60);
    return cmocka_run_group_tests(tests, NULL, free_what_is_left);
}
