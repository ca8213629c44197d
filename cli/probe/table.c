/* table.c: the answers as a table for people. */
#include "show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "units.h"

/* In less than NARROW columns the reason has lines of its own. In more than MOST it is no easier to
 * read. */
enum { COLUMNS_USUAL = 80, COLUMNS_LEAST = 20, COLUMNS_MOST = 100, NARROW = 60, GAP = 2 };

/* ---- The terminal ---------------------------------------------------------------------------- */

static size_t wished_columns(void)
{
    const char *variable = getenv("COLUMNS");
    uint64_t columns;
    if (variable != NULL && units_read_count(variable, 1, COLUMNS_MOST, &columns))
        return (size_t)columns;
    return COLUMNS_USUAL;
}

size_t show_columns(void)
{
    size_t columns = COLUMNS_USUAL;
    if (terminal_is(STDOUT_FILENO))
        columns = terminal_columns(STDOUT_FILENO);
    if (columns == 0)
        columns = wished_columns();
    if (columns > COLUMNS_MOST)
        return COLUMNS_MOST;
    return columns < COLUMNS_LEAST ? COLUMNS_LEAST : columns;
}

/* ---- Text ------------------------------------------------------------------------------------ */

/* A device's name may have anything in it, such as an escape sequence. */
static void print_safely(FILE *out, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        putc((unsigned char)text[i] < ' ' || text[i] == '\x7f' ? '?' : text[i], out);
}

/* Prints words from column `indent` on, where the cursor is. A word that is longer than there is
 * room for has a line of its own. */
static void print_wrapped(FILE *out, const char *text, size_t indent, size_t columns)
{
    size_t column = indent, len;

    for (; *text != '\0'; text += len + strspn(text + len, " ")) {
        len = strcspn(text, " ");
        if (column > indent && column + 1 + len > columns) {
            fprintf(out, "\n%*s", (int)indent, "");
            column = indent;
        } else if (column > indent) {
            putc(' ', out);
            column++;
        }
        print_safely(out, text, len);
        column += len;
    }
    putc('\n', out);
}

/* ---- The table ------------------------------------------------------------------------------- */

static const char *state_text(const struct answer *answer)
{
    static const char *const words[] = {
        [ANSWER_UNKNOWN] = "?", [ANSWER_NO] = "no", [ANSWER_YES] = "yes"
    };
    return answer->state == ANSWER_YES && answer->shown[0] != '\0' ? answer->shown
                                                                   : words[answer->state];
}

struct widths {
    size_t state, what, columns;
};

static struct widths measure(const struct answers *answers, size_t columns)
{
    struct widths widths = { .columns = columns };
    for (size_t i = 0; i < answers->count; i++) {
        size_t state = strlen(state_text(&answers->list[i]));
        size_t what = strlen(answers->list[i].what);
        widths.state = state > widths.state ? state : widths.state;
        widths.what = what > widths.what ? what : widths.what;
    }
    return widths;
}

static void print_wide(FILE *out, const struct answer *answer, const struct widths *widths)
{
    fprintf(out, "%-*s  %-*s  ", (int)widths->state, state_text(answer), (int)widths->what,
            answer->what);
    print_wrapped(out, answer->reason, widths->state + GAP + widths->what + GAP, widths->columns);
}

static void print_narrow(FILE *out, const struct answer *answer, const struct widths *widths)
{
    fprintf(out, "%-*s  %s\n%*s", (int)widths->state, state_text(answer), answer->what, GAP, "");
    print_wrapped(out, answer->reason, GAP, widths->columns);
}

static void print_answer(FILE *out, const struct answer *answer, const struct widths *widths)
{
    if (widths->columns < NARROW)
        print_narrow(out, answer, widths);
    else
        print_wide(out, answer, widths);
}

/* What one command changes often makes several answers in a row: it is shown behind the last. */
static bool remedy_ends(const struct answer *answer, const struct answer *next)
{
    return answer->remedy[0] != '\0' && (next == NULL || strcmp(answer->remedy, next->remedy) != 0);
}

void show_table(FILE *out, const struct subject *subject, const struct answers *answers,
                size_t columns)
{
    const struct widths widths = measure(answers, columns);

    for (size_t i = 0; i < answers->count; i++) {
        const struct answer *answer = &answers->list[i];
        print_answer(out, answer, &widths);
        if (remedy_ends(answer, i + 1 < answers->count ? answer + 1 : NULL))
            fprintf(out, "%*s%s\n", 2 * GAP, "", answer->remedy);
    }
    if (subject->interface == NULL && !subject_has_host(subject)) {
        putc('\n', out);
        print_wrapped(out,
                      "Not asked: the route and the device. Name them by --to HOST or"
                      " --interface INTERFACE.",
                      0, columns);
    }
}
