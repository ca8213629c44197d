/* report.c: what became of it all, for people. */
#include "report.h"

#include <inttypes.h>
#include <string.h>

#include "address.h"

double report_ratio(double count, double of)
{
    return of > 0 ? count / of : 0;
}

/* "[::1]:9000 refused 12: Permission denied; 3: Network is unreachable" */
static void report_target(const struct send_result *result, size_t target)
{
    const struct refusals *refusals = result->refusals;
    const char *between = " refused ";
    char text[ADDRESS_TEXT];

    fputs(address_write(&result->targets->addresses[target], text), stdout);
    for (size_t i = refusals->first[target]; i != REFUSALS_END; i = refusals->rows[i].next) {
        const struct refusal *row = &refusals->rows[i];
        printf("%s%" PRIu64 ": %s", between, row->count, strerror(row->error));
        between = "; ";
    }
    putchar('\n');
}

void report_send(const struct send_result *result)
{
    const struct udpbatch_sender_stats *stats = &result->stats;

    for (size_t i = 0; i < result->refusals->target_count; i++)
        if (result->refusals->first[i] != REFUSALS_END)
            report_target(result, i);
    printf("sent %" PRIu64 " datagrams, %" PRIu64 " bytes in %.3f s, %.0f packets/s%s\n",
           stats->packets, stats->bytes, result->seconds,
           report_ratio((double)stats->packets, result->seconds),
           result->interrupted ? ", interrupted" : "");
    printf("%.3g system calls per packet (%s), %" PRIu64 " refused, %" PRIu64 " unsent\n",
           report_ratio((double)stats->system_calls, (double)stats->packets), stats->backend,
           stats->refused, result->unsent);
}

void report_recv(const struct recv_result *result)
{
    const struct udpbatch_receiver_stats *stats = &result->stats;

    fprintf(stderr, "received %" PRIu64 " packets, %" PRIu64 " bytes in %.3f s, %.0f packets/s%s\n",
            result->packets, result->bytes, result->seconds,
            report_ratio((double)result->packets, result->seconds),
            result->interrupted ? ", interrupted" : "");
    /* A train that is dropped counts as one, and nobody knows how long it was. */
    fprintf(stderr,
            "%.3g system calls per packet (%s), %" PRIu64 " truncated, %s%" PRIu64 " dropped\n",
            report_ratio((double)stats->system_calls, (double)result->packets), stats->backend,
            stats->truncated, stats->dropped > 0 ? "at least " : "", stats->dropped);
}
