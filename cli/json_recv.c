/* json_recv.c: what was received, for programs. */
#include "json_recv.h"

#ifdef HAVE_JANSSON

#include <stdio.h>

#include "json_common.h"
#include "report.h"

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

static json_t *stream_object(const struct stream *stream, bool ended)
{
    json_t *object = json_object();
    json_put_address(object, "from", &stream->from);
    json_put_count(object, "stream", stream->id);
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

/* At once: who reads may be waiting for it. */
static bool print(json_t *object, const char *name, json_t *value)
{
    const bool printed = json_object_print(object, name, value);
    fflush(stdout); /* a failure stays in the stream, where main sees it */
    return printed;
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
    return print(object, "interrupted", json_boolean(result->interrupted));
}

bool json_recv_interval(const struct recv_interval *interval)
{
    const double seconds = interval->to - interval->from;
    json_t *object = json_begin("interval", interval->backend);

    json_put_real(object, "from", interval->from);
    json_put_real(object, "to", interval->to);
    json_put_count(object, "packets", interval->packets);
    json_put_count(object, "bytes", interval->bytes);
    json_put_real(object, "packets_per_second", report_ratio((double)interval->packets, seconds));
    json_put_real(object, "bits_per_second", report_ratio(8 * (double)interval->bytes, seconds));
    bool printed =
        json_object_print(object, "dropped", json_integer((json_int_t)interval->dropped));
    fflush(stdout);
    return printed;
}

#else

bool json_recv(const struct recv_result *result)
{
    (void)result;
    return false;
}

bool json_recv_interval(const struct recv_interval *interval)
{
    (void)interval;
    return false;
}

#endif
