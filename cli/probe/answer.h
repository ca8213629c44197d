/* answer.h: what the probe has found out. Filled in by questions, printed by whoever shows it. */
#ifndef PROBE_ANSWER_H
#define PROBE_ANSWER_H

#include "cli.h"
#include "complain.h"

enum answer_state {
    ANSWER_UNKNOWN, /* it could not be tried; the reason says why */
    ANSWER_NO,
    ANSWER_YES
};

enum {
    FIGURES_MOST = 6,
    FIGURE_TEXT = 64,
    NAME_TEXT = 32,
    SHOWN_TEXT = 12,
    REASON_TEXT = 320,
    REMEDY_TEXT = 160
};

enum figure_kind { FIGURE_NUMBER, FIGURE_FLAG, FIGURE_IS_TEXT };

struct figure {
    const char *name;
    enum figure_kind kind;
    uint64_t number; /* a flag is 0 or 1 */
    char text[FIGURE_TEXT];
};

struct answer {
    char name[NAME_TEXT];   /* for programs; never changes its meaning */
    char what[NAME_TEXT];   /* for people */
    char shown[SHOWN_TEXT]; /* in the place of "yes": "128", "4 MiB"; empty: none */
    enum answer_state state;
    char reason[REASON_TEXT];
    char remedy[REMEDY_TEXT]; /* the command that would change it; empty: none */
    struct figure figures[FIGURES_MOST];
    size_t figure_count;
    bool failed; /* unknown for an error that nobody expects, as no descriptor is left */
};

enum { ANSWERS_MOST = 48 };

struct answers {
    struct answer list[ANSWERS_MOST];
    size_t count;
};

/* The next answer, which is unknown so far. */
struct answer *answers_add(struct answers *answers, const char *name, const char *what);

/* Whether each question could be asked. */
bool answers_are_complete(const struct answers *answers);

/* Each gives the state, and the reason. */
__attribute__((format(PRINTF_STYLE, 2, 3))) void answer_yes(struct answer *answer,
                                                            const char *format, ...);
__attribute__((format(PRINTF_STYLE, 2, 3))) void answer_no(struct answer *answer,
                                                           const char *format, ...);
__attribute__((format(PRINTF_STYLE, 2, 3))) void answer_unknown(struct answer *answer,
                                                                const char *format, ...);

/* Unknown, as `what` failed with the error. */
void answer_fail(struct answer *answer, const char *what, int error);

/* No: a system call was refused with the error. */
void answer_refused(struct answer *answer, const char *call, int error);

/* What is shown instead of "yes". */
__attribute__((format(PRINTF_STYLE, 2, 3))) void answer_show(struct answer *answer,
                                                             const char *format, ...);

__attribute__((format(PRINTF_STYLE, 2, 3))) void answer_remedy(struct answer *answer,
                                                               const char *format, ...);

/* Whether a name can be a word of a command that somebody pastes into a shell: a device may be
 * named "$(halt)". */
bool answer_is_plain_word(const char *name);

/* Names are retained. */
void answer_number(struct answer *answer, const char *name, uint64_t number);
void answer_flag(struct answer *answer, const char *name, bool flag);
void answer_text(struct answer *answer, const char *name, const char *text);

/* "4 MiB", "208 KiB", "1000 B". Returns text. */
const char *answer_write_bytes(uint64_t bytes, char text[SHOWN_TEXT]);

#endif
