/* plot_curve.c: the panel of a curve: a line per engine. */
#include "plot_curve.h"

/* The axis is logarithmic, and has no place for 0. */
static bool is_on_axis(const struct workload_result *workload, const char *curve)
{
    return view_is_point(workload, curve) && workload->parameter > 0;
}

/* Widens the range by what is to be drawn of the engine. Returns false if there is nothing. */
static bool widen(const struct plot *plot, const char *curve, size_t engine,
                  struct plot_range *range)
{
    bool is_any = false;
    for (size_t i = 0; i < plot->report->count; i++) {
        const struct workload_result *point = &plot->report->workloads[i];
        if (!is_on_axis(point, curve))
            continue;
        const struct spread *cpu = view_cpu(point, plot->engines.list[engine]);
        if (!plot_is_shown(cpu))
            continue;
        plot_widen(range, cpu);
        is_any = true;
    }
    return is_any;
}

static struct plot_range range_of_curve(const struct plot *plot, const char *curve)
{
    struct plot_range range = { 0, 0 };
    for (size_t i = 0; i < plot->engines.count; i++)
        widen(plot, curve, i, &range);
    return range;
}

bool plot_has_curve(const struct plot *plot, const char *curve)
{
    return range_of_curve(plot, curve).high > 0;
}

/* A tic for each point; what lies between them is not known. */
static void put_parameters(const struct plot *plot, const char *curve)
{
    const char *between = "";
    size_t least = SIZE_MAX, most = 0;

    fputs("set xtics nomirror (", plot->script);
    for (size_t i = 0; i < plot->report->count; i++) {
        const struct workload_result *point = &plot->report->workloads[i];
        if (!is_on_axis(point, curve))
            continue;
        fprintf(plot->script, "%s'%zu' %zu", between, point->parameter, point->parameter);
        between = ", ";
        least = point->parameter < least ? point->parameter : least;
        most = point->parameter > most ? point->parameter : most;
    }
    fprintf(plot->script, ") font ',%d'\nset logscale x 2\nset xrange [%.9g:%.9g]\n",
            PLOT_SMALL_POINTS + 1, (double)least / 1.3, (double)most * 1.3);
}

/* Lines of: parameter, median, min, max. A line without figures makes a gap. */
static void put_data(const struct plot *plot, const char *curve, size_t engine)
{
    fprintf(plot->script, "$engine%zu << EOD\n", engine);
    for (size_t i = 0; i < plot->report->count; i++) {
        const struct workload_result *point = &plot->report->workloads[i];
        if (!is_on_axis(point, curve))
            continue;
        const struct spread *cpu = view_cpu(point, plot->engines.list[engine]);
        if (plot_is_shown(cpu)) {
            fprintf(plot->script, "%zu ", point->parameter);
            plot_put_spread(plot, cpu);
        }
        putc('\n', plot->script);
    }
    fputs("EOD\n", plot->script);
}

static void put_line(const struct plot *plot, size_t engine)
{
    size_t look = plot->engines.looks[engine];
    fprintf(plot->script,
            "$engine%zu using 1:3:(0):($4-$3) with vectors heads size screen 0.0015,90 nofilled"
            " linecolor rgb '#%s' linewidth 0.6,"
            " '' using 1:2 with linespoints linecolor rgb '#%s' linewidth 1.6"
            " pointtype %d pointsize 0.8",
            engine, plot_colour(look), plot_colour(look), plot_point(look));
}

void plot_put_curve(const struct plot *plot, const char *curve, const struct plot_box *box)
{
    static const double ROOM_ABOVE = 0.06;
    const char *between = "plot ";
    char title[RESULT_TEXT];
    struct plot_range unused = { 0, 0 };

    snprintf(title, sizeof title, "%.40s: CPU ns per packet, median, min and max; lower is better",
             curve);
    plot_put_panel(plot, box, title, range_of_curve(plot, curve), ROOM_ABOVE);
    put_parameters(plot, curve);
    fprintf(plot->script, "set xlabel '%s'\n", view_axis(plot->report, curve));
    for (size_t i = 0; i < plot->engines.count; i++)
        put_data(plot, curve, i);
    for (size_t i = 0; i < plot->engines.count; i++) {
        if (!widen(plot, curve, i, &unused))
            continue;
        fputs(between, plot->script);
        put_line(plot, i);
        between = ", ";
    }
    putc('\n', plot->script);
}
