/* json_recv.c: what was received, for programs. */
#include "json_recv.h"

#ifdef HAVE_JANSSON

#include <inttypes.h>
#include <stdio.h>

#include "json_common.h"

/* What packets say of themselves can be more than JSON's readers have room for. */
static void put_bounded(json_t *object, const char *name, uint64_t count)
{
    json_put_count(object, name, count < INT64_MAX ? count : INT64_MAX);
}

/* null, if the clocks do not tell. */
static json_t *delays_object(const struct stream *stream)
{
    json_t *object = json_object();
    put_bounded(object, "min", stream->least_ns);
    put_bounded(object, "p50", stream_delay_ns(stream, 0.5));
    put_bounded(object, "p90", stream_delay_ns(stream, 0.9));
    put_bounded(object, "p99", stream_delay_ns(stream, 0.99));
    put_bounded(object, "max", stream->most_ns);
    return object;
}

/* As in the report for people. */
static void put_stream_id(json_t *object, uint32_t id)
{
    char text[9];
    snprintf(text, sizeof text, "%08" PRIx32, id);
    json_put_text(object, "stream", text);
}

static json_t *stream_object(const struct stream *stream, bool ended)
{
    json_t *object = json_object();
    json_put_address(object, "from", &stream->from);
    put_stream_id(object, stream->id);
    if (stream->total > 0)
        put_bounded(object, "total", stream->total);
    else
        json_put(object, "total", NULL);
    json_put_count(object, "received", stream->received);
    put_bounded(object, "lost", stream_lost(stream, ended));
    json_put_count(object, "duplicated", stream->duplicated);
    json_put_count(object, "reordered", stream->reordered);
    json_put_count(object, "too_late", stream->old);
    json_put_count(object, "came_before_they_left", stream->too_soon);
    json_put(object, "delay_ns", stream_has_delays(stream) ? delays_object(stream) : NULL);
    return object;
}

static void put_streams(json_t *object, const struct streams *streams, bool ended)
{
    json_t *array = json_array();
    for (size_t i = 0; i < streams->count; i++)
        json_array_append_new(array, stream_object(streams->list[i], ended));
    json_put(object, "senders", array);
    json_put_count(object, "not_followed", streams->not_followed);
}

bool json_recv(const struct recv_result *result)
{
    const struct udpbatch_receiver_stats *stats = &result->stats;
    json_t *object = json_begin(result->ended ? "result" : "totals", stats->backend);

    json_put_address(object, "address", result->address);
    json_put_count(object, "packets", result->packets);
    json_put_count(object, "bytes", result->bytes);
    json_put_count(object, "trains", stats->trains);
    json_put_count(object, "truncated", stats->truncated);
    json_put_count(object, "dropped", stats->dropped);
    json_put_effort(object, result->packets, result->seconds, stats->system_calls,
                    result->cpu_seconds);
    put_streams(object, result->streams, result->ended);
    return json_object_print(object, "interrupted", json_boolean(result->interrupted));
}

#else

bool json_recv(const struct recv_result *result)
{
    (void)result;
    return false;
}

#endif
