/* json.c: what became of it all, for programs. */
#include "json.h"

#ifdef HAVE_JANSSON

#include <jansson.h>
#include <string.h>

#include "address.h"

bool json_is_built_in(void)
{
    return true;
}

/* jansson passes a missing object or value on, and end() sees the lack of memory. */

static void put_text(json_t *object, const char *name, const char *text)
{
    json_object_set_new(object, name, json_string(text));
}

static void put_count(json_t *object, const char *name, uint64_t count)
{
    json_object_set_new(object, name, json_integer((json_int_t)count));
}

static void put_real(json_t *object, const char *name, double value)
{
    json_object_set_new(object, name, json_real(value));
}

static void put_address(json_t *object, const char *name, const union udpbatch_addr *address)
{
    char text[ADDRESS_TEXT];
    put_text(object, name, address_write(address, text));
}

/* What both results begin with. */
static json_t *begin(const char *backend)
{
    json_t *object = json_object();
    put_text(object, "version", udpbatch_version());
    put_text(object, "backend", backend);
    return object;
}

/* What both results tell of the effort. */
static void put_effort(json_t *object, uint64_t packets, double seconds, uint64_t system_calls,
                       double cpu_seconds)
{
    put_real(object, "seconds", seconds);
    put_real(object, "packets_per_second", report_ratio((double)packets, seconds));
    put_count(object, "system_calls", system_calls);
    put_real(object, "system_calls_per_packet",
             report_ratio((double)system_calls, (double)packets));
    put_real(object, "cpu_seconds", cpu_seconds);
}

static json_t *refusal_object(const struct send_result *result, const struct refusal *row)
{
    json_t *object = json_object();
    put_address(object, "target", &result->targets->addresses[row->target]);
    put_text(object, "error", strerror(row->error));
    put_count(object, "errno", (uint64_t)row->error);
    put_count(object, "count", row->count);
    return object;
}

static void put_refusals(json_t *object, const struct send_result *result)
{
    json_t *array = json_array();
    for (size_t i = 0; i < result->refusals->count; i++)
        json_array_append_new(array, refusal_object(result, &result->refusals->rows[i]));
    json_object_set_new(object, "refusals", array);
}

/* The last member, after which the object is printed and freed. */
static bool end(json_t *object, bool was_interrupted)
{
    if (json_object_set_new(object, "interrupted", json_boolean(was_interrupted)) < 0) {
        json_decref(object);
        return false;
    }
    /* A failure to write stays in the stream, where main sees it. */
    json_dumpf(object, stdout, JSON_REAL_PRECISION(9));
    putchar('\n');
    json_decref(object);
    return true;
}

bool json_send(const struct send_result *result)
{
    const struct udpbatch_sender_stats *stats = &result->stats;
    json_t *object = begin(stats->backend);

    put_count(object, "targets", result->targets->count);
    put_count(object, "sent", stats->packets);
    put_count(object, "bytes", stats->bytes);
    put_count(object, "refused", stats->refused);
    put_count(object, "unsent", result->unsent);
    put_effort(object, stats->packets, result->seconds, stats->system_calls, result->cpu_seconds);
    put_refusals(object, result);
    return end(object, result->interrupted);
}

bool json_recv(const struct recv_result *result)
{
    const struct udpbatch_receiver_stats *stats = &result->stats;
    json_t *object = begin(stats->backend);

    put_address(object, "address", result->address);
    put_count(object, "packets", result->packets);
    put_count(object, "bytes", result->bytes);
    put_count(object, "truncated", stats->truncated);
    put_count(object, "dropped", stats->dropped);
    put_effort(object, result->packets, result->seconds, stats->system_calls, result->cpu_seconds);
    return end(object, result->interrupted);
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
