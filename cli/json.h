/* json.h: whether results can be printed for programs. */
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>

/* Whether this was built with jansson; without it, all that print JSON print nothing. */
bool json_is_built_in(void);

#endif
