/* test_json_send.c: what was sent, for programs: as many targets as may have refused, the memory is
 * that of one. */
#include "cli.h"

#include "json_send.h"

#include <errno.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "address.h"

enum { MANY = 20000, MEMORY_MOST = 32 * 1024 };

/* ---- Memory that is counted ------------------------------------------------------------------ */

/* In front of each allocation. */
union head {
    size_t size;
    max_align_t align;
};

static size_t in_use, in_use_most, room;

static void *counted_malloc(size_t size)
{
    union head *head = in_use + size <= room ? malloc(sizeof *head + size) : NULL;
    if (head == NULL)
        return NULL;
    head->size = size;
    in_use += size;
    in_use_most = in_use > in_use_most ? in_use : in_use_most;
    return head + 1;
}

static void counted_free(void *memory)
{
    union head *head = memory;
    if (head == NULL)
        return;
    in_use -= head[-1].size;
    free(head - 1);
}

/* ---- What is printed ------------------------------------------------------------------------- */

/* Prints into a file in the place of standard output; returns what it is as JSON, NULL for none. */
static json_t *print(const struct refusals *refusals, size_t memory, bool *done)
{
    const struct send_result result = { .targets = 1, .refusals = refusals, .ended = true };
    FILE *file = tmpfile();
    const int before = dup(STDOUT_FILENO);

    assert_non_null(file);
    fflush(stdout);
    dup2(fileno(file), STDOUT_FILENO);
    json_set_alloc_funcs(counted_malloc, counted_free);
    room = memory;
    in_use_most = 0;
    *done = json_send(&result);
    assert_int_equal(in_use, 0);
    json_set_alloc_funcs(malloc, free);
    fflush(stdout);
    dup2(before, STDOUT_FILENO);
    close(before);
    rewind(file);
    json_t *printed = json_loadf(file, 0, NULL);
    fclose(file);
    return printed;
}

static struct refusals refusals_of(size_t n)
{
    struct refusals refusals = { 0 };
    for (size_t i = 0; i < n; i++) {
        const union udpbatch_addr target = address_in4((uint32_t)i, 9);
        refusals_note(&refusals, &target, i % 2 == 0 ? EPERM : ENETUNREACH);
    }
    return refusals;
}

static void expect_refusals(size_t n, size_t memory)
{
    struct refusals refusals = refusals_of(n);
    bool done;
    json_t *printed = print(&refusals, memory, &done);
    const json_t *rows = json_object_get(printed, "refusals");

    assert_true(done);
    assert_true(json_is_array(rows));
    assert_int_equal(json_array_size(rows), n);
    for (size_t i = 0; i < n; i++) {
        const json_t *row = json_array_get(rows, i);
        assert_int_equal(json_integer_value(json_object_get(row, "errno")),
                         i % 2 == 0 ? EPERM : ENETUNREACH);
        assert_true(json_is_string(json_object_get(row, "target")));
    }
    assert_true(json_is_false(json_object_get(printed, "interrupted")));
    json_decref(printed);
    refusals_free(&refusals);
}

static void none_is_an_empty_array(void **state)
{
    (void)state;
    expect_refusals(0, SIZE_MAX);
}

static void each_refusal_is_an_object(void **state)
{
    (void)state;
    expect_refusals(3, SIZE_MAX);
}

static void a_great_many_take_the_memory_of_one(void **state)
{
    (void)state;
    expect_refusals(MANY, MEMORY_MOST);
    assert_in_range(in_use_most, 1, MEMORY_MOST);
}

/* Of every amount that is too little. */
static void without_memory_it_says_so(void **state)
{
    struct refusals refusals = refusals_of(3);
    bool done = false;

    (void)state;
    for (size_t memory = 0; !done && memory < MEMORY_MOST; memory += 16) {
        json_t *printed = print(&refusals, memory, &done);
        assert_true(!done || json_array_size(json_object_get(printed, "refusals")) == 3);
        json_decref(printed);
    }
    assert_true(done);
    refusals_free(&refusals);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(none_is_an_empty_array),
        cmocka_unit_test(each_refusal_is_an_object),
        cmocka_unit_test(a_great_many_take_the_memory_of_one),
        cmocka_unit_test(without_memory_it_says_so),
    };
    return cmocka_run_group_tests_name("json_send", tests, NULL, NULL);
}
