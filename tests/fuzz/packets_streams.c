/* packets_streams.c: numbered packets, made and followed, against a list of all that came. */
#include "packets.h"

#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "numbered.h"
#include "numbered_source.h"
#include "scoped_address.h"
#include "streams.h"

/* ---- Headers -------------------------------------------------------------------------------- */

void try_numbered(struct fuzz_input *input)
{
    struct numbered header;
    unsigned char written[NUMBERED_BYTES];
    size_t len;
    unsigned char *payload = take_copy(input, input->left, &len);

    if (numbered_read(&header, payload, len)) {
        require(len >= NUMBERED_BYTES);
        require(header.total == 0 || header.number < header.total);
        numbered_write(&header, written);
        require(memcmp(written, payload, NUMBERED_BYTES) == 0);
    }
    free(payload);
}

/* ---- What comes ----------------------------------------------------------------------------- */

enum { SENDERS = 6, PACKETS_MOST = 300 };

/* All that came from one sender. */
struct sender {
    union udpbatch_addr from;
    uint32_t id;
    uint64_t numbers[PACKETS_MOST]; /* the distinct ones */
    uint64_t delays_ns[PACKETS_MOST];
    size_t delays;
    uint64_t received, distinct, duplicated, reordered, old, highest, total, stamped, too_soon;
};

/* They differ in one thing each. */
static void make_senders(struct sender senders[SENDERS])
{
    for (size_t i = 0; i < SENDERS; i++) {
        senders[i].from = address_in4(INADDR_LOOPBACK + (i == 1), (uint16_t)(9000 + (i == 2)));
        senders[i].id = i == 3;
        if (i >= 4)
            address_map(&senders[i].from);
        if (i == 5)
            senders[i].from.in6.sin6_scope_id = 1;
    }
}

/* Any number, or one close to the last. */
static uint64_t take_number(struct fuzz_input *input, uint64_t last)
{
    switch (take_below(input, 6)) {
    case 0:
        return take_64(input);
    case 1:
        return last + STREAM_WINDOW - 128 + take_8(input);
    case 2:
        return last - STREAM_WINDOW - 128 + take_8(input);
    case 3:
        return last + take_16(input);
    case 4:
        return last - take_8(input);
    default:
        return last + 1;
    }
}

static uint64_t take_time(struct fuzz_input *input)
{
    return take_bool(input) ? take_64(input) : take_16(input);
}

/* ---- A second opinion ----------------------------------------------------------------------- */

static bool has_come(const struct sender *sender, uint64_t number)
{
    for (uint64_t i = 0; i < sender->distinct; i++)
        if (sender->numbers[i] == number)
            return true;
    return false;
}

static void note_number(struct sender *sender, uint64_t number)
{
    const bool newest = sender->distinct == 0 || number > sender->highest;

    if (!newest && sender->highest - number >= STREAM_WINDOW) {
        sender->old++;
    } else if (has_come(sender, number)) {
        sender->duplicated++;
    } else {
        sender->numbers[sender->distinct++] = number;
        sender->reordered += !newest;
        sender->highest = newest ? number : sender->highest;
    }
}

static void note(struct sender *sender, const struct numbered *header, uint64_t came_ns)
{
    const bool stamped = header->sent_ns != 0 && came_ns != 0;

    sender->received++;
    sender->total = header->total > sender->total ? header->total : sender->total;
    sender->stamped += stamped;
    if (stamped && came_ns < header->sent_ns)
        sender->too_soon++;
    else if (stamped)
        sender->delays_ns[sender->delays++] = came_ns - header->sent_ns;
    note_number(sender, header->number);
}

static int compare_times(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* To within 2 %, and not beyond the longest. */
static void expect_delay(const struct stream *stream, const struct sender *sender, double part)
{
    const uint64_t delay_ns = stream_delay_ns(stream, part);
    size_t i = 0;

    while ((double)(i + 1) < part * (double)sender->delays)
        i++;
    const uint64_t least_ns = sender->delays_ns[i];
    require(delay_ns >= least_ns && delay_ns - least_ns <= least_ns / 50);
    require(delay_ns <= sender->delays_ns[sender->delays - 1]);
}

static void expect_delays(const struct stream *stream, struct sender *sender)
{
    require(stream->stamped == sender->stamped && stream->too_soon == sender->too_soon);
    require(stream_has_delays(stream) == (sender->stamped > 0 && sender->too_soon == 0));
    require(stream->delays.total == sender->delays);
    if (sender->delays == 0)
        return;
    qsort(sender->delays_ns, sender->delays, sizeof *sender->delays_ns, compare_times);
    require(stream->least_ns == sender->delays_ns[0]);
    require(stream->most_ns == sender->delays_ns[sender->delays - 1]);
    expect_delay(stream, sender, 0.5);
    expect_delay(stream, sender, 0.99);
    expect_delay(stream, sender, 1);
}

/* Of the numbers to the last one. */
static void expect_lost(const struct stream *stream, const struct sender *sender)
{
    const uint64_t end = sender->total > sender->highest ? sender->total - 1 : sender->highest;

    require(stream_lost(stream, false) == sender->highest - sender->distinct + 1);
    require(stream_lost(stream, true) == end - sender->distinct + 1);
    require(stream_lost(stream, true) >= sender->old);
}

static void expect_stream(const struct stream *stream, struct sender *sender)
{
    require(stream->received == sender->received && stream->distinct == sender->distinct);
    require(stream->duplicated == sender->duplicated && stream->old == sender->old);
    require(stream->reordered == sender->reordered && stream->highest == sender->highest);
    require(stream->received == stream->distinct + stream->duplicated + stream->old);
    require(stream->total == sender->total);
    expect_lost(stream, sender);
    expect_delays(stream, sender);
}

static const struct stream *find(const struct streams *streams, const struct sender *sender)
{
    for (size_t i = 0; i < streams->count; i++)
        if (streams->list[i]->id == sender->id &&
            same_scoped_address(&streams->list[i]->from, &sender->from))
            return streams->list[i];
    return NULL;
}

/* ---- All together --------------------------------------------------------------------------- */

/* By way of its bytes. A number that none can be is no packet. */
static void take_packet(struct fuzz_input *input, struct streams *streams, struct sender *sender)
{
    struct numbered header = { .stream = sender->id };
    unsigned char bytes[NUMBERED_BYTES];

    header.number = take_number(input, sender->highest);
    header.total = take_bool(input) ? header.number + take_8(input) : 0;
    header.sent_ns = take_time(input);
    const uint64_t came_ns = take_time(input);
    numbered_write(&header, bytes);
    const bool possible = header.total == 0 || header.number < header.total;
    require(numbered_read(&header, bytes, sizeof bytes) == possible);
    if (!possible)
        return;
    streams_take(streams, &sender->from, &header, came_ns);
    note(sender, &header, came_ns);
}

void try_streams(struct fuzz_input *input)
{
    struct sender *senders = calloc(SENDERS, sizeof *senders);
    struct streams *streams = malloc(sizeof *streams);
    size_t count = 0;

    require(senders != NULL && streams != NULL);
    make_senders(senders);
    streams_begin(streams, take_8(input));
    for (size_t i = 0; input->left > 0 && i < PACKETS_MOST; i++)
        take_packet(input, streams, &senders[take_below(input, SENDERS)]);
    for (size_t i = 0; i < SENDERS; i++) {
        const struct stream *stream = find(streams, &senders[i]);
        require((stream != NULL) == (senders[i].received > 0));
        if (stream != NULL)
            expect_stream(stream, &senders[i]);
        count += stream != NULL;
    }
    require(streams->count == count && streams->not_followed == 0);
    streams_end(streams);
    free(streams);
    free(senders);
}

/* ---- What is made --------------------------------------------------------------------------- */

static void follow(struct streams *streams, const struct udpbatch_packet *payload, size_t size)
{
    const union udpbatch_addr from = address_in4(INADDR_LOOPBACK, 9000);
    struct numbered header;

    require(payload->len == size && numbered_read(&header, payload->data, payload->len));
    require(header.sent_ns == 0);
    for (size_t i = NUMBERED_BYTES; i < size; i++)
        require(((const unsigned char *)payload->data)[i] == (unsigned char)i);
    streams_take(streams, &from, &header, 0);
}

void try_numbered_source(struct fuzz_input *input)
{
    enum { CUT_MOST = 64 };
    const size_t size = NUMBERED_BYTES + take_8(input), count = 1u + take_16(input) % 3000;
    struct udpbatch_packet payloads[CUT_MOST];
    struct numbered_source numbered;
    struct source *source = &numbered.source;
    struct streams *streams = malloc(sizeof *streams);
    struct reason reason;

    require(streams != NULL);
    streams_begin(streams, 0);
    require(numbered_source_open(&numbered, size, count, take_bool(input), &reason));
    for (source->kind->fill(source, 0); !source->ended; source->kind->fill(source, 0)) {
        const size_t n = source->kind->cut(source, payloads, 1 + take_below(input, CUT_MOST));
        require(n > 0);
        for (size_t i = 0; i < n; i++)
            follow(streams, &payloads[i], size);
    }
    require(source->count == count && source->kind->left(source) == 0);
    require(streams->count == 1 && streams->list[0]->distinct == count);
    require(streams->list[0]->duplicated == 0 && streams->list[0]->reordered == 0);
    require(stream_lost(streams->list[0], true) == 0);
    source->kind->close(source);
    streams_end(streams);
    free(streams);
}
