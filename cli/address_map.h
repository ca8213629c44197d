/* address_map.h: where a datagram goes instead of where it went when it was captured. */
#ifndef ADDRESS_MAP_H
#define ADDRESS_MAP_H

#include "cli.h"
#include "complain.h"

/* A rule, FROM=TO. FROM is ADDRESS, ADDRESS:PORT, :PORT or *; ADDRESS in digits, of IPv6 in
 * brackets. TO is HOST:PORT, or HOST to keep the port. */
struct address_rule {
    union udpbatch_addr from; /* family 0: any address; port 0: any port */
    union udpbatch_addr to;   /* port 0: the one that it had */
};

/* Zeroed, it has no rule. */
struct address_map {
    struct address_rule *rules;
    size_t count, capacity;
};

bool address_map_add(struct address_map *map, const char *text, struct reason *reason);

/* Where a datagram to `from` goes, by the first rule that fits. Returns false if none does. */
bool address_map_find(const struct address_map *map, const union udpbatch_addr *from,
                      union udpbatch_addr *to);

/* As targets_choose_family. */
int address_map_choose_family(struct address_map *map);

void address_map_free(struct address_map *map);

#endif
