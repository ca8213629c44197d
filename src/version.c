/* version.c: what the program linked with is told of the library that it runs with. */
#include "internal.h"

const char *udpbatch_version(void)
{
    return UDPBATCH_VERSION;
}
