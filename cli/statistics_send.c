/* statistics_send.c: what the library counted of sending, for people, and the words for it. */
#include "statistics_send.h"

#include <inttypes.h>
#include <stdio.h>

#include "backends.h"

/* With a blank before the bar, 39 columns: a terminal of 40 has room for it. */
enum { LABEL = 14, FIGURE = 14, BAR = 10 };

unsigned statistics_train_from(size_t i)
{
    return i == 0 ? 1 : (1U << (i - 1)) + 1;
}

unsigned statistics_train_to(size_t i)
{
    return 1U << i;
}

const char *statistics_kind(size_t meaning)
{
    static const char *const kinds[UDPBATCH_MEANINGS] = { [UDPBATCH_BUSY] = "busy",
                                                          [UDPBATCH_PACKET] = "packet",
                                                          [UDPBATCH_TARGET] = "target",
                                                          [UDPBATCH_SOCKET] = "socket" };
    return kinds[meaning];
}

const char *statistics_detour(size_t detour)
{
    static const char *const words[UDPBATCH_DETOURS] = { [UDPBATCH_DETOUR_TRAIN] = "train",
                                                         [UDPBATCH_DETOUR_DEVICE] = "device",
                                                         [UDPBATCH_DETOUR_GROUP] = "group",
                                                         [UDPBATCH_DETOUR_ROUTE] = "route",
                                                         [UDPBATCH_DETOUR_NEIGHBOUR] = "neighbour",
                                                         [UDPBATCH_DETOUR_SIZE] = "size",
                                                         [UDPBATCH_DETOUR_META] = "meta",
                                                         [UDPBATCH_DETOUR_SOCKET] = "socket",
                                                         [UDPBATCH_DETOUR_ORDER] = "order",
                                                         [UDPBATCH_DETOUR_RING] = "ring",
                                                         [UDPBATCH_DETOUR_LINK] = "link" };
    return words[detour];
}

void statistics_print_row(FILE *file, const char *label, uint64_t figure)
{
    fprintf(file, "%-*s%*" PRIu64 "\n", LABEL, label, FIGURE, figure);
}

/* "  33-64                     3 ##########" */
static void print_size(size_t i, uint64_t trains, uint64_t most)
{
    static const char bar[BAR + 1] = "##########";
    unsigned from = statistics_train_from(i), to = statistics_train_to(i);
    int length = (int)(BAR * ((double)trains / (double)most));
    char label[LABEL + 1];

    if (from == to)
        snprintf(label, sizeof label, "  %u", from);
    else
        snprintf(label, sizeof label, "  %u-%u", from, to);
    printf("%-*s%*" PRIu64 " %.*s\n", LABEL, label, FIGURE, trains, length > 0 ? length : 1, bar);
}

static void print_sizes(const uint64_t sizes[UDPBATCH_TRAIN_SIZES])
{
    uint64_t most = 0;
    for (size_t i = 0; i < UDPBATCH_TRAIN_SIZES; i++)
        most = sizes[i] > most ? sizes[i] : most;
    if (most == 0)
        return;
    puts("packets per train");
    for (size_t i = 0; i < UDPBATCH_TRAIN_SIZES; i++)
        if (sizes[i] > 0)
            print_size(i, sizes[i], most);
}

static void print_refusals(const uint64_t refusals[UDPBATCH_MEANINGS])
{
    char label[LABEL + 1];
    for (size_t i = 0; i < UDPBATCH_MEANINGS; i++) {
        if (statistics_kind(i) == NULL || refusals[i] == 0)
            continue;
        snprintf(label, sizeof label, "  %s", statistics_kind(i));
        statistics_print_row(stdout, label, refusals[i]);
    }
}

static void print_detours(const uint64_t detours[UDPBATCH_DETOURS])
{
    char label[LABEL + 1];
    for (size_t i = 0; i < UDPBATCH_DETOURS; i++) {
        if (statistics_detour(i) == NULL || detours[i] == 0)
            continue;
        snprintf(label, sizeof label, "  %s", statistics_detour(i));
        statistics_print_row(stdout, label, detours[i]);
    }
}

static void print_xdp(const struct udpbatch_sender_stats *stats)
{
    printf("%-*s%*s\n", LABEL, "xdp mode", FIGURE, backend_xdp_mode(stats->xdp_mode));
    statistics_print_row(stdout, "xdp queue", stats->xdp_queue);
    statistics_print_row(stdout, "past the stack", stats->xdp_packets);
    statistics_print_row(stdout, "by the socket", stats->packets - stats->xdp_packets);
    print_detours(stats->detours);
}

void statistics_send(const struct send_result *result)
{
    const struct udpbatch_sender_stats *stats = &result->stats;

    statistics_print_row(stdout, "packets", stats->packets);
    statistics_print_row(stdout, "bytes", stats->bytes);
    statistics_print_row(stdout, "trains", stats->trains);
    print_sizes(stats->sizes);
    statistics_print_row(stdout, "trains split", stats->trains_split);
    statistics_print_row(stdout, "refused", stats->refused);
    print_refusals(stats->refusals);
    statistics_print_row(stdout, "system calls", stats->system_calls);
    statistics_print_row(stdout, "waits", stats->waits);
    statistics_print_row(stdout, "paced", stats->paced);
    if (backend_is_xdp(stats->backend))
        print_xdp(stats);
}
