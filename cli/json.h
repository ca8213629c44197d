/* json.h: what became of it all, for programs. */
#ifndef JSON_H
#define JSON_H

#include "cli.h"
#include "report.h"

/* Whether this was built with jansson; without it, the calls below print nothing. */
bool json_is_built_in(void);

/* One object in one line on stdout. Returns false if there is no memory for it. */
bool json_send(const struct send_result *result);
bool json_recv(const struct recv_result *result);

#endif
