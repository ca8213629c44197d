/* options.c: structures that carry their size, so that programs and library may differ in age. */
#include "internal.h"

#include <string.h>

/* No version will have a structure of this size: it is a member that was not set. */
enum { SIZE_MOST = 4096 };

/* Copies the caller's structure into mine, which is zeroed. A longer one is from a later header:
 * it is taken if what this version does not know is zero. */
int ub_options_take(void *mine, size_t size, const void *theirs)
{
    const unsigned char *bytes = theirs;
    size_t their_size;

    if (theirs == NULL)
        return 0;
    memcpy(&their_size, theirs, sizeof their_size);
    if (their_size < sizeof their_size)
        return -EINVAL;
    if (their_size > SIZE_MOST)
        return -E2BIG;
    for (size_t i = size; i < their_size; i++)
        if (bytes[i] != 0)
            return -E2BIG;
    memcpy(mine, theirs, their_size < size ? their_size : size);
    return 0;
}

/* Copies mine into the caller's structure, as much of it as the caller knows. */
void ub_stats_give(void *theirs, const void *mine, size_t size)
{
    size_t their_size;
    memcpy(&their_size, theirs, sizeof their_size);
    if (their_size < sizeof their_size || their_size > SIZE_MOST)
        return;
    size_t known = their_size < size ? their_size : size;
    memcpy((unsigned char *)theirs + sizeof their_size,
           (const unsigned char *)mine + sizeof their_size, known - sizeof their_size);
    memset((unsigned char *)theirs + known, 0, their_size - known);
}
