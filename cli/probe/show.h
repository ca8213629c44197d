/* show.h: the answers, for people or for programs. */
#ifndef PROBE_SHOW_H
#define PROBE_SHOW_H

#include <stdio.h>

#include "question.h"

/* A table in lines of so many columns, but for commands, which are not broken: somebody copies
 * them.
 */
void show_table(FILE *out, const struct subject *subject, const struct answers *answers,
                size_t columns);

/* One object in one line on stdout. Returns false if there is no memory for it. */
bool show_json(const struct subject *subject, const struct answers *answers);

/* How wide stdout is. */
size_t show_columns(void);

#endif
