/* json.c: what became of it all, for programs. */
#include "json.h"

#ifdef HAVE_JANSSON

#include <string.h>

#include "address.h"
#include "backends.h"
#include "json_object.h"
#include "statistics.h"

bool json_is_built_in(void)
{
    return true;
}

static void put_address(json_t *object, const char *name, const union udpbatch_addr *address)
{
    char text[ADDRESS_TEXT];
    json_put_text(object, name, address_write(address, text));
}

/* What both results begin with. */
static json_t *begin(const char *backend)
{
    json_t *object = json_object();
    json_put_text(object, "version", udpbatch_version());
    json_put_text(object, "backend", backend);
    return object;
}

/* What both results tell of the effort. */
static void put_effort(json_t *object, uint64_t packets, double seconds, uint64_t system_calls,
                       double cpu_seconds)
{
    json_put_real(object, "seconds", seconds);
    json_put_real(object, "packets_per_second", report_ratio((double)packets, seconds));
    json_put_count(object, "system_calls", system_calls);
    json_put_real(object, "system_calls_per_packet",
                  report_ratio((double)system_calls, (double)packets));
    json_put_real(object, "cpu_seconds", cpu_seconds);
}

static json_t *refusal_object(const struct send_result *result, const struct refusal *row)
{
    json_t *object = json_object();
    put_address(object, "target", &result->targets->addresses[row->target]);
    json_put_text(object, "error", strerror(row->error));
    json_put_count(object, "errno", (uint64_t)row->error);
    json_put_count(object, "count", row->count);
    return object;
}

static void put_refusals(json_t *object, const struct send_result *result)
{
    json_t *array = json_array();
    for (size_t i = 0; i < result->refusals->count; i++)
        json_array_append_new(array, refusal_object(result, &result->refusals->rows[i]));
    json_object_set_new(object, "refusals", array);
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

bool json_send(const struct send_result *result)
{
    const struct udpbatch_sender_stats *stats = &result->stats;
    json_t *object = begin(stats->backend);

    json_put_count(object, "targets", result->targets->count);
    json_put_count(object, "sent", stats->packets);
    json_put_count(object, "bytes", stats->bytes);
    json_put_count(object, "refused", stats->refused);
    json_put_count(object, "unsent", result->unsent);
    put_effort(object, stats->packets, result->seconds, stats->system_calls, result->cpu_seconds);
    json_put_count(object, "waits", stats->waits);
    put_trains(object, stats);
    put_refusals(object, result);
    put_kinds(object, stats);
    if (backend_is_xdp(stats->backend))
        put_xdp(object, stats);
    return json_object_print(object, "interrupted", json_boolean(result->interrupted));
}

bool json_recv(const struct recv_result *result)
{
    const struct udpbatch_receiver_stats *stats = &result->stats;
    json_t *object = begin(stats->backend);

    put_address(object, "address", result->address);
    json_put_count(object, "packets", result->packets);
    json_put_count(object, "bytes", result->bytes);
    json_put_count(object, "trains", stats->trains);
    json_put_count(object, "truncated", stats->truncated);
    json_put_count(object, "dropped", stats->dropped);
    put_effort(object, result->packets, result->seconds, stats->system_calls, result->cpu_seconds);
    return json_object_print(object, "interrupted", json_boolean(result->interrupted));
}

#else

bool json_is_built_in(void)
{
    return false;
}

bool json_send(const struct send_result *result)
{
    (void)result;
    return false;
}

bool json_recv(const struct recv_result *result)
{
    (void)result;
    return false;
}

#endif
