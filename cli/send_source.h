/* send_source.h: what `udpbatch send` sends, of whatever kind. */
#ifndef SEND_SOURCE_H
#define SEND_SOURCE_H

#include "capture_source.h"
#include "file_source.h"
#include "numbered_source.h"
#include "send_options.h"

/* Zeroed, it is none. */
union send_source {
    struct source source;
    struct file_source file;
    struct numbered_source numbered;
    struct capture_source capture;
};

/* Opens what there is to open, and reads nothing of it. */
bool send_source_open(union send_source *source, const struct send_settings *settings,
                      struct reason *reason);

/* To be called before anything is taken: reads what a capture begins with, and waits for it. The
 * map has to have its family. */
bool send_source_begin(union send_source *source, const struct send_settings *settings,
                       struct reason *reason);

void send_source_close(union send_source *source);

/* What was skipped of a capture; NULL if it is none. */
const struct capture_skipped *send_source_skipped(const union send_source *source,
                                                  const struct send_settings *settings);

#endif
