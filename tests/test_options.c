/* test_options.c: the tables of options are such that the parser, --help, the manual and the
 * shells' completions can be made of them; and the manual's list is made as mdoc.h says. */
#include "mdoc.h"

#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- The tables ----------------------------------------------------------------------------- */

typedef void row_check(const struct command *command, const struct option_row *row);

static void for_each_row(row_check *check)
{
    for (size_t i = 0; commands[i] != NULL; i++) {
        for (const struct option_row *row = commands[i]->rows; row->name != NULL; row++)
            check(commands[i], row);
        check(commands[i], &help_row);
    }
}

/* So that a failure names the row. */
#define expect(what, command, row)                                                                 \
    do {                                                                                           \
        if (!(what))                                                                               \
            fail_msg("%s --%s: %s", (command)->name, (row)->name, #what);                          \
    } while (0)

static void expect_unique(const struct command *command, const struct option_row *row)
{
    const struct option_row *other = command->rows;
    for (; row != &help_row && other != row; other++) {
        expect(strcmp(other->name, row->name) != 0, command, row);
        expect(other->letter != row->letter || row->letter == '\0', command, row);
    }
    expect(row == &help_row || strcmp(row->name, help_row.name) != 0, command, row);
    expect(row == &help_row || row->letter != help_row.letter, command, row);
}

static void every_name_and_letter_is_there_once(void **state)
{
    (void)state;
    for_each_row(expect_unique);
}

static void expect_sentences(const struct command *command, const struct option_row *row)
{
    const char *detail = row->detail;
    expect(detail != NULL, command, row);
    expect(strlen(detail) > 1 && detail[strlen(detail) - 1] == '.', command, row);
    expect(strstr(detail, "  ") == NULL && strchr(detail, '\n') == NULL, command, row);
}

static void every_option_has_its_text_for_the_manual(void **state)
{
    (void)state;
    for_each_row(expect_sentences);
}

static void expect_few_words(const struct command *command, const struct option_row *row)
{
    expect(row->help != NULL && row->help[0] != '\0', command, row);
    expect(row->help[strlen(row->help) - 1] != '.', command, row);
}

static void what_help_says_is_no_sentence(void **state)
{
    (void)state;
    for_each_row(expect_few_words);
}

static void an_option_without_an_argument_or_a_setter_makes_a_bool_true(void **state)
{
    (void)state;
    for (size_t i = 0; commands[i] != NULL; i++)
        for (const struct option_row *row = commands[i]->rows; row->name != NULL; row++)
            expect(row->set != NULL || row->argument == NULL, commands[i], row);
}

static void a_table_is_no_longer_than_the_parser_takes(void **state)
{
    (void)state;
    for (size_t i = 0; commands[i] != NULL; i++) {
        size_t count = 0;
        while (commands[i]->rows[count].name != NULL)
            count++;
        assert_in_range(count, 0, OPTION_ROWS_MAX);
    }
}

/* ---- --help --------------------------------------------------------------------------------- */

/* Has --help printed into the file, instead of standard output. */
static void print_help_into(FILE *file, const struct command *command)
{
    char name[] = "udpbatch", option[] = "--help";
    char *arguments[] = { name, option, NULL };
    int kept = dup(STDOUT_FILENO);

    fflush(stdout);
    dup2(fileno(file), STDOUT_FILENO);
    optind = 0; /* glibc begins anew */
    assert_int_equal(command->run(2, arguments), STATUS_DONE);
    fflush(stdout);
    dup2(kept, STDOUT_FILENO);
    close(kept);
    rewind(file);
}

static void help_fits_in_80_columns(void **state)
{
    (void)state;
    for (size_t i = 0; commands[i] != NULL; i++) {
        char line[256] = "";
        FILE *file = tmpfile();
        assert_non_null(file);
        print_help_into(file, commands[i]);
        while (fgets(line, sizeof line, file) != NULL)
            if (strcspn(line, "\n") > 80)
                fail_msg("%s --help: more than 80 columns: %s", commands[i]->name, line);
        assert_int_not_equal(line[0], '\0');
        fclose(file);
    }
}

/* ---- mdoc ----------------------------------------------------------------------------------- */

static const struct option_row rows[] = {
    { "to", 't', "HOST:PORT", "", "", NULL, 0 },
    { "backend", 0, "BACKEND", "", "", NULL, 0 },
    { "mode", 0, "auto|copy", "", "", NULL, 0 },
    { "quiet", 'q', NULL, "", "", NULL, 0 },
    { 0 },
};

/* The list of those above with a text for --quiet, without the items before and after it. */
static void expect_mdoc(const char *detail, const char *expected)
{
    const char *const item = ".It Fl q , Fl Fl quiet\n", *const end = ".It Fl h , Fl Fl help\n";
    struct option_row with_detail[sizeof rows / sizeof rows[0]];
    const struct command command = { .name = "test", .rows = with_detail };
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);

    memcpy(with_detail, rows, sizeof rows);
    with_detail[3].detail = detail;
    assert_non_null(file);
    mdoc_write_options(&command, file);
    fclose(file);
    char *from = strstr(text, item);
    assert_non_null(from);
    from += strlen(item);
    char *to = strstr(from, end);
    assert_non_null(to);
    *to = '\0';
    assert_string_equal(from, expected);
    free(text);
}

static void an_item_begins_with_all_that_can_be_typed(void **state)
{
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);
    const struct command command = { .name = "test", .rows = rows };

    (void)state;
    assert_non_null(file);
    mdoc_write_options(&command, file);
    fclose(file);
    assert_string_equal(text, ".Bl -tag -width Ds\n"
                              ".It Fl t , Fl Fl to Ar HOST:PORT\n"
                              ".It Fl Fl backend Ar BACKEND\n"
                              ".It Fl Fl mode Cm auto Ns | Ns Cm copy\n"
                              ".It Fl q , Fl Fl quiet\n"
                              ".It Fl h , Fl Fl help\n"
                              "Show help.\n"
                              ".El\n");
    free(text);
}

static void a_sentence_begins_a_line(void **state)
{
    (void)state;
    expect_mdoc("Say 0.5. And more, e: twice! (Or not.) Never.",
                "Say 0.5.\nAnd more, e: twice!\n(Or not.)\nNever.\n");
}

static void a_long_sentence_has_lines_of_100_columns(void **state)
{
    (void)state;
    expect_mdoc("Nine12345 Nine12345 Nine12345 Nine12345 Nine12345 Nine12345 Nine12345 Nine12345 "
                "Nine12345 Ten1234567 next.",
                "Nine12345 Nine12345 Nine12345 Nine12345 Nine12345 Nine12345 Nine12345 Nine12345 "
                "Nine12345 Ten1234567\nnext.\n");
}

static void an_argument_is_known_by_its_name_or_a_part_of_it(void **state)
{
    (void)state;
    expect_mdoc("To HOST:PORT, or HOST, or :PORT.",
                "To\n.Ar HOST:PORT ,\nor\n.Ar HOST ,\nor\n.Ar :PORT .\n");
    expect_mdoc("A HOSTS or UDP or `PORT` is.", "A HOSTS or UDP or\n.Ar PORT\nis.\n");
    expect_mdoc("It is HOST's own.", "It is\n.Ar HOST Ns 's\nown.\n");
}

static void an_option_is_known_by_its_dashes(void **state)
{
    (void)state;
    expect_mdoc("Excludes --to and -t (--mode).",
                "Excludes\n.Fl Fl to\nand\n.Fl t\n.No ( Ns Fl Fl mode ) .\n");
    expect_mdoc("A - is no option, nor is -x.", "A - is no option, nor is -x.\n");
}

static void a_word_that_an_option_takes_goes_with_it(void **state)
{
    (void)state;
    expect_mdoc("With --backend xdp: so.", "With\n.Fl Fl backend Cm xdp :\nso.\n");
    expect_mdoc("With --mode copy, --mode is.", "With\n.Fl Fl mode Cm copy ,\n.Fl Fl mode\nis.\n");
    expect_mdoc("It is `auto`.", "It is\n.Cm auto .\n");
}

static void what_is_typed_stays_together(void **state)
{
    (void)state;
    expect_mdoc("Say `a b`, `-`, `.`, `Op`, `x`s.",
                "Say\n.Li \"a b\" ,\n.Li - ,\n.Li \\&. ,\n.Li \\&Op ,\n.Li x Ns s .\n");
}

static void pages_sections_and_constants_are_marked(void **state)
{
    (void)state;
    expect_mdoc("See \"Back ends\".", "See\n.Sx Back ends .\n");
    expect_mdoc("See send(2), and SO_BROADCAST (udpbatch_xdp(3)). SIGUSR1.",
                "See\n.Xr send 2 ,\nand\n.Dv SO_BROADCAST\n.No ( Ns Xr udpbatch_xdp 3 ) .\n"
                ".Dv SIGUSR1 .\n");
}

static void nothing_is_a_macro_by_accident(void **state)
{
    (void)state;
    expect_mdoc(".svg \\ and `a\\b\"c`. 'x'.", "\\&.svg \\e and\n.Li a\\eb\\(dqc .\n\\&'x'.\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_name_and_letter_is_there_once),
        cmocka_unit_test(every_option_has_its_text_for_the_manual),
        cmocka_unit_test(what_help_says_is_no_sentence),
        cmocka_unit_test(an_option_without_an_argument_or_a_setter_makes_a_bool_true),
        cmocka_unit_test(a_table_is_no_longer_than_the_parser_takes),
        cmocka_unit_test(help_fits_in_80_columns),
        cmocka_unit_test(an_item_begins_with_all_that_can_be_typed),
        cmocka_unit_test(a_sentence_begins_a_line),
        cmocka_unit_test(a_long_sentence_has_lines_of_100_columns),
        cmocka_unit_test(an_argument_is_known_by_its_name_or_a_part_of_it),
        cmocka_unit_test(an_option_is_known_by_its_dashes),
        cmocka_unit_test(a_word_that_an_option_takes_goes_with_it),
        cmocka_unit_test(what_is_typed_stays_together),
        cmocka_unit_test(pages_sections_and_constants_are_marked),
        cmocka_unit_test(nothing_is_a_macro_by_accident),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
