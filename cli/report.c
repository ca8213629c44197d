/* report.c: what became of it all, for people. */
#include "report.h"

#include <inttypes.h>
#include <string.h>

#include "address.h"
#include "skipped.h"
#include "units.h"

double report_ratio(double count, double of)
{
    return of > 0 ? count / of : 0;
}

/* "[::1]:9000 refused 12: Permission denied; 3: Network is unreachable", from its first row on. */
static void report_target(FILE *file, const struct refusals *refusals, size_t first)
{
    const char *between = " refused ";
    char text[ADDRESS_TEXT];

    fputs(address_write(&refusals->rows[first].target, text), file);
    for (size_t i = first; i != REFUSALS_END; i = refusals->rows[i].next) {
        const struct refusal *row = &refusals->rows[i];
        fprintf(file, "%s%" PRIu64 ": %s", between, row->count, strerror(row->error));
        between = "; ";
    }
    fputc('\n', file);
}

static void report_skipped(FILE *file, const struct capture_skipped *skipped)
{
    char text[SKIPPED_TEXT];
    if (skipped != NULL && skipped_write(skipped, false, text)[0] != '\0')
        fprintf(file, "skipped of the capture: %s\n", text);
}

void report_send(FILE *file, const struct send_result *result)
{
    const struct udpbatch_sender_stats *stats = &result->stats;

    for (size_t i = 0; i < result->refusals->count; i++)
        if (result->refusals->rows[i].first)
            report_target(file, result->refusals, i);
    report_skipped(file, result->skipped);
    fprintf(file, "sent %" PRIu64 " datagrams, %" PRIu64 " bytes in %.3f s, %.0f packets/s%s\n",
            stats->packets, stats->bytes, result->seconds,
            report_ratio((double)stats->packets, result->seconds),
            result->interrupted ? ", interrupted" : "");
    fprintf(file, "%.3g system calls per packet (%s), %" PRIu64 " refused, %" PRIu64 " unsent\n",
            report_ratio((double)stats->system_calls, (double)stats->packets), stats->backend,
            stats->refused, result->unsent);
}

void report_send_interval(const struct send_interval *interval)
{
    const double seconds = interval->to - interval->from;
    char bytes[UNITS_TEXT], packet_rate[UNITS_TEXT], bit_rate[UNITS_TEXT];

    units_write_scaled((double)interval->bytes, bytes);
    units_write_scaled(report_ratio((double)interval->packets, seconds), packet_rate);
    units_write_scaled(report_ratio(8 * (double)interval->bytes, seconds), bit_rate);
    printf("%.2f-%.2f s %" PRIu64 " packets %sB, %spps %sbit/s, %" PRIu64 " refused\n",
           interval->from, interval->to, interval->packets, bytes, packet_rate, bit_rate,
           interval->refused);
}
