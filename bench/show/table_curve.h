/* table_curve.h: the points of a curve in one table. */
#ifndef TABLE_CURVE_H
#define TABLE_CURVE_H

#include "cli.h"

#include <stdio.h>

#include "result.h"

/* A row per engine, with names in so many columns; a column per point. */
void table_print_curve(const struct report *report, const char *curve, int width, FILE *out);

#endif
