/* test_address_map.c: rules of --map are read or refused with a reason, and the first that fits
 * counts. */
#include "cli.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "address.h"
#include "address_map.h"

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

static void add(struct address_map *map, const char *rule)
{
    struct reason reason;
    if (!address_map_add(map, rule, &reason))
        fail_msg("%s: %s", rule, reason.text);
}

static union udpbatch_addr address_of(const char *text)
{
    union udpbatch_addr address;
    struct reason reason;
    if (!address_read_target(text, &address, &reason))
        fail_msg("%s: %s", text, reason.text);
    return address;
}

/* NULL: nowhere. */
static void expect_mapped(const struct address_map *map, const char *from, const char *to)
{
    const union udpbatch_addr captured = address_of(from);
    union udpbatch_addr found;
    char text[ADDRESS_TEXT];

    if (address_map_find(map, &captured, &found))
        assert_string_equal(address_write(&found, text), to != NULL ? to : "nowhere");
    else
        assert_null(to);
}

static void every_form_of_a_rule_maps(void **state)
{
    static const struct {
        const char *rule, *from, *to;
    } rows[] = {
        { "192.0.2.1=127.0.0.1", "192.0.2.1:53", "127.0.0.1:53" },
        { "192.0.2.1=127.0.0.1:9000", "192.0.2.1:53", "127.0.0.1:9000" },
        { "192.0.2.1:53=127.0.0.1", "192.0.2.1:53", "127.0.0.1:53" },
        { "192.0.2.1:53=[::1]:9000", "192.0.2.1:53", "[::1]:9000" },
        { "[2001:db8::1]=[::1]", "[2001:db8::1]:53", "[::1]:53" },
        { "[2001:db8::1]:53=127.0.0.1:9000", "[2001:db8::1]:53", "127.0.0.1:9000" },
        { "[::ffff:192.0.2.1]=127.0.0.1", "192.0.2.1:53", "127.0.0.1:53" },
        { "192.0.2.1=127.0.0.1", "[::ffff:192.0.2.1]:53", "127.0.0.1:53" },
        { ":53=127.0.0.1:9000", "192.0.2.1:53", "127.0.0.1:9000" },
        { ":53=127.0.0.1:9000", "[2001:db8::1]:53", "127.0.0.1:9000" },
        { "*:53=127.0.0.1:9000", "192.0.2.1:53", "127.0.0.1:9000" },
        { "*=127.0.0.1", "192.0.2.1:53", "127.0.0.1:53" },
        { "*=[::1]:9000", "192.0.2.1:53", "[::1]:9000" },
        { "192.0.2.1=127.0.0.1", "192.0.2.2:53", NULL },
        { "192.0.2.1:53=127.0.0.1", "192.0.2.1:54", NULL },
        { "192.0.2.1=127.0.0.1", "[2001:db8::1]:53", NULL },
        { "[2001:db8::1]=127.0.0.1", "[2001:db8::2]:53", NULL },
        { "0.0.0.0=127.0.0.1", "192.0.2.1:53", NULL },
        { "0.0.0.0=127.0.0.1", "[2001:db8::1]:53", NULL },
        { "[::]=127.0.0.1", "[2001:db8::1]:53", NULL },
        { ":53=127.0.0.1", "192.0.2.1:54", NULL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct address_map map = { 0 };
        add(&map, rows[i].rule);
        expect_mapped(&map, rows[i].from, rows[i].to);
        address_map_free(&map);
    }
}

/* Of which family is this machine's affair. */
static void a_target_can_have_a_name(void **state)
{
    struct address_map map = { 0 };

    (void)state;
    add(&map, "*=localhost:9000");
    add(&map, "*=localhost");
    address_map_free(&map);
}

static void the_first_rule_that_fits_counts(void **state)
{
    struct address_map map = { 0 };

    (void)state;
    add(&map, "192.0.2.1:53=127.0.0.1:1");
    add(&map, "192.0.2.1=127.0.0.1:2");
    add(&map, ":53=127.0.0.1:3");
    add(&map, "192.0.2.2:53=127.0.0.1:4");
    expect_mapped(&map, "192.0.2.1:53", "127.0.0.1:1");
    expect_mapped(&map, "192.0.2.1:54", "127.0.0.1:2");
    expect_mapped(&map, "192.0.2.2:53", "127.0.0.1:3");
    expect_mapped(&map, "192.0.2.2:54", NULL);
    address_map_free(&map);
}

static void a_map_without_rules_maps_nothing(void **state)
{
    const struct address_map map = { 0 };
    (void)state;
    expect_mapped(&map, "192.0.2.1:53", NULL);
}

static void what_is_no_rule_is_refused_with_its_reason(void **state)
{
    static const struct {
        const char *rule, *reason;
    } rows[] = {
        { "", "write FROM=TO" },
        { "192.0.2.1", "write FROM=TO" },
        { "=", "FROM is missing" },
        { "=127.0.0.1", "FROM is missing" },
        { "192.0.2.1=", "TO is missing" },
        { "192.0.2.1:0=127.0.0.1", "FROM: the port must be a number from 1 to 65535" },
        { "192.0.2.1:65536=127.0.0.1", "FROM: the port must be a number from 1 to 65535" },
        { "192.0.2.1:=127.0.0.1", "FROM: the port must be a number from 1 to 65535" },
        { ":=127.0.0.1", "FROM: the port must be a number from 1 to 65535" },
        { "*:x=127.0.0.1", "FROM: the port must be a number from 1 to 65535" },
        { "*=127.0.0.1:0", "TO: the port must be a number from 1 to 65535" },
        { "*=127.0.0.1:65536", "TO: the port must be a number from 1 to 65535" },
        { "*=127.0.0.1:-1", "TO: the port must be a number from 1 to 65535" },
        { "*=127.0.0.1:", "TO: the port must be a number from 1 to 65535" },
        { "*=:9000", "TO: the host is missing" },
        { "*=[]:9000", "TO: the host is missing" },
        { "localhost=127.0.0.1", "FROM: write an address in digits" },
        { "192.0.2=127.0.0.1", "FROM: write an address in digits" },
        { "192.0.2.256=127.0.0.1", "FROM: write an address in digits" },
        { "[192.0.2.1]=127.0.0.1", "FROM: write an address in digits" },
        { "[]=127.0.0.1", "FROM: write an address in digits" },
        { "[]:53=127.0.0.1", "FROM: write an address in digits" },
        { "[*]=127.0.0.1", "FROM: write an address in digits" },
        { "**=127.0.0.1", "FROM: write an address in digits" },
        { " *=127.0.0.1", "FROM: write an address in digits" },
        { "2001:db8::1=127.0.0.1", "FROM: write an IPv6 address in brackets" },
        { "*=::1", "TO: write an IPv6 address in brackets" },
        { "*=[127.0.0.1]:9000", "TO: " },
        { "*=127.0.0.1=127.0.0.1", "TO: " },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct address_map map = { 0 };
        struct reason reason = { "" };
        if (address_map_add(&map, rows[i].rule, &reason))
            fail_msg("%s was taken", rows[i].rule);
        if (strncmp(reason.text, rows[i].reason, strlen(rows[i].reason)) != 0)
            fail_msg("%s: %s", rows[i].rule, reason.text);
        assert_int_equal(map.count, 0);
        address_map_free(&map);
    }
}

static void nothing_is_no_pattern(void **state)
{
    union udpbatch_addr pattern;
    struct reason reason;

    (void)state;
    assert_false(address_read_pattern("", &pattern, &reason));
}

static void a_side_of_any_length_is_refused(void **state)
{
    static char rule[5000];
    struct address_map map = { 0 };
    struct reason reason;

    (void)state;
    memset(rule, 'x', sizeof rule - 1);
    assert_false(address_map_add(&map, rule, &reason));
    rule[sizeof rule / 2] = '=';
    assert_false(address_map_add(&map, rule, &reason));
    memcpy(rule, "*=", 2);
    assert_false(address_map_add(&map, rule, &reason));
    address_map_free(&map);
}

static void targets_of_ipv4_alone_need_a_socket_of_ipv4(void **state)
{
    struct address_map map = { 0 };

    (void)state;
    add(&map, "[2001:db8::1]=127.0.0.1:9000");
    add(&map, "*=127.0.0.1");
    assert_int_equal(address_map_choose_family(&map), AF_INET);
    assert_int_equal(map.rules[0].to.sa.sa_family, AF_INET);
    address_map_free(&map);
}

static void targets_of_both_families_are_mapped_for_one_socket(void **state)
{
    const union udpbatch_addr captured = address_of("192.0.2.1:53");
    struct address_map map = { 0 };
    union udpbatch_addr found;

    (void)state;
    add(&map, "192.0.2.1=127.0.0.1");
    add(&map, "*=[::1]:9000");
    assert_int_equal(address_map_choose_family(&map), AF_INET6);
    assert_true(address_map_find(&map, &captured, &found));
    assert_int_equal(found.sa.sa_family, AF_INET6);
    expect_mapped(&map, "192.0.2.1:53", "127.0.0.1:53");
    expect_mapped(&map, "192.0.2.2:53", "[::1]:9000");
    address_map_free(&map);
}

static void many_rules_are_kept(void **state)
{
    enum { RULES = 100000 };
    struct address_map map = { 0 };
    char rule[64];

    (void)state;
    for (unsigned i = 0; i < RULES; i++) {
        snprintf(rule, sizeof rule, "10.%u.%u.%u=127.0.0.1", i >> 16, i >> 8 & 255, i & 255);
        add(&map, rule);
    }
    assert_int_equal(map.count, RULES);
    expect_mapped(&map, "10.1.134.159:7", "127.0.0.1:7");
    expect_mapped(&map, "10.1.134.160:7", NULL);
    address_map_free(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_of_a_rule_maps),
        cmocka_unit_test(a_target_can_have_a_name),
        cmocka_unit_test(the_first_rule_that_fits_counts),
        cmocka_unit_test(a_map_without_rules_maps_nothing),
        cmocka_unit_test(what_is_no_rule_is_refused_with_its_reason),
        cmocka_unit_test(nothing_is_no_pattern),
        cmocka_unit_test(a_side_of_any_length_is_refused),
        cmocka_unit_test(targets_of_ipv4_alone_need_a_socket_of_ipv4),
        cmocka_unit_test(targets_of_both_families_are_mapped_for_one_socket),
        cmocka_unit_test(many_rules_are_kept),
    };
    return cmocka_run_group_tests_name("test_address_map", tests, NULL, NULL);
}
