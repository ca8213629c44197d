/* send_source.c: what `udpbatch send` sends, of whatever kind. */
#include "send_source.h"

#include "send_check.h"

/* Fits any path of IPv6 without fragments (1280 - 40 - 8), with room for a tunnel. */
enum { DEFAULT_SIZE = 1200 };

static bool open_capture(struct capture_source *capture, const struct send_settings *settings,
                         struct reason *reason)
{
    const struct capture_settings how = { .name = settings->common.capture,
                                          .speed = settings->speed,
                                          .map = settings->map.count > 0 ? &settings->map : NULL };
    return capture_source_open(capture, &how, reason);
}

bool send_source_open(union send_source *source, const struct send_settings *settings,
                      struct reason *reason)
{
    size_t size = settings->size != 0 ? (size_t)settings->size : DEFAULT_SIZE;

    if (settings->common.capture != NULL)
        return open_capture(&source->capture, settings, reason);
    if (send_is_numbered(settings))
        return numbered_source_open(&source->numbered, size, settings->common.count,
                                    settings->common.seconds <= 0, reason);
    return file_source_open(&source->file, settings->file, settings->common.lines, size, reason);
}

bool send_source_begin(union send_source *source, const struct send_settings *settings,
                       struct reason *reason)
{
    return settings->common.capture == NULL || capture_source_begin(&source->capture, reason);
}

void send_source_close(union send_source *source)
{
    if (source->source.kind != NULL)
        source->source.kind->close(&source->source);
}

const struct capture_skipped *send_source_skipped(const union send_source *source,
                                                  const struct send_settings *settings)
{
    return settings->common.capture != NULL ? &source->capture.skipped : NULL;
}
