/* text.h: the parts of fuzz_text.c. Each takes a text as it comes from a command line or a file. */
#ifndef TEXT_H
#define TEXT_H

#include "cli.h"
#include "complain.h"
#include "fuzz.h"

void try_numbers(const char *text);
void try_written_numbers(struct fuzz_input *input);
void try_addresses(const char *text);
void try_rules(char *text);                         /* one a line; the text is taken apart */
void try_target_list(const char *text, size_t len); /* a file, which may have NULs */

/* Who refuses says why: the reason is begun with `reason_begin`, and looked at with
 * `gave_reason`. Both return their argument. */
struct reason *reason_begin(struct reason *reason);
bool gave_reason(bool good, const struct reason *reason);

#endif
