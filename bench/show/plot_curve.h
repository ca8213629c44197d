/* plot_curve.h: the panel of a curve: a line per engine. */
#ifndef PLOT_CURVE_H
#define PLOT_CURVE_H

#include "plot_panel.h"

/* Whether there is a point to draw. */
bool plot_has_curve(const struct plot *plot, const char *curve);

/* Writes the panel. The names of the axis take PLOT_CURVE_BELOW pixels below the box. */
enum { PLOT_CURVE_BELOW = 50 };
void plot_put_curve(const struct plot *plot, const char *curve, const struct plot_box *box);

#endif
