/* plot_sheet.c: the sheet of a picture: title, legend and panels. */
#include "plot_sheet.h"

#include <assert.h>
#include <string.h>

#include "plot_bars.h"
#include "plot_curve.h"

/* ---- Title and legend ----------------------------------------------------------------------- */

/* Wraps the text into lines. Returns where the next line is. */
static double put_small_lines(const struct plot *plot, const char *text, double y)
{
    enum { LINE = 16 };
    size_t room = (size_t)((PLOT_WIDTH - 2 * PLOT_LEFT) / PLOT_SMALL_CHARACTER);
    char line[512];

    while (*text != '\0') {
        text = plot_wrap(text, room, line, sizeof line);
        plot_put_label(plot, line, PLOT_LEFT, y, PLOT_SMALL_POINTS + 1);
        y += LINE;
    }
    return y;
}

static double put_title(const struct plot *plot)
{
    const struct report *report = plot->report;
    const struct machine *machine = &report->machine;
    char text[1024];

    plot_put_label(plot, "udpbatch bench: CPU time per packet, the kernel's part included",
                   PLOT_LEFT, 22, PLOT_TITLE_POINTS);
    double y = put_small_lines(plot, report->where.what, 48);
    snprintf(text, sizeof text,
             "%s; %s, %ld CPU%s; udpbatch %s; payloads %s in memory; %zu rounds of %.3f s%s",
             machine->kernel, machine->cpu[0] != '\0' ? machine->cpu : "CPU not known",
             machine->cpus, machine->cpus == 1 ? "" : "s", udpbatch_version(),
             report->contiguous ? "side by side" : "scattered", report->rounds, report->seconds,
             report->interrupted ? "; interrupted" : "");
    return put_small_lines(plot, text, y);
}

static size_t longest_name(const struct view_engines *engines)
{
    size_t longest = 0;
    for (size_t i = 0; i < engines->count; i++)
        if (strlen(engines->list[i]->name) > longest)
            longest = strlen(engines->list[i]->name);
    return longest;
}

static void put_mark(const struct plot *plot, size_t look, double x, double y)
{
    fputs("set label '' at ", plot->script);
    plot_put_x(plot, x);
    fputs(", ", plot->script);
    plot_put_y(plot, y);
    fprintf(plot->script, " point pointtype %d pointsize 1.4 linewidth 2 linecolor rgb '#%s'\n",
            plot_point(look), plot_colour(look));
}

/* Row by row, in columns as wide as the longest name. Returns where the next line is. */
static double put_legend(const struct plot *plot, double y)
{
    enum { LINE = 20, MARK = 26, GAP = 24 };
    const struct view_engines *engines = &plot->engines;
    assert(engines->count > 0);
    double width = MARK + GAP + (double)longest_name(engines) * PLOT_CHARACTER;
    size_t most = (size_t)((PLOT_WIDTH - 2 * PLOT_LEFT) / width);
    if (most == 0)
        most = 1;
    size_t rows = (engines->count + most - 1) / most;
    size_t columns = (engines->count + rows - 1) / rows;

    for (size_t i = 0; i < engines->count; i++) {
        const size_t row = i / columns, column = i % columns;
        double x = PLOT_LEFT + (double)column * width;
        double line = y + (double)row * LINE;
        put_mark(plot, engines->looks[i], x + 8, line);
        plot_put_label(plot, engines->list[i]->name, x + MARK, line, PLOT_POINTS);
    }
    return y + (double)rows * LINE;
}

/* A plot that shows nothing but its labels. Returns where the panels begin. */
static double put_frame(const struct plot *plot)
{
    fputs("unset border\nunset xtics\nunset ytics\n", plot->script);
    double y = put_legend(plot, put_title(plot) + 8);
    fputs("plot [0:1] [0:1] 2\nset border 3\nset ytics nomirror\nset grid ytics linetype 1"
          " linecolor rgb '#e0e0e0'\nset xtics nomirror\nset tics scale 0.5\n",
          plot->script);
    return y;
}

/* ---- The panels ----------------------------------------------------------------------------- */

/* Around a box: the numbers and name of its axis, and its title. */
enum { BESIDE = 80, ABOVE = 34, BETWEEN = 16, BARS_HEIGHT = 300, CURVE_HEIGHT = 340 };

static size_t count_curves(const struct plot *plot)
{
    size_t count = 0;
    for (size_t i = 0; i < plot->report->count; i++)
        count += view_begins_curve(plot->report, i) &&
                 plot_has_curve(plot, plot->report->workloads[i].curve);
    return count;
}

static double place_bars(const struct plot *plot, double y)
{
    struct plot_box box = { .left = BESIDE,
                            .right = PLOT_WIDTH - PLOT_LEFT,
                            .top = y + ABOVE,
                            .bottom = y + ABOVE + BARS_HEIGHT };
    if (!plot_has_bars(plot))
        return y;
    plot_put_bars(plot, &box);
    return box.bottom + PLOT_BARS_BELOW;
}

/* Two in a row; the last of an odd number has the row for itself. */
static struct plot_box place_curve(size_t number, size_t count, double y)
{
    bool is_alone = number % 2 == 0 && number + 1 == count;
    double width = is_alone ? PLOT_WIDTH : PLOT_WIDTH / 2.0;
    double left = number % 2 == 0 ? 0 : width;
    const size_t row = number / 2;
    double top = y + (double)row * (ABOVE + CURVE_HEIGHT + PLOT_CURVE_BELOW) + ABOVE;

    return (struct plot_box){ .left = left + BESIDE,
                              .right = left + width - PLOT_LEFT,
                              .top = top,
                              .bottom = top + CURVE_HEIGHT };
}

static double place_curves(const struct plot *plot, double y)
{
    size_t count = count_curves(plot), number = 0;
    double end = y;

    for (size_t i = 0; i < plot->report->count; i++) {
        const char *curve = plot->report->workloads[i].curve;
        if (!view_begins_curve(plot->report, i) || !plot_has_curve(plot, curve))
            continue;
        struct plot_box box = place_curve(number++, count, y);
        plot_put_curve(plot, curve, &box);
        end = box.bottom + PLOT_CURVE_BELOW;
    }
    return end;
}

bool plot_has_panels(const struct plot *plot)
{
    return plot_has_bars(plot) || count_curves(plot) > 0;
}

int plot_put_sheet(const struct plot *plot)
{
    fputs("set multiplot\nunset key\n", plot->script);
    double y = place_curves(plot, place_bars(plot, put_frame(plot)));
    fputs("unset multiplot\n", plot->script);
    return (int)y;
}
