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
 * may be waiting for it. Returns false if there was no memory for it: then nothing is printed, or a
 * part. */
bool json_object_print(json_t *object, const char *name, json_t *value);

/* What makes element i of an array, of which the context tells; NULL: no memory. */
typedef json_t *json_element(const void *context, size_t i);

/* As json_object_print, with an array of n elements behind that member, which takes the memory of
 * one, however many there are. */
bool json_object_print_array(json_t *object, const char *name, json_t *value, const char *array,
                             json_element *element, const void *context, size_t n);

#endif
