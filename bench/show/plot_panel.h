/* plot_panel.h: what the panels of a picture share: colours, places and the axis of CPU time. */
#ifndef PLOT_PANEL_H
#define PLOT_PANEL_H

#include "cli.h"

#include <stdio.h>

#include "view.h"

enum {
    PLOT_WIDTH = 1200,
    PLOT_LEFT = 20, /* free, at both sides */
    PLOT_TITLE_POINTS = 14,
    PLOT_POINTS = 10,
    PLOT_SMALL_POINTS = 8
};

/* The width of a character in the widest common font, DejaVu Sans. */
extern const double PLOT_CHARACTER, PLOT_SMALL_CHARACTER;

struct plot {
    const struct report *report;
    struct view_engines engines;
    FILE *script;
    int height;
};

/* In pixels from the upper left corner; of the axes, which have their labels outside. */
struct plot_box {
    double left, right, top, bottom;
};

/* "#RRGGBB", without the "#", and the number of gnuplot's point type, of view_engines.looks[i]. */
const char *plot_colour(size_t look);
int plot_point(size_t look);

/* Writes "screen X" or "screen Y" for pixels. */
void plot_put_x(const struct plot *plot, double x);
void plot_put_y(const struct plot *plot, double y);

/* Text in one line, in a font of so many points: from x on; centred about x; or upwards to y. */
void plot_put_label(const struct plot *plot, const char *text, double x, double y, int points);
void plot_put_centred(const struct plot *plot, const char *text, double x, double y, int points);
void plot_put_upright(const struct plot *plot, const char *text, double x, double y, int points);

/* Writes the beginning of text that has room in a line of so many characters; wraps at a space if
 * there is one. Returns what follows it. */
const char *plot_wrap(const char *text, size_t room, char *line, size_t size);

/* ---- The axis of CPU time ------------------------------------------------------------------- */

/* Of figures. Begins as { 0, 0 }. */
struct plot_range {
    double low, high;
};

/* Whether the spread can be shown; widens the range if so. */
bool plot_is_shown(const struct spread *cpu);
void plot_widen(struct plot_range *range, const struct spread *cpu);

/* Begins a panel with that title and axis, and with room above the highest figure, as a part of the
 * range. */
void plot_put_panel(const struct plot *plot, const struct plot_box *box, const char *title,
                    struct plot_range range, double room_above);

/* Writes three columns of data: median, min and max. */
void plot_put_spread(const struct plot *plot, const struct spread *cpu);

#endif
