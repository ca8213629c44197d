/* json_object.c: members of the objects that are printed. Only with jansson. */
#ifdef HAVE_JANSSON

#include "json_object.h"

#include <float.h>

void json_put(json_t *object, const char *name, json_t *value)
{
    json_object_set_new(object, name, value != NULL ? value : json_null());
}

void json_put_text(json_t *object, const char *name, const char *text)
{
    json_put(object, name, text != NULL && text[0] != '\0' ? json_string(text) : NULL);
}

void json_put_real(json_t *object, const char *name, double value)
{
    json_put(object, name, value >= 0 && value <= DBL_MAX ? json_real(value) : NULL);
}

void json_put_count(json_t *object, const char *name, uint64_t count)
{
    json_put(object, name, json_integer((json_int_t)count));
}

void json_put_flag(json_t *object, const char *name, bool value)
{
    json_put(object, name, json_boolean(value));
}

bool json_object_print(json_t *object, const char *name, json_t *value)
{
    if (json_object_set_new(object, name, value) < 0) {
        json_decref(object);
        return false;
    }
    /* A failure to write stays in the stream, where main sees it. */
    json_dumpf(object, stdout, JSON_REAL_PRECISION(9));
    putchar('\n');
    fflush(stdout);
    json_decref(object);
    return true;
}

#else

typedef int json_object_is_not_built;

#endif
