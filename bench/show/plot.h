/* plot.h: what a run has measured, as a picture. */
#ifndef PLOT_H
#define PLOT_H

#include "cli.h"
#include "complain.h"
#include "result.h"

/* Whether plot_draw would succeed: the file ends in .svg or .png, can be written, and gnuplot can
 * be run. Leaves the file as it is. Returns false, and the reason, otherwise. */
bool plot_check(const char *file, struct reason *reason);

/* Draws the report into the file: CPU time per packet as bars, and a panel for each curve. Returns
 * false, and the reason, on failure. */
bool plot_draw(const struct report *report, const char *file, struct reason *reason);

#endif
