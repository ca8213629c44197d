/* gnuplot.h: runs gnuplot, and writes what it reads. */
#ifndef GNUPLOT_H
#define GNUPLOT_H

#include "cli.h"

#include <stdio.h>

#include "complain.h"

/* Runs the script from its beginning, with output as gnuplot's standard output. Returns false, and
 * the reason, if gnuplot could not be run or complained. */
bool gnuplot_run(FILE *script, int output, struct reason *reason);

/* Writes the text as a string of the script, whatever is in it. */
void gnuplot_put_text(FILE *script, const char *text);

#endif
