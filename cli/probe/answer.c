/* answer.c: what the probe has found out. */
#include "answer.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct answer *answers_add(struct answers *answers, const char *name, const char *what)
{
    assert(answers->count < ANSWERS_MOST);
    struct answer *answer = &answers->list[answers->count++];
    *answer = (struct answer){ .state = ANSWER_UNKNOWN };
    snprintf(answer->name, sizeof answer->name, "%s", name);
    snprintf(answer->what, sizeof answer->what, "%s", what);
    return answer;
}

bool answers_are_complete(const struct answers *answers)
{
    for (size_t i = 0; i < answers->count; i++)
        if (answers->list[i].failed)
            return false;
    return true;
}

/* ---- State and reason ------------------------------------------------------------------------ */

__attribute__((format(printf, 3, 0))) static void give(struct answer *answer,
                                                       enum answer_state state, const char *format,
                                                       va_list arguments)
{
    answer->state = state;
    vsnprintf(answer->reason, sizeof answer->reason, format, arguments);
}

void answer_yes(struct answer *answer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    give(answer, ANSWER_YES, format, arguments);
    va_end(arguments);
}

void answer_no(struct answer *answer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    give(answer, ANSWER_NO, format, arguments);
    va_end(arguments);
}

void answer_unknown(struct answer *answer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    give(answer, ANSWER_UNKNOWN, format, arguments);
    va_end(arguments);
}

void answer_fail(struct answer *answer, const char *what, int error)
{
    answer->failed = true;
    answer_unknown(answer, "%s: %s", what, words_of_error(error));
}

/* A seccomp filter, as containers have it, answers with either of the first two. */
void answer_refused(struct answer *answer, const char *call, int error)
{
    switch (error) {
    case ENOSYS:
        answer_no(answer, "%s: this kernel does not have it, or a seccomp filter hides it", call);
        break;
    case EPERM:
        answer_no(answer, "%s is not permitted: a seccomp or packet filter refuses it", call);
        break;
    case ENOPROTOOPT:
        answer_no(answer, "%s: this kernel does not know the option", call);
        break;
    default:
        answer_no(answer, "%s: %s", call, words_of_error(error));
    }
}

/* ---- What goes with it ----------------------------------------------------------------------- */

void answer_show(struct answer *answer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(answer->shown, sizeof answer->shown, format, arguments);
    va_end(arguments);
}

void answer_remedy(struct answer *answer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(answer->remedy, sizeof answer->remedy, format, arguments);
    va_end(arguments);
}

bool answer_is_plain_word(const char *name)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789._:@%+-";
    return name[0] != '-' && name[0] != '\0' && name[strspn(name, plain)] == '\0';
}

static struct figure *add_figure(struct answer *answer, const char *name, enum figure_kind kind)
{
    assert(answer->figure_count < FIGURES_MOST);
    struct figure *figure = &answer->figures[answer->figure_count++];
    *figure = (struct figure){ .name = name, .kind = kind };
    return figure;
}

void answer_number(struct answer *answer, const char *name, uint64_t number)
{
    add_figure(answer, name, FIGURE_NUMBER)->number = number;
}

void answer_flag(struct answer *answer, const char *name, bool flag)
{
    add_figure(answer, name, FIGURE_FLAG)->number = flag;
}

void answer_text(struct answer *answer, const char *name, const char *text)
{
    snprintf(add_figure(answer, name, FIGURE_IS_TEXT)->text, FIGURE_TEXT, "%s", text);
}

const char *answer_write_bytes(uint64_t bytes, char text[SHOWN_TEXT])
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
    size_t unit = 0;
    /* To the nearest, as a ceiling of 212992 bytes is 208 KiB, and one of 4 GB - 1 is 4 GiB. */
    while (bytes / 1024 >= 10 || (bytes >= 1024 && bytes % 1024 == 0)) {
        bytes = bytes / 1024 + (bytes % 1024 >= 512);
        unit++;
    }
    snprintf(text, SHOWN_TEXT, "%" PRIu64 " %s", bytes, units[unit]);
    return text;
}
