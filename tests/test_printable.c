/* test_printable.c: of text from elsewhere a terminal gets nothing but characters. */
#include "printable.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "chance.h"

static void expect_len(const char *bytes, size_t len, const char *also, const char *shown)
{
    char text[64];
    memcpy(text, bytes, len);
    printable_make(text, len, true, also);
    assert_int_equal(len, strlen(shown));
    assert_memory_equal(text, shown, len);
}

static void expect(const char *bytes, const char *shown)
{
    expect_len(bytes, strlen(bytes), "", shown);
}

static void text_stays_as_it_is(void **state)
{
    (void)state;
    expect("Hello, world ~", "Hello, world ~");
    expect("gr\xc3\xbc\xc3\x9f\x65 \xe2\x82\xac \xf0\x9f\x8c\x8d \xef\xbf\xbd",
           "gr\xc3\xbc\xc3\x9f\x65 \xe2\x82\xac \xf0\x9f\x8c\x8d \xef\xbf\xbd");
    expect("\xc2\xa0 \xed\x9f\xbf \xee\x80\x80 \xf4\x8f\xbf\xbf",
           "\xc2\xa0 \xed\x9f\xbf \xee\x80\x80 \xf4\x8f\xbf\xbf");
}

static void control_characters_do_not(void **state)
{
    (void)state;
    expect("\033]0;title\a\033[2J", "?]0;title??[2J");
    expect("\r\n\t\b\x7f", "?????");
    expect_len("a\0b", 3, "", "a?b");
    expect("\x9b\x31m", "?1m");           /* CSI of ISO 8859-1 */
    expect("\xc2\x9b\x31m", "??1m");      /* the same in UTF-8 */
    expect("\xe0\x82\x9b\x31m", "???1m"); /* and longer than it need be */
    expect("\xf0\x80\x82\x9b", "????");
}

static void those_that_are_wanted_stay(void **state)
{
    (void)state;
    expect_len("a\n\tb\r\0c", 7, "\n\t", "a\n\tb??c");
}

static void what_is_no_utf_8_does_not(void **state)
{
    (void)state;
    expect("\xfc\xff\xc0\xaf", "????");
    expect("\xed\xa0\x80", "???");      /* a surrogate */
    expect("\xf4\x90\x80\x80", "????"); /* beyond U+10FFFF */
    expect("\xe2\x82", "??");           /* cut off */
    expect("\xe2\x82z\xe2z", "??z?z");
    expect("\xf0\x9f\x8cz", "???z");
}

/* Whatever set of characters a terminal has, this much of it is the same. */
static void without_utf_8_there_is_ascii_alone(void **state)
{
    (void)state;
    char text[] = "gr\xc3\xbc\xc3\x9f\x65 \xc3\x9b\x31m\tA~\xa0";
    printable_make(text, sizeof text - 1, false, "\t");
    assert_string_equal(text, "gr????e ??1m\tA~?");
}

/* Whatever the bytes: no byte below a blank is left, and what is made once is not made again. */
static void of_any_bytes_nothing_but_text_is_left(void **state)
{
    (void)state;
    for (int round = 0; round < 20000; round++) {
        char text[32], again[32];
        const size_t len = below(sizeof text + 1);
        const bool utf_8 = one_in(2);
        for (size_t i = 0; i < len; i++)
            text[i] = (char)(one_in(3) ? below(256) : 0x80 + below(64));
        printable_make(text, len, utf_8, "");
        memcpy(again, text, len);
        printable_make(again, len, utf_8, "");
        assert_memory_equal(text, again, len);
        for (size_t i = 0; i < len; i++)
            assert_true((unsigned char)text[i] >= ' ' && text[i] != '\x7f' &&
                        (utf_8 || (unsigned char)text[i] < 0x80));
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_stays_as_it_is),
        cmocka_unit_test(control_characters_do_not),
        cmocka_unit_test(those_that_are_wanted_stay),
        cmocka_unit_test(what_is_no_utf_8_does_not),
        cmocka_unit_test(without_utf_8_there_is_ascii_alone),
        cmocka_unit_test(of_any_bytes_nothing_but_text_is_left),
    };
    chance_begin();
    return cmocka_run_group_tests_name("printable", tests, NULL, NULL);
}
