/* test_numbered.c: the header of numbered packets. */
#include "numbered.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct numbered sample = {
    .stream = 0x01020304,
    .number = UINT64_C(0x05060708090a0b0c),
    .total = UINT64_C(0x0d0e0f1011121314),
    .sent_ns = UINT64_C(0x15161718191a1b1c),
};

static void expect_same(const struct numbered *header, const struct numbered *expected)
{
    assert_int_equal(header->stream, expected->stream);
    assert_int_equal(header->number, expected->number);
    assert_int_equal(header->total, expected->total);
    assert_int_equal(header->sent_ns, expected->sent_ns);
}

static void a_header_is_in_network_byte_order(void **state)
{
    unsigned char bytes[NUMBERED_BYTES];

    (void)state;
    numbered_write(&sample, bytes);
    assert_memory_equal(bytes, "\xf5udp", 4);
    for (unsigned char i = 4; i < NUMBERED_BYTES; i++)
        assert_int_equal(bytes[i], i - 3);
}

static void what_is_written_is_read(void **state)
{
    const struct numbered table[] = {
        sample,
        { 0 },
        { .stream = UINT32_MAX, .number = UINT64_MAX, .total = 0, .sent_ns = UINT64_MAX },
        { .number = UINT64_MAX - 1, .total = UINT64_MAX },
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        unsigned char bytes[NUMBERED_BYTES + 1];
        struct numbered read;
        numbered_write(&table[i], bytes);
        assert_true(numbered_read(&read, bytes, NUMBERED_BYTES));
        expect_same(&read, &table[i]);
        assert_true(numbered_read(&read, bytes, sizeof bytes));
    }
}

static void a_stamp_changes_the_time_alone(void **state)
{
    unsigned char bytes[NUMBERED_BYTES];
    struct numbered read;

    (void)state;
    numbered_write(&sample, bytes);
    numbered_stamp(bytes, 42);
    assert_true(numbered_read(&read, bytes, sizeof bytes));
    assert_int_equal(read.sent_ns, 42);
    read.sent_ns = sample.sent_ns;
    expect_same(&read, &sample);
}

static void other_payloads_are_not_numbered(void **state)
{
    unsigned char bytes[NUMBERED_BYTES];
    struct numbered read;

    (void)state;
    numbered_write(&sample, bytes);
    assert_false(numbered_read(&read, bytes, NUMBERED_BYTES - 1));
    assert_false(numbered_read(&read, NULL, 0));
    for (size_t i = 0; i < 4; i++) {
        bytes[i] ^= 1;
        assert_false(numbered_read(&read, bytes, sizeof bytes));
        bytes[i] ^= 1;
    }
}

static void a_number_beyond_the_total_is_none(void **state)
{
    struct numbered header = { .number = 5, .total = 5 };
    unsigned char bytes[NUMBERED_BYTES];
    struct numbered read;

    (void)state;
    numbered_write(&header, bytes);
    assert_false(numbered_read(&read, bytes, sizeof bytes));
    header.total = 6;
    numbered_write(&header, bytes);
    assert_true(numbered_read(&read, bytes, sizeof bytes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_is_in_network_byte_order),
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(a_stamp_changes_the_time_alone),
        cmocka_unit_test(other_payloads_are_not_numbered),
        cmocka_unit_test(a_number_beyond_the_total_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
