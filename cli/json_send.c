/* json_send.c: what was sent, for programs. */
#include "json_send.h"

#ifdef HAVE_JANSSON

#include <string.h>

#include "backends.h"
#include "json_common.h"
#include "skipped.h"
#include "statistics_send.h"

/* There may be a million of them. */
static json_t *refusal_object(const void *rows, size_t i)
{
    const struct refusal *row = &((const struct refusal *)rows)[i];
    json_t *object = json_object();
    json_put_address(object, "target", &row->target);
    json_put_text(object, "error", words_of_error(row->error));
    json_put_count(object, "errno", (uint64_t)row->error);
    json_put_count(object, "count", row->count);
    return object;
}

static json_t *train_size_object(size_t i, uint64_t trains)
{
    json_t *object = json_object();
    json_put_count(object, "from", statistics_train_from(i));
    json_put_count(object, "to", statistics_train_to(i));
    json_put_count(object, "trains", trains);
    return object;
}

static void put_trains(json_t *object, const struct udpbatch_sender_stats *stats)
{
    json_t *sizes = json_array();
    for (size_t i = 0; i < UDPBATCH_TRAIN_SIZES; i++)
        json_array_append_new(sizes, train_size_object(i, stats->sizes[i]));
    json_put_count(object, "trains", stats->trains);
    json_object_set_new(object, "train_sizes", sizes);
    json_put_count(object, "trains_split", stats->trains_split);
}

static void put_kinds(json_t *object, const struct udpbatch_sender_stats *stats)
{
    json_t *kinds = json_object();
    for (size_t i = 0; i < UDPBATCH_MEANINGS; i++)
        if (statistics_kind(i) != NULL)
            json_put_count(kinds, statistics_kind(i), stats->refusals[i]);
    json_object_set_new(object, "refusals_by_kind", kinds);
}

static void put_detours(json_t *object, const struct udpbatch_sender_stats *stats)
{
    json_t *detours = json_object();
    for (size_t i = 0; i < UDPBATCH_DETOURS; i++)
        if (statistics_detour(i) != NULL)
            json_put_count(detours, statistics_detour(i), stats->detours[i]);
    json_object_set_new(object, "detours", detours);
}

static void put_xdp(json_t *object, const struct udpbatch_sender_stats *stats)
{
    json_t *xdp = json_object();
    json_put_text(xdp, "mode", backend_xdp_mode(stats->xdp_mode));
    json_put_count(xdp, "queue", stats->xdp_queue);
    json_put_count(xdp, "past_the_stack", stats->xdp_packets);
    json_put_count(xdp, "by_the_socket", stats->packets - stats->xdp_packets);
    put_detours(xdp, stats);
    json_object_set_new(object, "xdp", xdp);
}

static void put_skipped(json_t *object, const struct capture_skipped *skipped)
{
    struct skipped_row rows[SKIPPED_REASONS];
    json_t *reasons = json_object();

    skipped_list(skipped, rows);
    for (size_t i = 0; i < SKIPPED_REASONS; i++)
        json_put_count(reasons, rows[i].word, rows[i].count);
    json_object_set_new(object, "skipped", reasons);
}

bool json_send(const struct send_result *result)
{
    const struct udpbatch_sender_stats *stats = &result->stats;
    json_t *object = json_begin(result->ended ? "result" : "totals", stats->backend);

    json_put(object, "targets",
             result->targets > 0 ? json_integer((json_int_t)result->targets) : NULL);
    json_put_count(object, "sent", stats->packets);
    json_put_count(object, "bytes", stats->bytes);
    json_put_count(object, "refused", stats->refused);
    json_put_count(object, "unsent", result->unsent);
    json_put_effort(object, stats->packets, result->seconds, stats->system_calls,
                    result->cpu_seconds);
    json_put_count(object, "waits", stats->waits);
    json_put_count(object, "paced", stats->paced);
    put_trains(object, stats);
    put_kinds(object, stats);
    if (backend_is_xdp(stats->backend))
        put_xdp(object, stats);
    if (result->skipped != NULL)
        put_skipped(object, result->skipped);
    return json_object_print_array(object, "interrupted", json_boolean(result->interrupted),
                                   "refusals", refusal_object, result->refusals->rows,
                                   result->refusals->count);
}

#else

bool json_send(const struct send_result *result)
{
    (void)result;
    return false;
}

#endif
