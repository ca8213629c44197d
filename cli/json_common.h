/* json_common.h: what the objects of sending and receiving have in common. Only with jansson. */
#ifndef JSON_COMMON_H
#define JSON_COMMON_H

#include "json_object.h"

/* An object that begins with what it is, "interval", "totals" or "result", and by whom. */
json_t *json_begin(const char *report, const char *backend);

void json_put_address(json_t *object, const char *name, const union udpbatch_addr *address);

/* What so many packets took. */
void json_put_effort(json_t *object, uint64_t packets, double seconds, uint64_t system_calls,
                     double cpu_seconds);

#endif
