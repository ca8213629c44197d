/* plot_bars.c: the panel of bars: a cluster per workload, a bar per engine. */
#include "plot_bars.h"

#include <string.h>

/* Bars have a width of 1, and each cluster has half of the gap on both sides. */
struct scale {
    double gap, end;
    double pixels; /* per bar */
};

static bool is_cluster(const struct workload_result *workload)
{
    return workload->curve == NULL && workload->engine_count > 0;
}

static struct plot_range range_of_bars(const struct plot *plot)
{
    struct plot_range range = { 0, 0 };
    for (size_t i = 0; i < plot->report->count; i++) {
        const struct workload_result *workload = &plot->report->workloads[i];
        for (size_t j = 0; is_cluster(workload) && j < plot->engines.count; j++) {
            const struct spread *cpu = view_cpu(workload, plot->engines.list[j]);
            if (plot_is_shown(cpu))
                plot_widen(&range, cpu);
        }
    }
    return range;
}

bool plot_has_bars(const struct plot *plot)
{
    return range_of_bars(plot).high > 0;
}

/* A few bars are spread over the panel, rather than be as wide as houses. */
static struct scale scale_of_bars(const struct plot *plot, const struct plot_box *box)
{
    static const double LEAST_GAP = 1.5, LEAST_END = 22;
    size_t bars = 0, clusters = 0;

    for (size_t i = 0; i < plot->report->count; i++) {
        if (!is_cluster(&plot->report->workloads[i]))
            continue;
        bars += plot->report->workloads[i].engine_count;
        clusters++;
    }
    struct scale scale = { .gap = (LEAST_END - (double)bars) / (double)clusters };
    if (scale.gap < LEAST_GAP)
        scale.gap = LEAST_GAP;
    scale.end = (double)bars + (double)clusters * scale.gap;
    scale.pixels = (box->right - box->left) / scale.end;
    return scale;
}

/* In as many lines as there is room for. */
static void put_what(const struct plot *plot, const char *what, double x, double y, double width)
{
    enum { LINE = 13, LINES = 6, LEAST_ROOM = 12 };
    size_t room = (size_t)(width / PLOT_SMALL_CHARACTER);
    char line[RESULT_TEXT];

    if (room < LEAST_ROOM)
        return;
    for (int i = 0; i < LINES && *what != '\0'; i++) {
        what = plot_wrap(what, room, line, sizeof line);
        if (i + 1 == LINES && *what != '\0' && strlen(line) > 3)
            strcpy(line + strlen(line) - 3, "...");
        plot_put_centred(plot, line, x, y + i * LINE, PLOT_SMALL_POINTS);
    }
}

static void put_name(const struct plot *plot, const struct workload_result *workload, double x,
                     double y, double width)
{
    double len = (double)strlen(workload->name) + 1;

    if (len * PLOT_CHARACTER <= width)
        plot_put_centred(plot, workload->name, x, y + 15, PLOT_POINTS);
    else
        plot_put_upright(plot, workload->name, x, y + 6, PLOT_SMALL_POINTS);
    put_what(plot, workload->what, x, y + 30, width);
}

static void put_names(const struct plot *plot, const struct plot_box *box,
                      const struct scale *scale)
{
    double x = box->left;
    for (size_t i = 0; i < plot->report->count; i++) {
        const struct workload_result *workload = &plot->report->workloads[i];
        if (!is_cluster(workload))
            continue;
        double width = ((double)workload->engine_count + scale->gap) * scale->pixels;
        put_name(plot, workload, x + width / 2, box->bottom, width);
        x += width;
    }
}

/* Lines of: x, median, min, max, colour, text. A bar without a figure leaves its place free. */
static void put_data(const struct plot *plot, const struct scale *scale)
{
    double x = 0;

    fputs("$bars << EOD\n", plot->script);
    for (size_t i = 0; i < plot->report->count; i++) {
        const struct workload_result *workload = &plot->report->workloads[i];
        if (!is_cluster(workload))
            continue;
        x += scale->gap / 2 + 0.5;
        for (size_t j = 0; j < plot->engines.count; j++) {
            if (view_result(workload, plot->engines.list[j]) == NULL)
                continue;
            const struct spread *cpu = view_cpu(workload, plot->engines.list[j]);
            char text[VIEW_TEXT];
            if (plot_is_shown(cpu)) {
                fprintf(plot->script, "%.9g ", x);
                plot_put_spread(plot, cpu);
                fprintf(plot->script, " 0x%s %s\n", plot_colour(plot->engines.looks[j]),
                        view_write_figure(cpu->median, text));
            }
            x += 1;
        }
        x += scale->gap / 2 - 0.5;
    }
    fputs("EOD\n", plot->script);
}

/* Writes the command that draws them; their figures beside one another where there is room. */
static void put_plot(const struct plot *plot, const char *figures)
{
    fprintf(plot->script,
            "plot $bars using 1:2:(0.86):5 with boxes linecolor rgb variable"
            " fillstyle solid 0.85 noborder,"
            " '' using 1:3:(0):($4-$3) with vectors heads size screen 0.0025,90 nofilled"
            " linecolor rgb '#000000'");
    if (figures != NULL)
        fprintf(plot->script, ", '' using 1:4:6 with labels %s font ',%d'", figures,
                PLOT_SMALL_POINTS);
    putc('\n', plot->script);
}

void plot_put_bars(const struct plot *plot, const struct plot_box *box)
{
    static const double LEAST_PIXELS = 11, LEVEL_PIXELS = 36;
    struct scale scale = scale_of_bars(plot, box);
    const char *figures = scale.pixels < LEAST_PIXELS   ? NULL
                          : scale.pixels < LEVEL_PIXELS ? "left rotate by 90 offset 0,0.5"
                                                        : "center offset 0,0.6";

    plot_put_panel(plot, box,
                   "CPU ns per packet by workload: median, min and max of the rounds; "
                   "lower is better",
                   range_of_bars(plot), figures != NULL ? 0.22 : 0.06);
    put_names(plot, box, &scale);
    put_data(plot, &scale);
    fprintf(plot->script, "unset logscale x\nunset xlabel\nunset xtics\nset xrange [0:%.9g]\n",
            scale.end);
    put_plot(plot, figures);
}
