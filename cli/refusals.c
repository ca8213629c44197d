/* refusals.c: which target refused how many datagrams, and why. */
#include "refusals.h"

#include <stdlib.h>
#include <string.h>

/* ---- Addresses ----------------------------------------------------------------------------- */

/* What makes an address another one. */
struct key {
    uint64_t words[3];
};

static struct key key_of(const union udpbatch_addr *address)
{
    const bool v6 = address->sa.sa_family == AF_INET6;
    struct key key = { .words[2] = v6 ? address->in6.sin6_port : address->in4.sin_port };

    if (v6) {
        memcpy(key.words, &address->in6.sin6_addr, sizeof address->in6.sin6_addr);
        key.words[2] |= (uint64_t)address->in6.sin6_scope_id << 32;
    } else {
        key.words[0] = address->in4.sin_addr.s_addr;
    }
    key.words[2] |= (uint64_t)v6 << 16;
    return key;
}

/* The upper bits depend on all of the key: an odd number, 2^64 by the golden ratio. */
static uint64_t hash(const struct key *key)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < 3; i++) {
        sum = (sum ^ key->words[i]) * UINT64_C(0x9e3779b97f4a7c15);
        sum ^= sum >> 32;
    }
    return sum;
}

static bool is_same(const union udpbatch_addr *address, const struct key *key)
{
    struct key its = key_of(address);
    return memcmp(&its, key, sizeof its) == 0;
}

/* ---- The table ----------------------------------------------------------------------------- */

enum { FIRST_CAPACITY = 16 };

/* The slot of a target, or the free one where it is to be. */
static size_t find_slot(const struct refusals *refusals, const struct key *key)
{
    size_t mask = refusals->slots - 1, slot = (size_t)hash(key) & mask;
    while (refusals->first[slot] != REFUSALS_END &&
           !is_same(&refusals->rows[refusals->first[slot]].target, key))
        slot = (slot + 1) & mask;
    return slot;
}

static void put_into_slot(struct refusals *refusals, size_t row)
{
    struct key key = key_of(&refusals->rows[row].target);
    refusals->first[find_slot(refusals, &key)] = row;
}

static void free_slots(struct refusals *refusals)
{
    for (size_t i = 0; i < refusals->slots; i++)
        refusals->first[i] = REFUSALS_END;
}

static bool grow_rows(struct refusals *refusals, size_t capacity)
{
    void *larger = realloc(refusals->rows, capacity * sizeof *refusals->rows);
    if (larger == NULL)
        return false;
    refusals->rows = larger;
    refusals->capacity = capacity;
    return true;
}

/* Before the rows, so that there are never too few. */
static bool grow_slots(struct refusals *refusals, size_t slots)
{
    size_t *larger = malloc(slots * sizeof *larger);
    if (larger == NULL)
        return false;
    free(refusals->first);
    refusals->first = larger;
    refusals->slots = slots;
    free_slots(refusals);
    for (size_t i = 0; i < refusals->count; i++)
        if (refusals->rows[i].first)
            put_into_slot(refusals, i);
    return true;
}

static bool make_room(struct refusals *refusals)
{
    if (refusals->count < refusals->capacity)
        return true;
    size_t capacity = refusals->capacity == 0 ? FIRST_CAPACITY : refusals->capacity * 2;
    return (refusals->slots >= 2 * capacity || grow_slots(refusals, 2 * capacity)) &&
           grow_rows(refusals, capacity);
}

/* The link that leads to the row of a reason, or to where it is to be. */
static size_t *find_link(struct refusals *refusals, size_t *link, int error)
{
    while (*link != REFUSALS_END && refusals->rows[*link].error != error)
        link = &refusals->rows[*link].next;
    return link;
}

void refusals_note(struct refusals *refusals, const union udpbatch_addr *target, int error)
{
    /* Room first, as links point into what it moves. Without it the total alone is told, which
     * the sender keeps. */
    if (!make_room(refusals))
        return;
    const struct key key = key_of(target);
    size_t *head = &refusals->first[find_slot(refusals, &key)];
    size_t *link = find_link(refusals, head, error);
    if (*link == REFUSALS_END) {
        struct refusal row = {
            .target = *target, .error = error, .first = link == head, .next = REFUSALS_END
        };
        *link = refusals->count;
        refusals->rows[refusals->count++] = row;
    }
    refusals->rows[*link].count++;
}

void refusals_free(struct refusals *refusals)
{
    free(refusals->rows);
    free(refusals->first);
    *refusals = (struct refusals){ 0 };
}
