/* json.h: what became of it all, for programs. */
#ifndef JSON_H
#define JSON_H

#include "cli.h"
#include "report.h"

/* Whether this was built with jansson; without it, those that print print nothing. */
bool json_is_built_in(void);

/* Each prints one object in one line on stdout. Returns false if there is no memory for it. */

/* `report` is what it is: "result", or "totals" of what goes on. */
bool json_send(const char *report, const struct send_result *result);

bool json_send_interval(const struct send_interval *interval);

#endif
