/* plot_bars.h: the panel of bars: a cluster per workload, a bar per engine. */
#ifndef PLOT_BARS_H
#define PLOT_BARS_H

#include "plot_panel.h"

/* Whether there is a bar to draw. */
bool plot_has_bars(const struct plot *plot);

/* Writes the panel. The names of the workloads take PLOT_BARS_BELOW pixels below the box. */
enum { PLOT_BARS_BELOW = 112 };
void plot_put_bars(const struct plot *plot, const struct plot_box *box);

#endif
