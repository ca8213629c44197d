/* statistics_recv.c: what the library counted of receiving, for people. */
#include "statistics_recv.h"

#include "statistics_send.h"

/* Packets and bytes are those written, as in the report: of the last train, some may not be. */
void statistics_recv(const struct recv_result *result)
{
    const struct udpbatch_receiver_stats *stats = &result->stats;

    statistics_print_row(stderr, "packets", result->packets);
    statistics_print_row(stderr, "bytes", result->bytes);
    statistics_print_row(stderr, "trains", stats->trains);
    statistics_print_row(stderr, "truncated", stats->truncated);
    statistics_print_row(stderr, "dropped", stats->dropped);
    statistics_print_row(stderr, "system calls", stats->system_calls);
}
