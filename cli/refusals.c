/* refusals.c: which target refused how many datagrams, and why. */
#include "refusals.h"

#include <stdlib.h>

bool refusals_begin(struct refusals *refusals, size_t target_count)
{
    *refusals = (struct refusals){ .first = calloc(target_count, sizeof *refusals->first),
                                   .target_count = target_count };
    if (refusals->first == NULL)
        return false;
    for (size_t i = 0; i < target_count; i++)
        refusals->first[i] = REFUSALS_END;
    return true;
}

static bool make_room(struct refusals *refusals)
{
    if (refusals->count < refusals->capacity)
        return true;
    size_t capacity = refusals->capacity == 0 ? 16 : refusals->capacity * 2;
    void *larger = realloc(refusals->rows, capacity * sizeof *refusals->rows);
    if (larger == NULL)
        return false;
    refusals->rows = larger;
    refusals->capacity = capacity;
    return true;
}

/* The link that leads to the row of a target and a reason, or to where it is to be. */
static size_t *find(struct refusals *refusals, size_t target, int error)
{
    size_t *link = &refusals->first[target];
    while (*link != REFUSALS_END && refusals->rows[*link].error != error)
        link = &refusals->rows[*link].next;
    return link;
}

void refusals_note(struct refusals *refusals, size_t target, int error)
{
    /* Room first, as links point into what it moves. Without it the total alone is told, which
     * the sender keeps. */
    if (!make_room(refusals))
        return;
    size_t *link = find(refusals, target, error);
    if (*link == REFUSALS_END) {
        *link = refusals->count;
        refusals->rows[refusals->count++] =
            (struct refusal){ .target = target, .error = error, .next = REFUSALS_END };
    }
    refusals->rows[*link].count++;
}

void refusals_free(struct refusals *refusals)
{
    free(refusals->rows);
    free(refusals->first);
    *refusals = (struct refusals){ 0 };
}
