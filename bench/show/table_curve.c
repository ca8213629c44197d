/* table_curve.c: the points of a curve in one table. */
#include "table_curve.h"

#include "view.h"

/* Looks for the first fault of the engine on the curve. Returns NULL if there is none. */
static const struct workload_result *find_fault(const struct report *report, const char *curve,
                                                const struct engine *engine)
{
    for (size_t i = 0; i < report->count; i++) {
        const struct workload_result *point = &report->workloads[i];
        if (!view_is_point(point, curve))
            continue;
        const struct engine_result *result = view_result(point, engine);
        if (result != NULL && result->fault[0] != '\0')
            return point;
    }
    return NULL;
}

struct tally {
    size_t results, figures;
};

static struct tally count_points(const struct report *report, const char *curve,
                                 const struct engine *engine)
{
    struct tally tally = { 0, 0 };
    for (size_t i = 0; i < report->count; i++) {
        const struct workload_result *point = &report->workloads[i];
        if (!view_is_point(point, curve))
            continue;
        tally.results += view_result(point, engine) != NULL;
        tally.figures += view_cpu(point, engine) != NULL;
    }
    return tally;
}

static void print_cells(const struct report *report, const char *curve, const struct engine *engine,
                        FILE *out)
{
    for (size_t i = 0; i < report->count; i++) {
        const struct workload_result *point = &report->workloads[i];
        if (!view_is_point(point, curve))
            continue;
        const struct spread *cpu = view_cpu(point, engine);
        char text[VIEW_TEXT] = "-";
        if (cpu != NULL)
            view_write_figure(cpu->median, text);
        fprintf(out, " %6s", text);
    }
    putc('\n', out);
}

static void print_row(const struct report *report, const char *curve, const struct engine *engine,
                      int width, FILE *out)
{
    struct tally tally = count_points(report, curve, engine);
    const struct workload_result *faulty = find_fault(report, curve, engine);

    if (tally.results == 0)
        return;
    fprintf(out, "%-*s ", width, engine->name);
    if (faulty == NULL || tally.figures > 0)
        print_cells(report, curve, engine, out);
    else
        fprintf(out, " no figures: %s\n", view_result(faulty, engine)->fault);
    if (faulty != NULL && tally.figures > 0)
        fprintf(out, "%-*s  no figures at %zu: %s\n", width, "", faulty->parameter,
                view_result(faulty, engine)->fault);
}

static void print_heads(const struct report *report, const char *curve, int width, FILE *out)
{
    fprintf(out, "\n%s: CPU ns per packet (median) by %s\n%-*s ", curve, view_axis(report, curve),
            width, "engine");
    for (size_t i = 0; i < report->count; i++)
        if (view_is_point(&report->workloads[i], curve))
            fprintf(out, " %6zu", report->workloads[i].parameter);
    putc('\n', out);
}

void table_print_curve(const struct report *report, const char *curve, int width, FILE *out)
{
    struct view_engines engines;

    view_engines(report, &engines);
    print_heads(report, curve, width, out);
    for (size_t i = 0; i < engines.count; i++)
        print_row(report, curve, engines.list[i], width, out);
}
