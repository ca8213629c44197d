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

/* The map has to have its family. */
bool send_source_open(union send_source *source, const struct send_settings *settings,
                      struct reason *reason);

void send_source_close(union send_source *source);

/* What was skipped of a capture; NULL if it is none. */
const struct capture_skipped *send_source_skipped(const union send_source *source,
                                                  const struct send_settings *settings);

#endif
