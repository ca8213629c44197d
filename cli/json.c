/* json.c: whether results can be printed for programs. */
#include "json.h"

#ifdef HAVE_JANSSON

bool json_is_built_in(void)
{
    return true;
}

#else

bool json_is_built_in(void)
{
    return false;
}

#endif
