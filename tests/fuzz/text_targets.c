/* text_targets.c: a file of targets, line by line. */
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "memory_file.h"
#include "scoped_address.h"
#include "targets.h"

/* What the file has by a second opinion. */
struct expected {
    struct targets targets;
    unsigned long bad_line; /* 0: none */
};

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r';
}

/* The text without comment and blanks. To be freed. */
static char *take_line(const char *line, size_t len)
{
    const char *comment = memchr(line, '#', len);

    len = comment != NULL ? (size_t)(comment - line) : len;
    for (; len > 0 && is_blank(line[len - 1]); len--)
        ;
    for (; len > 0 && is_blank(line[0]); len--)
        line++;
    char *text = strndup(line, len);
    require(text != NULL);
    return text;
}

static bool add_line(struct targets *targets, const char *line, size_t len)
{
    struct reason reason;

    if (memchr(line, '\0', len) != NULL)
        return false;
    char *text = take_line(line, len);
    const bool good = text[0] == '\0' || targets_add(targets, text, &reason);
    free(text);
    return good;
}

static struct expected expect(const char *text, size_t len)
{
    struct expected expected = { 0 };
    unsigned long number = 1;

    for (const char *end = text + len; text < end; number++) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *line_end = newline != NULL ? newline : end;
        if (!add_line(&expected.targets, text, (size_t)(line_end - text))) {
            expected.bad_line = number;
            break;
        }
        text = newline != NULL ? newline + 1 : end;
    }
    return expected;
}

static void expect_line_named(const char *name, unsigned long line, const char *reason)
{
    char begin[80];
    snprintf(begin, sizeof begin, "%s:%lu: ", name, line);
    require(strncmp(reason, begin, strlen(begin)) == 0);
}

static void expect_one_family(struct targets *targets)
{
    const int family = targets_choose_family(targets);
    for (size_t i = 0; i < targets->count; i++)
        require(targets->addresses[i].sa.sa_family == family);
}

void try_target_list(const char *text, size_t len)
{
    const char *name = memory_file(text, len);
    struct expected expected = expect(text, len);
    struct targets targets = { 0 };
    struct reason reason;
    FILE *file = targets_open_file(name, reason_begin(&reason));
    const bool good = gave_reason(targets_add_file(&targets, file, name, &reason), &reason);

    require(good == (expected.bad_line == 0) && targets.count == expected.targets.count);
    if (!good)
        expect_line_named(name, expected.bad_line, reason.text);
    for (size_t i = 0; i < targets.count; i++)
        require(same_scoped_address(&targets.addresses[i], &expected.targets.addresses[i]));
    expect_one_family(&targets);
    targets_free(&expected.targets);
    targets_free(&targets);
}
