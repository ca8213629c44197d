/* address_map.c: where a datagram goes instead of where it went when it was captured. */
#include "address_map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "system.h"

/* A host, its port and brackets, and a NUL. */
enum { SIDE_TEXT = NI_MAXHOST + 16 };

static bool make_room(struct address_map *map, struct reason *reason)
{
    if (map->count < map->capacity)
        return true;
    size_t capacity = map->capacity == 0 ? 16 : map->capacity * 2;
    void *larger = realloc(map->rules, capacity * sizeof *map->rules);
    if (larger == NULL)
        return reason_give(reason, "%s", words_of_error(ENOMEM));
    map->rules = larger;
    map->capacity = capacity;
    return true;
}

static bool read_from(const char *text, size_t len, union udpbatch_addr *from,
                      struct reason *reason)
{
    char side[SIDE_TEXT];
    struct reason why;

    if (len == 0)
        return reason_give(reason, "FROM is missing, write FROM=TO");
    if (len >= sizeof side)
        return reason_give(reason, "FROM is too long");
    memcpy(side, text, len);
    side[len] = '\0';
    return address_read_pattern(side, from, &why) || reason_give(reason, "FROM: %.160s", why.text);
}

static bool read_to(const char *text, union udpbatch_addr *to, struct reason *reason)
{
    struct reason why;

    if (*text == '\0')
        return reason_give(reason, "TO is missing, write FROM=TO");
    return address_read_host_or_target(text, 0, to, &why) ||
           reason_give(reason, "TO: %.160s", why.text);
}

bool address_map_add(struct address_map *map, const char *text, struct reason *reason)
{
    const char *equals = strchr(text, '=');

    if (equals == NULL)
        return reason_give(reason, "write FROM=TO, such as 192.0.2.1=localhost or *=[::1]:9000");
    if (!make_room(map, reason))
        return false;
    struct address_rule *rule = &map->rules[map->count];
    if (!read_from(text, (size_t)(equals - text), &rule->from, reason) ||
        !read_to(equals + 1, &rule->to, reason))
        return false;
    map->count++;
    return true;
}

/* sin_port and sin6_port are at the same place. */
static bool same_address(const union udpbatch_addr *a, const union udpbatch_addr *b)
{
    if (a->sa.sa_family != b->sa.sa_family)
        return false;
    return a->sa.sa_family == AF_INET6
               ? memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, sizeof a->in6.sin6_addr) == 0
               : a->in4.sin_addr.s_addr == b->in4.sin_addr.s_addr;
}

static bool fits(const struct address_rule *rule, const union udpbatch_addr *address)
{
    const in_port_t port = rule->from.in4.sin_port;

    return (port == 0 || port == address->in4.sin_port) &&
           (rule->from.sa.sa_family == AF_UNSPEC || same_address(&rule->from, address));
}

bool address_map_find(const struct address_map *map, const union udpbatch_addr *from,
                      union udpbatch_addr *to)
{
    const union udpbatch_addr plain = address_unmap(from);

    for (size_t i = 0; i < map->count; i++)
        if (fits(&map->rules[i], &plain)) {
            *to = map->rules[i].to;
            if (to->in4.sin_port == 0)
                to->in4.sin_port = plain.in4.sin_port;
            return true;
        }
    return false;
}

int address_map_choose_family(struct address_map *map)
{
    bool all_in4 = true;
    for (size_t i = 0; i < map->count; i++)
        all_in4 = all_in4 && map->rules[i].to.sa.sa_family == AF_INET;
    if (all_in4)
        return AF_INET;
    for (size_t i = 0; i < map->count; i++)
        address_map(&map->rules[i].to);
    return AF_INET6;
}

void address_map_free(struct address_map *map)
{
    free(map->rules);
    *map = (struct address_map){ 0 };
}
