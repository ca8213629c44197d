/* bench_json.c: what a run has measured, for programs. */
#include "bench_json.h"

#ifdef HAVE_JANSSON

#include <stdio.h>

#include "json_object.h"

enum { NAME_TEXT = 32 };

/* ---- An engine ------------------------------------------------------------------------------ */

static void put_spread(json_t *object, const char *name, const struct spread *spread)
{
    json_t *value = NULL;
    if (spread->known) {
        value = json_object();
        json_put_real(value, "min", spread->min);
        json_put_real(value, "median", spread->median);
        json_put_real(value, "max", spread->max);
    }
    json_put(object, name, value);
}

static void put_call(json_t *object, const struct engine_result *result)
{
    json_t *value = NULL;
    if (result->call_p50_ns > 0) {
        value = json_object();
        json_put_count(value, "p50", result->call_p50_ns);
        json_put_count(value, "p99", result->call_p99_ns);
    }
    json_put(object, "call_ns", value);
}

static const char *ratio_name(const struct engine_result *result, char name[NAME_TEXT])
{
    snprintf(name, NAME_TEXT, "ratio_to_%s", engines_baseline(engine_direction(result->engine)));
    return name;
}

static void put_figures(json_t *object, const struct engine_result *result)
{
    char ratio[NAME_TEXT];

    put_spread(object, "packets_per_second", &result->packets_per_second);
    put_spread(object, "cpu_ns_per_packet", &result->cpu_ns_per_packet);
    json_put_real(object, "syscalls_per_packet", result->syscalls_per_packet);
    put_spread(object, ratio_name(result, ratio), &result->ratio_to_baseline);
    put_call(object, result);
    json_put_count(object, "packets", result->packets);
    json_put_count(object, "refused", result->refused);
    json_put(object, "lost", result->lost_known ? json_integer((json_int_t)result->lost) : NULL);
}

static void put_no_figures(json_t *object, const struct engine_result *result)
{
    char ratio[NAME_TEXT];
    const char *const names[] = {
        "packets_per_second",
        "cpu_ns_per_packet",
        "syscalls_per_packet",
        ratio_name(result, ratio),
        "call_ns",
        "packets",
        "refused",
        "lost",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        json_put(object, names[i], json_null());
}

static json_t *engine_object(const struct engine_result *result)
{
    json_t *object = json_object();
    json_put_text(object, "engine", result->engine->name);
    json_put_text(object, "uses", result->uses);
    if (result->fault[0] == '\0')
        put_figures(object, result);
    else
        put_no_figures(object, result);
    json_put_text(object, "fault", result->fault);
    return object;
}

/* ---- A workload ----------------------------------------------------------------------------- */

static json_t *range_object(size_t least, size_t most)
{
    json_t *object = json_object();
    json_put_count(object, "min", least);
    json_put_count(object, "max", most);
    return object;
}

static void put_workload(json_t *object, const struct workload_result *workload)
{
    json_put_text(object, "workload", workload->name);
    json_put_text(object, "what", workload->what);
    if (workload->curve != NULL) {
        json_put_text(object, "curve", workload->curve);
        json_put_count(object, "parameter", workload->parameter);
    }
    json_put_count(object, "packets_per_call", workload->packets);
    json_put_count(object, "payloads", workload->payloads);
    json_put_count(object, "targets", workload->targets);
    json_put_count(object, "bad_packets", workload->bad);
    json_put(object, "payload_bytes", range_object(workload->least_bytes, workload->most_bytes));
    json_put_count(object, "rounds", workload->rounds);
}

static json_t *workload_object(const struct workload_result *workload)
{
    json_t *object = json_object(), *engines = json_array();

    put_workload(object, workload);
    for (size_t i = 0; i < workload->engine_count; i++)
        json_array_append_new(engines, engine_object(&workload->engines[i]));
    json_put(object, "engines", engines);
    return object;
}

/* ---- The report ----------------------------------------------------------------------------- */

static json_t *offloads_object(const struct device *device)
{
    json_t *object = json_object();
    for (int i = 0; i < OFFLOADS; i++)
        if (device->offloads[i] != OFFLOAD_UNKNOWN)
            json_put_flag(object, device_offload_name((enum device_offload)i),
                          device->offloads[i] == OFFLOAD_ON);
    return object;
}

static json_t *where_object(const struct where *where)
{
    const struct device *device = &where->device;
    json_t *object = json_object();

    json_put_text(object, "kind", where->kind);
    json_put_text(object, "what", where->what);
    json_put_text(object, "device", device->name);
    json_put(object, "mtu", device->mtu > 0 ? json_integer(device->mtu) : json_null());
    json_put_flag(object, "segmentation_offload_switched_off", where->offload_off);
    json_put(object, "offloads", offloads_object(device));
    return object;
}

static void put_machine(json_t *object, const struct machine *machine)
{
    json_put_text(object, "version", udpbatch_version());
    json_put_text(object, "kernel", machine->kernel);
    json_put_text(object, "cpu", machine->cpu);
    json_put(object, "cpus", machine->cpus > 0 ? json_integer(machine->cpus) : json_null());
}

static json_t *left_out_array(const struct report *report)
{
    json_t *array = json_array();
    for (size_t i = 0; i < report->left_out_count; i++) {
        json_t *object = json_object();
        json_put_text(object, "engine", report->left_out[i].engine->name);
        json_put_text(object, "reason", report->left_out[i].reason);
        json_array_append_new(array, object);
    }
    return array;
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
    json_put_text(object, "direction", report->direction == SENDING ? "send" : "receive");
    json_put(object, "where", where_object(&report->where));
    json_put_flag(object, "optimised", report->optimised);
    json_put_flag(object, "contiguous", report->contiguous);
    json_put_count(object, "rounds", report->rounds);
    json_put_real(object, "seconds_per_round", report->seconds);
    json_put(object, "left_out", left_out_array(report));
    json_put_flag(object, "interrupted", report->interrupted);
    return json_object_print(object, "workloads", workloads_array(report));
}

#else

bool bench_json_print(const struct report *report)
{
    (void)report;
    return false;
}

#endif
