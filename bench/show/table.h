/* table.h: what a run has measured, as a table for people. */
#ifndef TABLE_H
#define TABLE_H

#include "cli.h"

#include <stdio.h>

#include "result.h"

/* What was measured on, a table per workload, and one per curve. A failure to write stays in the
 * stream. */
void table_print(const struct report *report, FILE *out);

#endif
