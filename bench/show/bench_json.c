/* bench_json.c: what a run has measured, for programs. */
#include "bench_json.h"

#ifdef HAVE_JANSSON

#include <jansson.h>
#include <math.h>

/* jansson passes a missing object on, and the last member shows the lack of memory. */

/* What jansson has no value for, such as text that is not UTF-8, becomes null. */
static void put(json_t *object, const char *name, json_t *value)
{
    json_object_set_new(object, name, value != NULL ? value : json_null());
}

/* Empty text is not known. */
static void put_text(json_t *object, const char *name, const char *text)
{
    put(object, name, text != NULL && text[0] != '\0' ? json_string(text) : json_null());
}

static void put_count(json_t *object, const char *name, uint64_t count)
{
    put(object, name, json_integer((json_int_t)count));
}

/* Below 0 is not known, for all that is counted here. */
static void put_real(json_t *object, const char *name, double value)
{
    put(object, name, isfinite(value) && value >= 0 ? json_real(value) : json_null());
}

static void put_flag(json_t *object, const char *name, bool value)
{
    put(object, name, json_boolean(value));
}

/* ---- An engine ------------------------------------------------------------------------------ */

static void put_spread(json_t *object, const char *name, const struct spread *spread)
{
    json_t *value = NULL;
    if (spread->known) {
        value = json_object();
        put_real(value, "min", spread->min);
        put_real(value, "median", spread->median);
        put_real(value, "max", spread->max);
    }
    put(object, name, value);
}

static void put_call(json_t *object, const struct engine_result *result)
{
    json_t *value = NULL;
    if (result->call_p50_ns > 0) {
        value = json_object();
        put_count(value, "p50", result->call_p50_ns);
        put_count(value, "p99", result->call_p99_ns);
    }
    put(object, "call_ns", value);
}

static void put_figures(json_t *object, const struct engine_result *result)
{
    put_spread(object, "packets_per_second", &result->packets_per_second);
    put_spread(object, "cpu_ns_per_packet", &result->cpu_ns_per_packet);
    put_real(object, "syscalls_per_packet", result->syscalls_per_packet);
    put_spread(object, "ratio_to_original", &result->ratio_to_original);
    put_call(object, result);
    put_count(object, "packets", result->packets);
    put_count(object, "refused", result->refused);
    put_count(object, "lost", result->lost);
}

static void put_no_figures(json_t *object)
{
    static const char *const names[] = {
        "packets_per_second",
        "cpu_ns_per_packet",
        "syscalls_per_packet",
        "ratio_to_original",
        "call_ns",
        "packets",
        "refused",
        "lost",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        put(object, names[i], json_null());
}

static json_t *engine_object(const struct engine_result *result)
{
    json_t *object = json_object();
    put_text(object, "engine", result->engine->name);
    if (result->fault[0] == '\0')
        put_figures(object, result);
    else
        put_no_figures(object);
    put_text(object, "fault", result->fault);
    return object;
}

/* ---- A workload ----------------------------------------------------------------------------- */

static json_t *range_object(size_t least, size_t most)
{
    json_t *object = json_object();
    put_count(object, "min", least);
    put_count(object, "max", most);
    return object;
}

static void put_workload(json_t *object, const struct workload_result *workload)
{
    put_text(object, "workload", workload->name);
    put_text(object, "what", workload->what);
    if (workload->curve != NULL) {
        put_text(object, "curve", workload->curve);
        put_count(object, "parameter", workload->parameter);
    }
    put_count(object, "packets_per_call", workload->packets);
    put_count(object, "payloads", workload->payloads);
    put_count(object, "targets", workload->targets);
    put_count(object, "bad_packets", workload->bad);
    put(object, "payload_bytes", range_object(workload->least_bytes, workload->most_bytes));
    put_count(object, "rounds", workload->rounds);
}

static json_t *workload_object(const struct workload_result *workload)
{
    json_t *object = json_object(), *engines = json_array();

    put_workload(object, workload);
    for (size_t i = 0; i < workload->engine_count; i++)
        json_array_append_new(engines, engine_object(&workload->engines[i]));
    put(object, "engines", engines);
    return object;
}

/* ---- The report ----------------------------------------------------------------------------- */

static json_t *offloads_object(const struct device *device)
{
    json_t *object = json_object();
    for (int i = 0; i < OFFLOADS; i++)
        if (device->offloads[i] != OFFLOAD_UNKNOWN)
            put_flag(object, device_offload_name((enum device_offload)i),
                     device->offloads[i] == OFFLOAD_ON);
    return object;
}

static json_t *where_object(const struct where *where)
{
    const struct device *device = &where->device;
    json_t *object = json_object();

    put_text(object, "kind", where->kind);
    put_text(object, "what", where->what);
    put_text(object, "device", device->name);
    put(object, "mtu", device->mtu > 0 ? json_integer(device->mtu) : json_null());
    put_flag(object, "segmentation_offload_switched_off", where->offload_off);
    put(object, "offloads", offloads_object(device));
    return object;
}

static void put_machine(json_t *object, const struct machine *machine)
{
    put_text(object, "version", udpbatch_version());
    put_text(object, "kernel", machine->kernel);
    put_text(object, "cpu", machine->cpu);
    put(object, "cpus", machine->cpus > 0 ? json_integer(machine->cpus) : json_null());
}

static json_t *workloads_array(const struct report *report)
{
    json_t *array = json_array();
    for (size_t i = 0; i < report->count; i++)
        json_array_append_new(array, workload_object(&report->workloads[i]));
    return array;
}

bool bench_json_print(const struct report *report)
{
    json_t *object = json_object();

    put_machine(object, &report->machine);
    put(object, "where", where_object(&report->where));
    put_flag(object, "contiguous", report->contiguous);
    put_count(object, "rounds", report->rounds);
    put_real(object, "seconds_per_round", report->seconds);
    put_flag(object, "interrupted", report->interrupted);
    if (json_object_set_new(object, "workloads", workloads_array(report)) < 0) {
        json_decref(object);
        return false;
    }
    /* A failure to write stays in the stream, where main sees it. */
    json_dumpf(object, stdout, JSON_REAL_PRECISION(9));
    putchar('\n');
    json_decref(object);
    return true;
}

#else

bool bench_json_print(const struct report *report)
{
    (void)report;
    return false;
}

#endif
