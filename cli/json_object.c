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

/* It takes memory, too. A failure to write stays in the stream, where main sees it. */
static bool dump(const json_t *value, size_t flags)
{
    return json_dumpf(value, stdout, JSON_REAL_PRECISION(9) | flags) == 0 || ferror(stdout) != 0;
}

static void end_line(void)
{
    putchar('\n');
    fflush(stdout);
}

bool json_object_print(json_t *object, const char *name, json_t *value)
{
    if (json_object_set_new(object, name, value) < 0) {
        json_decref(object);
        return false;
    }
    const bool is_whole = dump(object, 0);
    end_line();
    json_decref(object);
    return is_whole;
}

static bool print_element(json_t *element)
{
    const bool is_whole = element != NULL && dump(element, 0);
    if (element == NULL)
        fputs("null", stdout);
    json_decref(element);
    return is_whole;
}

bool json_object_print_array(json_t *object, const char *name, json_t *value, const char *array,
                             json_element *element, const void *context, size_t n)
{
    if (json_object_set_new(object, name, value) < 0) {
        json_decref(object);
        return false;
    }
    putchar('{');
    bool is_whole = dump(object, JSON_EMBED);
    json_decref(object);
    printf(", \"%s\": [", array);
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            fputs(", ", stdout);
        is_whole = print_element(element(context, i)) && is_whole;
    }
    fputs("]}", stdout);
    end_line();
    return is_whole;
}

#else

typedef int json_object_is_not_built;

#endif
