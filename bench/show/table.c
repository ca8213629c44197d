/* table.c: what a run has measured, as a table for people. */
#include "table.h"

#include <string.h>

#include "table_curve.h"
#include "units.h"
#include "view.h"

/* ---- What differs between sending and receiving --------------------------------------------- */

static const struct wording {
    const char *title; /* behind the name of a workload */
    const char *unit;  /* what has all packets of a workload */
    const char *time;  /* that it takes */
    const char *legend;
} wordings[] = {
    [SENDING] = { .title = "",
                  .unit = "call",
                  .time = "call, us",
                  .legend =
                      "CPU ns/packet: of the whole process, the kernel's part included; less is"
                      " better.\n"
                      "call, us: how long one call takes that sends all packets of the workload."
                      "\n" },
    [RECEIVING] = { .title = ", received",
                    .unit = "burst",
                    .time = "burst, us",
                    .legend =
                        "Receiving: a socket's buffer is filled, and only emptying it is measured."
                        "\n"
                        "CPU ns/packet: of the whole process meanwhile, the kernel's part included;"
                        " less is better.\n"
                        "burst, us: how long it takes to receive all packets of the workload.\n" },
};

/* ---- What was measured on ------------------------------------------------------------------- */

static void print_offloads(const struct where *where, FILE *out)
{
    const char *between = "\noffloads  ";

    for (int i = 0; i < OFFLOADS; i++) {
        enum offload_state state = where->device.offloads[i];
        if (state == OFFLOAD_UNKNOWN)
            continue;
        fprintf(out, "%s%s %s%s", between, device_offload_name((enum device_offload)i),
                state == OFFLOAD_ON ? "on" : "off",
                i == OFFLOAD_UDP_SEGMENTATION && where->offload_off ? " (by this run)" : "");
        between = ", ";
    }
}

static void print_where(const struct where *where, FILE *out)
{
    fprintf(out, "where     %s\n", where->what[0] != '\0' ? where->what : "-");
    if (where->device.name[0] == '\0')
        return;
    fprintf(out, "device    %s", where->device.name);
    if (where->device.mtu > 0)
        fprintf(out, ", MTU %d", where->device.mtu);
    print_offloads(where, out);
    putc('\n', out);
}

/* Whether any workload is a point of a curve, or any is not. */
static bool has_any(const struct report *report, bool point)
{
    for (size_t i = 0; i < report->count; i++)
        if ((report->workloads[i].curve != NULL) == point)
            return true;
    return false;
}

static void print_setting(const struct report *report, FILE *out)
{
    const struct machine *machine = &report->machine;

    fprintf(out, "kernel    %s\n", machine->kernel);
    fprintf(out, "CPU       %s, %ld online\n", machine->cpu[0] != '\0' ? machine->cpu : "not known",
            machine->cpus);
    fprintf(out, "library   udpbatch %s%s\n", udpbatch_version(),
            report->optimised ? "" : ", not optimised: these figures say little");
    print_where(&report->where, out);
    fprintf(out, "payloads  %s in memory\n", report->contiguous ? "side by side" : "scattered");
    for (size_t i = 0; i < report->left_out_count; i++)
        fprintf(out, "left out  %s: %s\n", report->left_out[i].engine->name,
                report->left_out[i].reason);
    fprintf(out, "rounds    %zu of %.3f s for each engine%s\n", report->rounds, report->seconds,
            has_any(report, true) ? "; a quarter of that at the points of a curve" : "");
}

static void print_legend(enum direction direction, FILE *out)
{
    fprintf(out, "\n%sratio to %s: of the packets/s, taken round by round; - if it has none.\n",
            wordings[direction].legend, engines_baseline(direction));
}

/* ---- A workload ----------------------------------------------------------------------------- */

struct spread_text {
    char median[VIEW_TEXT], min[VIEW_TEXT], max[VIEW_TEXT];
};

typedef const char *write_function(double value, char text[VIEW_TEXT]);

static struct spread_text write_spread(const struct spread *spread, write_function *write)
{
    struct spread_text text = { "-", "-", "-" };
    if (spread->known) {
        write(spread->median, text.median);
        write(spread->min, text.min);
        write(spread->max, text.max);
    }
    return text;
}

/* Figures below 1 are what batching is about: three digits are too few. */
static const char *write_syscalls(double value, char text[VIEW_TEXT])
{
    if (value < 0)
        return strcpy(text, "-");
    if (value >= 1)
        return view_write_figure(value, text);
    snprintf(text, VIEW_TEXT, "%.5f", value);
    return text;
}

static const char *write_call(uint64_t time_ns, char text[VIEW_TEXT])
{
    return time_ns > 0 ? view_write_figure((double)time_ns / 1000, text) : strcpy(text, "-");
}

static const char *write_count(const struct engine_result *result, uint64_t count,
                               char text[VIEW_TEXT])
{
    return result->packets > 0 ? view_write_scaled((double)count, text) : strcpy(text, "-");
}

static void print_heads(enum direction direction, int width, FILE *out)
{
    fprintf(out, "%-*s  %-18s  %-18s  %8s  %-13s  %7s %5s  ratio to %s\n", width, "", "packets/s",
            "CPU ns/packet", "syscalls", wordings[direction].time, "", "",
            engines_baseline(direction));
    fprintf(out, "%-*s  %6s %5s %5s  %6s %5s %5s  %8s  %6s %6s  %7s %5s  %6s %4s %4s  %s\n", width,
            "engine", "median", "min", "max", "median", "min", "max", "/packet", "p50", "p99",
            "refused", "lost", "median", "min", "max", "uses");
}

static void print_row(const struct engine_result *result, int width, FILE *out)
{
    struct spread_text rate = write_spread(&result->packets_per_second, view_write_scaled);
    struct spread_text cpu = write_spread(&result->cpu_ns_per_packet, view_write_figure);
    struct spread_text ratio = write_spread(&result->ratio_to_baseline, view_write_figure);
    char syscalls[VIEW_TEXT], p50[VIEW_TEXT], p99[VIEW_TEXT], refused[VIEW_TEXT], lost[VIEW_TEXT];

    fprintf(out, "%-*s  %6s %5s %5s  %6s %5s %5s  %8s  %6s %6s  %7s %5s  %6s %4s %4s%s%s\n", width,
            result->engine->name, rate.median, rate.min, rate.max, cpu.median, cpu.min, cpu.max,
            write_syscalls(result->syscalls_per_packet, syscalls),
            write_call(result->call_p50_ns, p50), write_call(result->call_p99_ns, p99),
            write_count(result, result->refused, refused),
            result->lost_known ? write_count(result, result->lost, lost) : "-", ratio.median,
            ratio.min, ratio.max, result->uses[0] != '\0' ? "  " : "", result->uses);
}

static void print_heading(const struct workload_result *workload, enum direction direction,
                          FILE *out)
{
    enum { LONG = 80 };
    fprintf(out, "\n%s%s: %s%s%zu packet%s per %s, %zu round%s\n", workload->name,
            wordings[direction].title, workload->what,
            strlen(workload->what) > LONG ? ",\n    " : ", ", workload->packets,
            units_plural(workload->packets), wordings[direction].unit, workload->rounds,
            units_plural(workload->rounds));
}

static void print_workload(const struct workload_result *workload, enum direction direction,
                           int width, FILE *out)
{
    print_heading(workload, direction, out);
    print_heads(direction, width, out);
    for (size_t i = 0; i < workload->engine_count; i++) {
        const struct engine_result *result = &workload->engines[i];
        if (result->fault[0] != '\0')
            fprintf(out, "%-*s  no figures: %s\n", width, result->engine->name, result->fault);
        else
            print_row(result, width, out);
    }
}

static int width_of_names(const struct report *report)
{
    struct view_engines engines;
    size_t width = strlen("engine");

    view_engines(report, &engines);
    for (size_t i = 0; i < engines.count; i++)
        if (strlen(engines.list[i]->name) > width)
            width = strlen(engines.list[i]->name);
    return (int)width;
}

void table_print(const struct report *report, FILE *out)
{
    int width = width_of_names(report);

    print_setting(report, out);
    if (has_any(report, false))
        print_legend(report->direction, out);
    for (size_t i = 0; i < report->count; i++)
        if (report->workloads[i].curve == NULL)
            print_workload(&report->workloads[i], report->direction, width, out);
    for (size_t i = 0; i < report->count; i++)
        if (view_begins_curve(report, i))
            table_print_curve(report, report->workloads[i].curve, width, out);
    if (report->interrupted)
        fputs("\n-- interrupted\n", out);
}
