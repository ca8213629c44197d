/* plot_sheet.h: the sheet of a picture: title, legend and panels. */
#ifndef PLOT_SHEET_H
#define PLOT_SHEET_H

#include "plot_panel.h"

/* Whether there is anything to draw. */
bool plot_has_panels(const struct plot *plot);

/* Writes the sheet for a height of plot->height pixels. Returns how many it needs. */
int plot_put_sheet(const struct plot *plot);

#endif
