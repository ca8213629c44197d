/* numbered_source.c: packets made here, numbered, until there were enough. */
#include "numbered_source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "system.h"

static struct numbered_source *numbered_of(struct source *source)
{
    return (struct numbered_source *)source;
}

/* There is nothing to wait for. */
static void fill(struct source *source, int timeout_ms)
{
    (void)timeout_ms;
    source->ended = source->length > 0 && source->taken == source->length;
}

static size_t least(size_t a, uint64_t b)
{
    return a < b ? a : (size_t)b;
}

static size_t cut(struct source *source, struct udpbatch_packet *payloads, size_t n)
{
    struct numbered_source *numbered = numbered_of(source);
    size_t count = least(n, numbered->room);

    if (source->length > 0)
        count = least(count, source->length - source->taken);
    for (size_t i = 0; i < count; i++) {
        unsigned char *payload = numbered->buffer + i * source->size;
        numbered_write(&numbered->next, payload);
        numbered->next.number++;
        payloads[i] = (struct udpbatch_packet){ .data = payload, .len = (uint32_t)source->size };
    }
    source->taken += count;
    source->count += count;
    return count;
}

/* The payloads are in the buffer, which is not const. */
static void stamp(struct source *source, struct udpbatch_packet *packets, size_t n)
{
    unsigned char *buffer = numbered_of(source)->buffer;
    uint64_t now_ns = clock_time_of_day_ns();

    for (size_t i = 0; i < n; i++)
        if (packets[i].status == 0)
            numbered_stamp(buffer + ((const unsigned char *)packets[i].data - buffer), now_ns);
}

static uint64_t left(const struct source *source)
{
    return source->length > 0 ? source->length - source->taken : 0;
}

static void close_numbered(struct source *source)
{
    free(numbered_of(source)->buffer);
}

static const struct source_kind kind = {
    .fill = fill, .cut = cut, .stamp = stamp, .left = left, .close = close_numbered
};

/* 0, 1, 2 ... in each payload, by whatever it begins with. */
static bool fill_buffer(struct numbered_source *numbered, struct reason *reason)
{
    const size_t size = numbered->source.size;

    numbered->buffer = malloc(numbered->room * size);
    if (numbered->buffer == NULL)
        return reason_give(reason, "%s", words_of_error(ENOMEM));
    for (size_t i = 0; i < size; i++)
        numbered->buffer[i] = (unsigned char)i;
    for (size_t i = 1; i < numbered->room; i++)
        memcpy(numbered->buffer + i * size, numbered->buffer, size);
    return true;
}

bool numbered_source_open(struct numbered_source *numbered, size_t size, uint64_t count,
                          bool is_sure, struct reason *reason)
{
    /* Another stream for each run, so that a receiver does not take two for one. */
    *numbered = (struct numbered_source){
        .source = { .kind = &kind, .name = "numbered packets", .size = size, .length = count },
        .next = { .stream = process_random(), .total = is_sure ? count : 0 },
        .room = count > 0 ? least(NUMBERED_PAYLOADS, count) : NUMBERED_PAYLOADS,
    };
    return fill_buffer(numbered, reason);
}
