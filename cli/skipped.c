/* skipped.c: what of a capture was not sent, in words. */
#include "skipped.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void skipped_list(const struct capture_skipped *skipped, struct skipped_row rows[SKIPPED_REASONS])
{
    const struct skipped_row all[SKIPPED_REASONS] = {
        { "other", skipped->other, false },        { "fragments", skipped->fragments, true },
        { "truncated", skipped->truncated, true }, { "damaged", skipped->damaged, true },
        { "unmapped", skipped->unmapped, true },
    };
    memcpy(rows, all, sizeof all);
}

const char *skipped_write(const struct capture_skipped *skipped, bool only_losses,
                          char text[SKIPPED_TEXT])
{
    struct skipped_row rows[SKIPPED_REASONS];
    int len = 0;

    text[0] = '\0';
    skipped_list(skipped, rows);
    for (size_t i = 0; i < SKIPPED_REASONS; i++)
        if (rows[i].count > 0 && (rows[i].is_loss || !only_losses))
            len += snprintf(text + len, (size_t)(SKIPPED_TEXT - len), "%s%" PRIu64 " %s",
                            len > 0 ? ", " : "", rows[i].count, rows[i].word);
    return text;
}
