/* json_object.h: members of the objects that are printed. Only with jansson. */
#ifndef JSON_OBJECT_H
#define JSON_OBJECT_H

#include <jansson.h>

#include "cli.h"

/* jansson passes a missing object on, and json_object_print sees the lack of memory. */

/* What jansson has no value for, such as text that is not UTF-8, becomes null. */
void json_put(json_t *object, const char *name, json_t *value);

/* What is not known becomes null: empty text, a number that is not finite or below 0. */
void json_put_text(json_t *object, const char *name, const char *text);
void json_put_real(json_t *object, const char *name, double value);
void json_put_count(json_t *object, const char *name, uint64_t count);
void json_put_flag(json_t *object, const char *name, bool value);

/* Adds the last member, prints the object in one line on stdout and frees it. At once, as who reads
 * may be waiting for it. Returns false, with nothing printed, if there was no memory for it. */
bool json_object_print(json_t *object, const char *name, json_t *value);

#endif
