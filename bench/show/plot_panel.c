/* plot_panel.c: what the panels of a picture share: colours, places and the axis of CPU time. */
#include "plot_panel.h"

#include <math.h>
#include <string.h>

#include "gnuplot.h"

const double PLOT_CHARACTER = 7.6, PLOT_SMALL_CHARACTER = 6.2;

/* The palettes of Okabe and Ito, and of Paul Tol ("muted"), which the colour-blind can tell apart,
 * without those too pale for a line. */
static const struct {
    char colour[7];
    int point;
} looks[] = {
    { "999999", 5 },  { "0072B2", 7 },  { "E69F00", 9 },  { "009E73", 11 },
    { "D55E00", 13 }, { "56B4E9", 15 }, { "CC79A7", 4 },  { "332288", 6 },
    { "999933", 8 },  { "882255", 10 }, { "44AA99", 12 }, { "555555", 14 },
};

enum { LOOKS = sizeof looks / sizeof looks[0] };

const char *plot_colour(size_t look)
{
    return looks[look % LOOKS].colour;
}

int plot_point(size_t look)
{
    return looks[look % LOOKS].point;
}

void plot_put_x(const struct plot *plot, double x)
{
    fprintf(plot->script, "screen %.5f", x / PLOT_WIDTH);
}

void plot_put_y(const struct plot *plot, double y)
{
    fprintf(plot->script, "screen %.5f", 1 - y / plot->height);
}

static void put_label(const struct plot *plot, const char *text, double x, double y, int points,
                      const char *place)
{
    fputs("set label ", plot->script);
    gnuplot_put_text(plot->script, text);
    fputs(" at ", plot->script);
    plot_put_x(plot, x);
    fputs(", ", plot->script);
    plot_put_y(plot, y);
    fprintf(plot->script, " %s font ',%d'\n", place, points);
}

void plot_put_label(const struct plot *plot, const char *text, double x, double y, int points)
{
    put_label(plot, text, x, y, points, "left");
}

void plot_put_centred(const struct plot *plot, const char *text, double x, double y, int points)
{
    put_label(plot, text, x, y, points, "center");
}

void plot_put_upright(const struct plot *plot, const char *text, double x, double y, int points)
{
    put_label(plot, text, x, y, points, "right rotate by 90");
}

const char *plot_wrap(const char *text, size_t room, char *line, size_t size)
{
    size_t most = room < size - 1 ? room : size - 1;
    size_t len = strlen(text);

    if (len > most) {
        len = most;
        while (len > 0 && text[len] != ' ')
            len--;
        if (len == 0)
            len = most;
    }
    memcpy(line, text, len);
    line[len] = '\0';
    return text + len + strspn(text + len, " ");
}

/* ---- The axis of CPU time ------------------------------------------------------------------- */

bool plot_is_shown(const struct spread *cpu)
{
    return cpu != NULL && isfinite(cpu->median) && isfinite(cpu->min) && isfinite(cpu->max) &&
           cpu->min >= 0;
}

void plot_widen(struct plot_range *range, const struct spread *cpu)
{
    if (range->high <= 0 || cpu->min < range->low)
        range->low = cpu->min;
    if (cpu->max > range->high)
        range->high = cpu->max;
}

/* 1, 2 and 5 times the powers of ten. */
static void put_tics(const struct plot *plot, double low, double high)
{
    static const double steps[] = { 1, 2, 5 };
    const char *between = "";

    fputs("set ytics (", plot->script);
    for (int ten = (int)floor(log10(low)); pow(10, ten) <= high; ten++) {
        for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
            double tic = steps[i] * pow(10, ten);
            if (tic < low || tic > high)
                continue;
            fprintf(plot->script, "%s'%g' %g", between, tic, tic);
            between = ", ";
        }
    }
    fputs(")\n", plot->script);
}

/* Where the highest figure is many times the lowest, the low ones would be flat on a linear axis.
 */
static void put_axis(const struct plot *plot, struct plot_range range, double room_above)
{
    static const double MANY = 6, ROOM_BELOW = 0.12;
    double ratio = range.low > 0 ? range.high / range.low : 0;

    if (ratio < MANY) {
        fputs("unset logscale y\nset ytics auto\nset ylabel 'CPU ns per packet'\n", plot->script);
        fprintf(plot->script, "set yrange [0:%.9g]\n",
                range.high > 0 ? range.high * (1 + room_above) : 1);
        return;
    }
    double low = range.low / pow(ratio, ROOM_BELOW), high = range.high * pow(ratio, room_above);
    fputs("set logscale y\nset ylabel 'CPU ns per packet, log scale'\n", plot->script);
    fprintf(plot->script, "set yrange [%.9g:%.9g]\n", low, high);
    put_tics(plot, low, high);
}

static void put_margin(const struct plot *plot, const char *side, double pixels,
                       void (*put)(const struct plot *, double))
{
    fprintf(plot->script, "set %smargin at ", side);
    put(plot, pixels);
    putc('\n', plot->script);
}

void plot_put_panel(const struct plot *plot, const struct plot_box *box, const char *title,
                    struct plot_range range, double room_above)
{
    enum { TITLE_ABOVE = 14 };

    put_margin(plot, "l", box->left, plot_put_x);
    put_margin(plot, "r", box->right, plot_put_x);
    put_margin(plot, "t", box->top, plot_put_y);
    put_margin(plot, "b", box->bottom, plot_put_y);
    fputs("unset label\n", plot->script);
    plot_put_centred(plot, title, (box->left + box->right) / 2, box->top - TITLE_ABOVE,
                     PLOT_POINTS + 1);
    put_axis(plot, range, room_above);
}

void plot_put_spread(const struct plot *plot, const struct spread *cpu)
{
    fprintf(plot->script, "%.9g %.9g %.9g", cpu->median, cpu->min, cpu->max);
}
