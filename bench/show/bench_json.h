/* bench_json.h: what a run has measured, for programs. */
#ifndef BENCH_JSON_H
#define BENCH_JSON_H

#include "cli.h"
#include "result.h"

/* One object in one line on stdout. Returns false if there is no memory for it, or if this was
 * built without jansson: json_is_built_in() tells. */
bool bench_json_print(const struct report *report);

#endif
