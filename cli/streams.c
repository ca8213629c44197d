/* streams.c: what is known of each sender of numbered packets. */
#include "streams.h"

#include <stdlib.h>
#include <string.h>

/* ---- Numbers ------------------------------------------------------------------------------- */

static uint64_t *word_of(struct stream *stream, uint64_t number)
{
    return &stream->window[number % STREAM_WINDOW / 64];
}

static uint64_t bit_of(uint64_t number)
{
    return UINT64_C(1) << number % 64;
}

static uint64_t low_bits(uint64_t count)
{
    return count < 64 ? (UINT64_C(1) << count) - 1 : UINT64_MAX;
}

/* Forgets the numbers that have the same places as those from the highest to this one, word by
 * word: anybody can send packets that are far ahead. */
static void move_window(struct stream *stream, uint64_t number)
{
    uint64_t at = stream->highest + 1;
    uint64_t ahead = number - stream->highest;

    if (ahead > STREAM_WINDOW)
        ahead = STREAM_WINDOW;
    while (ahead > 0) {
        const uint64_t room = 64 - at % 64;
        const uint64_t bits = room < ahead ? room : ahead;
        *word_of(stream, at) &= ~(low_bits(bits) << at % 64);
        at += bits;
        ahead -= bits;
    }
    stream->highest = number;
}

static void take_new(struct stream *stream, uint64_t number)
{
    *word_of(stream, number) |= bit_of(number);
    stream->distinct++;
}

static void take_number(struct stream *stream, uint64_t number)
{
    if (stream->distinct == 0 || number > stream->highest) {
        move_window(stream, number);
        take_new(stream, number);
    } else if (stream->highest - number >= STREAM_WINDOW) {
        stream->old++;
    } else if ((*word_of(stream, number) & bit_of(number)) != 0) {
        stream->duplicated++;
    } else {
        stream->reordered++;
        take_new(stream, number);
    }
}

uint64_t stream_lost(const struct stream *stream, bool ended)
{
    const bool has_tail = ended && stream->total > stream->highest;
    const uint64_t last = has_tail ? stream->total - 1 : stream->highest;
    return last - (stream->distinct - 1);
}

/* ---- Delays -------------------------------------------------------------------------------- */

static void take_delay(struct stream *stream, uint64_t sent_ns, uint64_t came_ns)
{
    if (sent_ns == 0 || came_ns == 0)
        return;
    stream->stamped++;
    if (came_ns < sent_ns) {
        stream->too_soon++;
        return;
    }
    const uint64_t delay_ns = came_ns - sent_ns;
    histogram_add(&stream->delays, delay_ns);
    stream->least_ns = delay_ns < stream->least_ns ? delay_ns : stream->least_ns;
    stream->most_ns = delay_ns > stream->most_ns ? delay_ns : stream->most_ns;
}

bool stream_has_delays(const struct stream *stream)
{
    return stream->stamped > 0 && stream->too_soon == 0;
}

/* A part of the histogram is known by its end, which may be beyond the longest delay. */
uint64_t stream_delay_ns(const struct stream *stream, double part)
{
    const uint64_t delay_ns = histogram_quantile(&stream->delays, part);
    return delay_ns < stream->most_ns ? delay_ns : stream->most_ns;
}

/* ---- Senders ------------------------------------------------------------------------------- */

/* The finalizer of MurmurHash3: each bit of the value changes half of the result's. */
static uint64_t mix(uint64_t value)
{
    value = (value ^ value >> 33) * UINT64_C(0xff51afd7ed558ccd);
    value = (value ^ value >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return value ^ value >> 33;
}

static uint64_t hash_of(const struct streams *streams, const union udpbatch_addr *from, uint32_t id)
{
    uint64_t host[2], hash = mix(streams->seed ^ id);

    if (from->sa.sa_family != AF_INET6)
        return mix(hash ^ ((uint64_t)from->in4.sin_addr.s_addr << 16 | from->in4.sin_port));
    memcpy(host, &from->in6.sin6_addr, sizeof host);
    hash = mix(hash ^ host[0]);
    hash = mix(hash ^ host[1]);
    return mix(hash ^ ((uint64_t)from->in6.sin6_scope_id << 16 | from->in6.sin6_port));
}

static bool is_same_address(const union udpbatch_addr *a, const union udpbatch_addr *b)
{
    if (a->sa.sa_family != b->sa.sa_family)
        return false;
    if (a->sa.sa_family != AF_INET6)
        return a->in4.sin_addr.s_addr == b->in4.sin_addr.s_addr &&
               a->in4.sin_port == b->in4.sin_port;
    return memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, sizeof a->in6.sin6_addr) == 0 &&
           a->in6.sin6_port == b->in6.sin6_port && a->in6.sin6_scope_id == b->in6.sin6_scope_id;
}

static bool is_of(const struct stream *stream, const union udpbatch_addr *from, uint32_t id)
{
    return stream->id == id && is_same_address(&stream->from, from);
}

/* Returns NULL if no more are followed. */
static struct stream *add(struct streams *streams, uint16_t *slot, const union udpbatch_addr *from,
                          uint32_t id)
{
    struct stream *stream = streams->count < STREAMS_MAX ? calloc(1, sizeof *stream) : NULL;
    if (stream == NULL)
        return NULL;
    stream->from = *from;
    stream->id = id;
    stream->least_ns = UINT64_MAX;
    streams->list[streams->count++] = stream;
    *slot = (uint16_t)streams->count;
    return stream;
}

/* Half of the slots are free, so the search ends. */
static struct stream *find(struct streams *streams, const union udpbatch_addr *from, uint32_t id)
{
    enum { SLOTS = sizeof streams->slots / sizeof *streams->slots };
    uint64_t at = hash_of(streams, from, id) % SLOTS;

    for (; streams->slots[at] != 0; at = (at + 1) % SLOTS) {
        struct stream *stream = streams->list[streams->slots[at] - 1];
        if (is_of(stream, from, id))
            return stream;
    }
    return add(streams, &streams->slots[at], from, id);
}

void streams_begin(struct streams *streams, uint64_t seed)
{
    *streams = (struct streams){ .seed = seed };
}

void streams_take(struct streams *streams, const union udpbatch_addr *from,
                  const struct numbered *header, uint64_t came_ns)
{
    /* Most packets are of the sender of the one before. */
    if (streams->latest == NULL || !is_of(streams->latest, from, header->stream))
        streams->latest = find(streams, from, header->stream);

    struct stream *stream = streams->latest;
    if (stream == NULL) {
        streams->not_followed++;
        return;
    }
    stream->received++;
    stream->total = header->total > stream->total ? header->total : stream->total;
    take_number(stream, header->number);
    take_delay(stream, header->sent_ns, came_ns);
}

void streams_end(struct streams *streams)
{
    for (size_t i = 0; i < streams->count; i++)
        free(streams->list[i]);
    *streams = (struct streams){ 0 };
}
