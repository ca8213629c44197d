/* capture_source.c: the payloads of the UDP datagrams in a capture, when they are due. */
#include "capture_source.h"

#ifdef HAVE_LIBPCAP

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "capture_reader.h"
#include "clock.h"
#include "schedule.h"

struct capture_reading {
    struct capture_reader reader;
    struct schedule schedule;
    struct capture_batch *batch; /* payloads[next .. count) are to be cut */
    size_t next;
};

static struct capture_source *capture_of(struct source *source)
{
    return (struct capture_source *)source;
}

static bool is_used_up(const struct capture_reading *reading)
{
    return reading->next == reading->batch->count;
}

static uint64_t due_ns(struct capture_reading *reading, uint64_t now_ns)
{
    return schedule_due_ns(&reading->schedule, reading->batch->captured_ns[reading->next], now_ns);
}

static void wait_until_due(struct capture_reading *reading, int timeout_ms)
{
    const uint64_t most_ns = (uint64_t)timeout_ms * NS_PER_MS;
    const uint64_t now_ns = clock_now_ns();
    const uint64_t due = due_ns(reading, now_ns);

    if (due > now_ns)
        clock_sleep_ns(due - now_ns < most_ns ? due - now_ns : most_ns);
}

static void get_more(struct capture_source *capture, int timeout_ms)
{
    struct capture_reading *reading = capture->reading;

    switch (capture_reader_next(&reading->reader, &reading->batch, timeout_ms)) {
    case CAPTURE_MORE:
        reading->next = 0;
        break;
    case CAPTURE_END:
        capture->source.ended = true;
        capture->source.taken = capture->source.length;
        break;
    case CAPTURE_FAILED:
        capture->source.error = EIO;
        break;
    case CAPTURE_NOTHING:
        break;
    }
    capture->skipped = capture_reader_skipped(&reading->reader);
}

static void fill(struct source *source, int timeout_ms)
{
    struct capture_source *capture = capture_of(source);

    if (is_used_up(capture->reading))
        get_more(capture, timeout_ms);
    else
        wait_until_due(capture->reading, timeout_ms);
}

static size_t cut(struct source *source, struct udpbatch_packet *payloads, size_t n)
{
    struct capture_reading *reading = capture_of(source)->reading;
    const uint64_t now_ns = clock_now_ns();
    size_t i = 0;

    for (; i < n && !is_used_up(reading) && due_ns(reading, now_ns) <= now_ns; i++) {
        source->taken = reading->batch->position[reading->next];
        payloads[i] = reading->batch->payloads[reading->next++];
    }
    source->count += i;
    return i;
}

static uint64_t left(const struct source *source)
{
    struct capture_reading *reading = ((const struct capture_source *)source)->reading;
    return reading->batch->count - reading->next + capture_reader_waiting(&reading->reader);
}

static void explain(const struct source *source, struct reason *reason)
{
    capture_reader_explain(&((const struct capture_source *)source)->reading->reader, reason);
}

static void close_capture(struct source *source)
{
    struct capture_reading *reading = capture_of(source)->reading;

    if (reading == NULL)
        return;
    capture_reader_close(&reading->reader);
    free(reading->batch);
    free(reading);
    capture_of(source)->reading = NULL;
}

bool capture_is_built_in(void)
{
    return true;
}

static bool open_reading(struct capture_reading *reading, const struct capture_settings *settings,
                         struct reason *reason)
{
    schedule_begin(&reading->schedule, settings->speed);
    if (!capture_reader_open(&reading->reader, settings, reason))
        return false;
    reading->batch = calloc(1, sizeof *reading->batch);
    return reading->batch != NULL || reason_give(reason, "%s", words_of_error(ENOMEM));
}

bool capture_source_open(struct capture_source *capture, const struct capture_settings *settings,
                         struct reason *reason)
{
    static const struct source_kind kind = {
        .fill = fill, .cut = cut, .left = left, .explain = explain, .close = close_capture
    };
    struct capture_reading *reading = calloc(1, sizeof *reading);

    *capture = (struct capture_source){ .source = { .kind = &kind }, .reading = reading };
    if (reading == NULL)
        return reason_give(reason, "%s", words_of_error(ENOMEM));
    capture->source.addressed = settings->map != NULL;
    if (!open_reading(reading, settings, reason)) {
        close_capture(&capture->source);
        return false;
    }
    capture->source.name = reading->reader.file.name;
    capture->source.length = reading->reader.file.length;
    return true;
}

bool capture_source_begin(struct capture_source *capture, struct reason *reason)
{
    return capture_reader_begin(&capture->reading->reader, reason);
}

#else

bool capture_is_built_in(void)
{
    return false;
}

bool capture_source_open(struct capture_source *capture, const struct capture_settings *settings,
                         struct reason *reason)
{
    (void)settings;
    *capture = (struct capture_source){ 0 };
    return reason_give(reason, "this udpbatch was built without libpcap");
}

bool capture_source_begin(struct capture_source *capture, struct reason *reason)
{
    (void)capture;
    (void)reason;
    return false;
}

#endif
