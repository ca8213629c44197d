/* report_send.c: what was sent, for people. */
#include "report_send.h"

#include <inttypes.h>
#include <string.h>

#include "address.h"
#include "skipped.h"
#include "units.h"

/* "[::1]:9000 refused 12: Permission denied; 3: Network is unreachable", from its first row on. */
static void report_target(FILE *file, const struct refusals *refusals, size_t first)
{
    const char *between = " refused ";
    char text[ADDRESS_TEXT];

    fputs(address_write(&refusals->rows[first].target, text), file);
    for (size_t i = first; i != REFUSALS_END; i = refusals->rows[i].next) {
        const struct refusal *row = &refusals->rows[i];
        fprintf(file, "%s%" PRIu64 ": %s", between, row->count, words_of_error(row->error));
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
    fprintf(file, "sent %" PRIu64 " packets, %" PRIu64 " bytes in %.3f s, %.0f packets/s%s\n",
            stats->packets, stats->bytes, result->seconds,
            units_ratio((double)stats->packets, result->seconds),
            !result->ended        ? ", so far"
            : result->interrupted ? ", interrupted"
                                  : "");
    fprintf(file, "%.3g system calls per packet (%s), %" PRIu64 " refused, %" PRIu64 " unsent\n",
            units_ratio((double)stats->system_calls, (double)stats->packets), stats->backend,
            stats->refused, result->unsent);
}
