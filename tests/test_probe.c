/* test_probe.c: what udpbatch probe makes of answers, and of a device that lacks something.
 *
 * For that device it moves into a network namespace of its own. It needs root or user namespaces,
 * and ip; without, that test is skipped, or fails if CI is set.
 */
#include "cli.h"

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "own_space.h"
#include "probe/show.h"

/* ---- The table ------------------------------------------------------------------------------- */

/* With one host, so that all was asked. */
static const struct subject someone = {
    .to = { .in4 = { .sin_family = AF_INET } },
};

/* The table in so many columns; to be freed. */
static char *table_of(const struct answers *answers, size_t columns)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    show_table(out, &someone, answers, columns);
    fclose(out);
    return text;
}

static void check_table(const struct answers *answers, size_t columns, const char *expected)
{
    char *text = table_of(answers, columns);
    assert_string_equal(text, expected);
    free(text);
}

static void fill_answers(struct answers *answers)
{
    struct answer *answer = answers_add(answers, "one", "one thing");
    answer_show(answer, "128");
    answer_yes(answer, "is at most what it takes");
    answer = answers_add(answers, "other", "other");
    answer_no(answer, "it is off, which costs %d times as much as on", 3);
    answer_remedy(answer, "switch --the --other --thing on --and --do --not --break --this --line");
    answers_add(answers, "third", "third");
    answer_unknown(&answers->list[2], "who knows");
}

static void a_table_has_columns_and_unbroken_commands(void **state)
{
    struct answers answers = { .count = 0 };
    (void)state;
    fill_answers(&answers);
    check_table(&answers, 60,
                "128  one thing  is at most what it takes\n"
                "no   other      it is off, which costs 3 times as much as on\n"
                "    switch --the --other --thing on --and --do --not --break --this --line\n"
                "?    third      who knows\n");
}

static void a_reason_is_wrapped_to_its_column(void **state)
{
    struct answers answers = { .count = 0 };
    (void)state;
    answer_no(answers_add(&answers, "a", "what"),
              "it is off, which costs three times as much as it would when it was on");
    check_table(&answers, 60,
                "no  what  it is off, which costs three times as much as it\n"
                "          would when it was on\n");
}

static void a_narrow_table_has_reasons_in_lines_of_their_own(void **state)
{
    struct answers answers = { .count = 0 };
    (void)state;
    fill_answers(&answers);
    check_table(&answers, 30,
                "128  one thing\n"
                "  is at most what it takes\n"
                "no   other\n"
                "  it is off, which costs 3\n"
                "  times as much as on\n"
                "    switch --the --other --thing on --and --do --not --break --this --line\n"
                "?    third\n"
                "  who knows\n");
}

static void a_word_longer_than_the_line_has_one_of_its_own(void **state)
{
    struct answers answers = { .count = 0 };
    (void)state;
    answer_no(answers_add(&answers, "a", "a"), "by a-device-with-a-very-long-name it is off");
    check_table(&answers, 20,
                "no  a\n"
                "  by\n"
                "  a-device-with-a-very-long-name\n"
                "  it is off\n");
}

static void one_command_for_several_answers_is_shown_once(void **state)
{
    struct answers answers = { .count = 0 };
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct answer *answer = answers_add(&answers, "a", "a");
        answer_unknown(answer, "down");
        answer_remedy(answer, "bring up");
    }
    check_table(&answers, 60,
                "?  a  down\n"
                "?  a  down\n"
                "    bring up\n");
}

static void an_escape_sequence_does_not_reach_the_terminal(void **state)
{
    struct answers answers = { .count = 0 };
    (void)state;
    answer_yes(answers_add(&answers, "a", "a"), "by \x1b[1m");
    check_table(&answers, 60, "yes  a  by ?[1m\n");
}

/* ---- What answers have ----------------------------------------------------------------------- */

static void sizes_are_written_in_the_units_of_memory(void **state)
{
    static const struct {
        uint64_t bytes;
        const char *text;
    } sizes[] = {
        { 0, "0 B" },
        { 1023, "1023 B" },
        { 1024, "1 KiB" },
        { 1025, "1025 B" },
        { 212992, "208 KiB" },
        { 4 * 1024 * 1024, "4 MiB" },
        { UINT64_C(0xffffffff), "4 GiB" },
        { UINT64_MAX, "16 EiB" },
    };
    char text[SHOWN_TEXT];
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        assert_string_equal(answer_write_bytes(sizes[i].bytes, text), sizes[i].text);
}

static void a_device_named_as_a_command_is_in_none(void **state)
{
    static const char *const words[] = { "eth0", "eth0.1", "wlan0@if3", "br-lan", "en_p1:0" };
    static const char *const others[] = { "", "$(halt)", "a;b", "-rf", "a b", "a'b", "\x1b" };
    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        assert_true(answer_is_plain_word(words[i]));
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_false(answer_is_plain_word(others[i]));
}

static void answers_are_complete_unless_one_failed(void **state)
{
    struct answers answers = { .count = 0 };
    (void)state;
    answer_unknown(answers_add(&answers, "a", "a"), "not asked");
    assert_true(answers_are_complete(&answers));
    answer_fail(answers_add(&answers, "b", "b"), "cannot ask", EMFILE);
    assert_false(answers_are_complete(&answers));
}

/* ---- Trains ---------------------------------------------------------------------------------- */

static struct answer ask_of(question *ask, const struct subject *subject)
{
    struct answers answers = { .count = 0 };
    struct answer *answer = answers_add(&answers, "a", "a");
    ask(subject, answer);
    return *answer;
}

enum { LEVEL_UDP = 17, OPTION_SEGMENT = 103 };

static bool sends_train(int fd, size_t segments)
{
    static const char bytes[4096];
    const union udpbatch_addr discard = { .in4 = { .sin_family = AF_INET,
                                                   .sin_addr = { htonl(INADDR_LOOPBACK) },
                                                   .sin_port = htons(9) } };
    int segment = 1;
    assert_true(segments < sizeof bytes);
    return setsockopt(fd, LEVEL_UDP, OPTION_SEGMENT, &segment, sizeof segment) == 0 &&
           sendto(fd, bytes, segments, 0, &discard.sa, sizeof discard.in4) == (ssize_t)segments;
}

static void a_train_of_the_limit_leaves_and_no_longer_one(void **state)
{
    const struct answer answer = ask_of(ask_udp_segment, &someone);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    (void)state;
    if (answer.state == ANSWER_YES) {
        assert_string_equal(answer.figures[0].name, "segments");
        assert_true(sends_train(fd, (size_t)answer.figures[0].number));
        assert_false(sends_train(fd, (size_t)answer.figures[0].number + 1));
    } else {
        assert_false(sends_train(fd, 2));
    }
    close(fd);
}

/* ---- Offloads -------------------------------------------------------------------------------- */

static const struct subject with_device = { .device = { .name = "eth0" } };

static void an_offload_that_is_off_can_be_switched_on(void **state)
{
    struct subject subject = with_device;
    (void)state;
    subject.device.offloads[OFFLOAD_CHECKSUM] = OFFLOAD_OFF;
    struct answer answer = ask_of(ask_checksum, &subject);
    assert_int_equal(answer.state, ANSWER_NO);
    assert_string_equal(answer.remedy, "ethtool -K eth0 tx on");
}

static void unless_the_device_cannot_do_it(void **state)
{
    struct subject subject = with_device;
    (void)state;
    subject.device.offloads[OFFLOAD_CHECKSUM] = OFFLOAD_OFF;
    subject.device.is_fixed[OFFLOAD_CHECKSUM] = true;
    struct answer answer = ask_of(ask_checksum, &subject);
    assert_int_equal(answer.state, ANSWER_NO);
    assert_string_equal(answer.remedy, "");
}

static void an_offload_that_is_not_told_of_is_unknown(void **state)
{
    (void)state;
    assert_int_equal(ask_of(ask_scatter_gather, &with_device).state, ANSWER_UNKNOWN);
}

/* Nobody can switch off how loopback gathers (drivers/net/loopback.c), but for its segmentation. */
static void what_is_fixed_is_told(void **state)
{
    struct device device;
    (void)state;
    device_describe(&device, "lo");
    assert_true(device.is_fixed[OFFLOAD_SCATTER_GATHER]);
    assert_false(device.is_fixed[OFFLOAD_UDP_SEGMENTATION]);
}

static bool has_network(void)
{
    return (unshare(CLONE_NEWNET) == 0 || (become_root_of_own() && unshare(CLONE_NEWNET) == 0)) &&
           system("ip link add near type veth peer name far") == 0;
}

static void need_network(void)
{
    if (has_network())
        return;
    const char *ci = getenv("CI");
    print_message("cannot run here: a network of one's own\n");
    if (ci != NULL && ci[0] != '\0')
        fail();
    skip();
}

static void segmentation_is_seen_as_the_device_has_it(void **state)
{
    struct subject subject = { .interface = "near" };
    struct reason reason;

    (void)state;
    need_network();
    subject_complete(&subject);
    assert_int_equal(ask_of(ask_udp_segmentation, &subject).state, ANSWER_YES);
    assert_true(device_segmentation_off("near", &reason));
    subject_complete(&subject);
    struct answer answer = ask_of(ask_udp_segmentation, &subject);
    assert_int_equal(answer.state, ANSWER_NO);
    assert_string_equal(answer.remedy, "ethtool -K near tx-udp-segmentation on");
    assert_int_equal(ask_of(ask_scatter_gather, &subject).state, ANSWER_YES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_has_columns_and_unbroken_commands),
        cmocka_unit_test(a_reason_is_wrapped_to_its_column),
        cmocka_unit_test(a_narrow_table_has_reasons_in_lines_of_their_own),
        cmocka_unit_test(a_word_longer_than_the_line_has_one_of_its_own),
        cmocka_unit_test(one_command_for_several_answers_is_shown_once),
        cmocka_unit_test(an_escape_sequence_does_not_reach_the_terminal),
        cmocka_unit_test(sizes_are_written_in_the_units_of_memory),
        cmocka_unit_test(a_device_named_as_a_command_is_in_none),
        cmocka_unit_test(answers_are_complete_unless_one_failed),
        cmocka_unit_test(a_train_of_the_limit_leaves_and_no_longer_one),
        cmocka_unit_test(an_offload_that_is_off_can_be_switched_on),
        cmocka_unit_test(unless_the_device_cannot_do_it),
        cmocka_unit_test(an_offload_that_is_not_told_of_is_unknown),
        cmocka_unit_test(what_is_fixed_is_told),
        cmocka_unit_test(segmentation_is_seen_as_the_device_has_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
