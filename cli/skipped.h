/* skipped.h: what of a capture was not sent, in words. */
#ifndef SKIPPED_H
#define SKIPPED_H

#include "capture_source.h"

enum { SKIPPED_REASONS = 5 };

/* The reason in a word; and whether it takes a payload from the receiver, which is to be known. */
struct skipped_row {
    const char *word;
    uint64_t count;
    bool is_loss;
};

void skipped_list(const struct capture_skipped *skipped, struct skipped_row rows[SKIPPED_REASONS]);

enum { SKIPPED_TEXT = 192 };

/* "2 fragments, 1 truncated": losses alone, or all. Empty if there are none. Returns text. */
const char *skipped_write(const struct capture_skipped *skipped, bool only_losses,
                          char text[SKIPPED_TEXT]);

#endif
