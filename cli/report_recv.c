/* report_recv.c: what was received, for people. */
#include "report_recv.h"

#include <inttypes.h>
#include <stdio.h>

#include "address.h"
#include "units.h"

/* ---- Senders of numbered packets ------------------------------------------------------------- */

/* "  delay 11.2 us min, 15.1 us p50, 38.4 us p90, 102 us p99, 1.23 ms max" */
static void report_delays(const struct stream *stream)
{
    char text[UNITS_TEXT];

    fprintf(stderr, "  delay %s min, ", units_write_time(stream->least_ns, text));
    fprintf(stderr, "%s p50, ", units_write_time(stream_delay_ns(stream, 0.5), text));
    fprintf(stderr, "%s p90, ", units_write_time(stream_delay_ns(stream, 0.9), text));
    fprintf(stderr, "%s p99, ", units_write_time(stream_delay_ns(stream, 0.99), text));
    fprintf(stderr, "%s max\n", units_write_time(stream->most_ns, text));
}

static void report_stream(const struct stream *stream, bool ended)
{
    const uint64_t lost = stream_lost(stream, ended);
    const double percent = 100 * units_ratio((double)lost, (double)lost + (double)stream->distinct);
    char text[ADDRESS_TEXT];

    fprintf(stderr, "from %s, stream %08" PRIx32 "\n", address_write(&stream->from, text),
            stream->id);
    fprintf(stderr, "  %" PRIu64 " received, %" PRIu64 " lost (%.3g %%), ", stream->received, lost,
            percent);
    fprintf(stderr, "%" PRIu64 " duplicated, %" PRIu64 " reordered\n", stream->duplicated,
            stream->reordered);
    if (stream->old > 0)
        fprintf(stderr, "  %" PRIu64 " came too late to tell: lost before, or duplicated\n",
                stream->old);
    if (stream_has_delays(stream))
        report_delays(stream);
    else if (stream->too_soon > 0)
        fprintf(stderr, "  no delays: %" PRIu64 " came before they left, the clocks differ\n",
                stream->too_soon);
}

static void report_streams(const struct streams *streams, bool ended)
{
    for (size_t i = 0; i < streams->count; i++)
        report_stream(streams->list[i], ended);
    if (streams->not_followed > 0)
        fprintf(stderr, "%" PRIu64 " numbered packets of more senders were not followed\n",
                streams->not_followed);
}

/* ---- All ------------------------------------------------------------------------------------- */

void report_recv(const struct recv_result *result)
{
    const struct udpbatch_receiver_stats *stats = &result->stats;

    fprintf(stderr, "received %" PRIu64 " packets, %" PRIu64 " bytes in %.3f s, %.0f packets/s%s\n",
            result->packets, result->bytes, result->seconds,
            units_ratio((double)result->packets, result->seconds),
            !result->ended        ? ", so far"
            : result->interrupted ? ", interrupted"
                                  : "");
    /* A train that is dropped counts as one, and nobody knows how long it was. */
    fprintf(stderr,
            "%.3g system calls per packet (%s), %" PRIu64 " truncated, %s%" PRIu64 " dropped\n",
            units_ratio((double)stats->system_calls, (double)result->packets), stats->backend,
            stats->truncated, stats->dropped > 0 ? "at least " : "", stats->dropped);
    report_streams(result->streams, result->ended);
}
