/* text_addresses.c: addresses and the rules of a map: digits are taken as inet_pton(3) takes them,
 * and what is written is read back the same. */
#include "text.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "address_map.h"
#include "scoped_address.h"

enum { DEFAULT_PORT = 9, ANY_PORT = 5353 };

/* ---- A second opinion ----------------------------------------------------------------------- */

/* What a text is plainly: digits of an address, and a port. A name, or the zone of an address, is
 * left to getaddrinfo(3). */
struct plain {
    union udpbatch_addr address; /* family 0: neither "1.2.3.4" nor "[::1]" */
    bool has_port;
    bool good_port; /* 0 to 65535 */
};

static void read_port(struct plain *plain, const char *digits)
{
    const size_t len = strlen(digits);
    const unsigned long port = strtoul(digits, NULL, 10);

    plain->good_port = len > 0 && strspn(digits, "0123456789") == len && port <= UINT16_MAX;
    plain->address.in4.sin_port = plain->good_port ? htons((uint16_t)port) : 0;
}

static void read_host(struct plain *plain, char *host)
{
    const size_t len = strlen(host);

    if (inet_pton(AF_INET, host, &plain->address.in4.sin_addr) == 1)
        plain->address.sa.sa_family = AF_INET;
    if (len < 2 || host[0] != '[' || host[len - 1] != ']')
        return;
    host[len - 1] = '\0';
    if (inet_pton(AF_INET6, host + 1, &plain->address.in6.sin6_addr) == 1)
        plain->address.sa.sa_family = AF_INET6;
}

static struct plain read_plainly(const char *text)
{
    struct plain plain = { 0 };
    char *host = strdup(text);

    require(host != NULL);
    char *colon = strrchr(host, ':');
    plain.has_port = colon != NULL && strchr(colon, ']') == NULL;
    if (plain.has_port) {
        *colon = '\0';
        read_port(&plain, colon + 1);
    }
    read_host(&plain, host);
    free(host);
    return plain;
}

static bool is_of_ip(const union udpbatch_addr *address)
{
    return address->sa.sa_family == AF_INET || address->sa.sa_family == AF_INET6;
}

/* ---- What is sent to, and listened on ------------------------------------------------------- */

/* But that it was v4-mapped. */
static void expect_again(const union udpbatch_addr *address)
{
    const union udpbatch_addr expected = address_unmap(address);
    union udpbatch_addr again;
    struct reason reason;
    char text[ADDRESS_TEXT];

    require(address_read_target(address_write(address, text), &again, &reason));
    require(same_scoped_address(&again, &expected));
}

static bool try_target(const char *text, const struct plain *plain, union udpbatch_addr *address)
{
    struct reason reason;
    const bool good =
        gave_reason(address_read_target(text, address, reason_begin(&reason)), &reason);

    require(!good || (is_of_ip(address) && address->in4.sin_port != 0));
    require(!good || (plain->has_port && plain->good_port));
    require(!good || text[0] != '[' || address->sa.sa_family == AF_INET6);
    if (is_of_ip(&plain->address))
        require(good == (plain->address.in4.sin_port != 0));
    require(!good || !is_of_ip(&plain->address) || same_scoped_address(address, &plain->address));
    if (good)
        expect_again(address);
    return good;
}

/* With its port it is a target, and alone it has the default one. */
static void try_host_or_target(const char *text, const struct plain *plain)
{
    union udpbatch_addr address, target;
    struct reason reason;
    const bool is_target = try_target(text, plain, &target);
    const bool good = gave_reason(
        address_read_host_or_target(text, DEFAULT_PORT, &address, reason_begin(&reason)), &reason);

    require(good || !is_target);
    require(good || !is_of_ip(&plain->address) || plain->has_port);
    require(!is_target || same_scoped_address(&address, &target));
    require(!good || is_target || ntohs(address.in4.sin_port) == DEFAULT_PORT);
}

static void try_local(const char *text, const struct plain *plain)
{
    union udpbatch_addr address;
    struct reason reason;
    bool dual = false;
    const bool good =
        gave_reason(address_read_local(text, &address, &dual, reason_begin(&reason)), &reason);

    require(!good || (is_of_ip(&address) && plain->good_port));
    if (is_of_ip(&plain->address))
        require(good == plain->good_port &&
                (!good || (same_scoped_address(&address, &plain->address) && !dual)));
    if (good && dual)
        require(address.sa.sa_family == AF_INET6 &&
                memcmp(&address.in6.sin6_addr, &in6addr_any, sizeof in6addr_any) == 0);
}

/* Without brackets and port. */
static void try_host(const char *text)
{
    union udpbatch_addr address, again;
    struct reason reason;
    char digits[INET6_ADDRSTRLEN];
    unsigned char bytes[16];
    const bool good =
        gave_reason(address_read_host(text, &address, reason_begin(&reason)), &reason);

    require(good ==
            (inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1));
    if (!good)
        return;
    const void *host = address.sa.sa_family == AF_INET ? (const void *)&address.in4.sin_addr
                                                       : (const void *)&address.in6.sin6_addr;
    require(inet_ntop(address.sa.sa_family, host, digits, sizeof digits) != NULL);
    require(address_read_host(digits, &again, &reason) && same_scoped_address(&address, &again));
    require(address.in4.sin_port == 0);
}

/* ---- Patterns ------------------------------------------------------------------------------- */

/* HOST:PORT, HOST, :PORT or *. */
static const char *write_pattern(const union udpbatch_addr *pattern, char text[ADDRESS_TEXT])
{
    const unsigned port = ntohs(pattern->in4.sin_port);

    if (is_of_ip(pattern))
        address_write(pattern, text);
    else
        snprintf(text, ADDRESS_TEXT, port != 0 ? ":%u" : "*", port);
    if (is_of_ip(pattern) && port == 0)
        *strrchr(text, ':') = '\0';
    return text;
}

static void try_pattern(const char *text, const struct plain *plain)
{
    union udpbatch_addr pattern, again;
    struct reason reason;
    char written[ADDRESS_TEXT];
    const bool good =
        gave_reason(address_read_pattern(text, &pattern, reason_begin(&reason)), &reason);
    const union udpbatch_addr expected = address_unmap(&plain->address);

    require(!good || same_scoped_address(&pattern, &expected));
    if (is_of_ip(&plain->address))
        require(good == (!plain->has_port || plain->address.in4.sin_port != 0));
    if (good)
        require(address_read_pattern(write_pattern(&pattern, written), &again, &reason) &&
                same_scoped_address(&pattern, &again));
}

void try_addresses(const char *text)
{
    const struct plain plain = read_plainly(text);

    try_host_or_target(text, &plain);
    try_local(text, &plain);
    try_host(text);
    try_pattern(text, &plain);
}

/* ---- Rules ---------------------------------------------------------------------------------- */

static bool fits(const union udpbatch_addr *pattern, const union udpbatch_addr *address)
{
    union udpbatch_addr filled = *pattern;

    if (!is_of_ip(pattern))
        filled = *address;
    filled.in4.sin_port =
        pattern->in4.sin_port != 0 ? pattern->in4.sin_port : address->in4.sin_port;
    return same_scoped_address(&filled, address);
}

static const struct address_rule *first_that_fits(const struct address_map *map,
                                                  const union udpbatch_addr *address)
{
    for (size_t i = 0; i < map->count; i++)
        if (fits(&map->rules[i].from, address))
            return &map->rules[i];
    return NULL;
}

static void try_find(const struct address_map *map, const union udpbatch_addr *address)
{
    const struct address_rule *rule = first_that_fits(map, address);
    union udpbatch_addr mapped = *address, to, to_again;

    require(address_map_find(map, address, &to) == (rule != NULL));
    address_map(&mapped);
    require(address_map_find(map, &mapped, &to_again) == (rule != NULL));
    if (rule == NULL)
        return;
    const in_port_t port =
        rule->to.in4.sin_port != 0 ? rule->to.in4.sin_port : address->in4.sin_port;
    require(same_scoped_address(&to, &to_again) && to.in4.sin_port == port);
    to.in4.sin_port = rule->to.in4.sin_port;
    require(same_scoped_address(&to, &rule->to));
}

/* What each of the rules may have been meant for. */
static void try_all(const struct address_map *map)
{
    for (size_t i = 0; i < map->count; i++) {
        union udpbatch_addr address = map->rules[i].from;
        if (!is_of_ip(&address))
            address = address_in4(INADDR_LOOPBACK, ntohs(address.in4.sin_port));
        if (address.in4.sin_port == 0)
            address.in4.sin_port = htons(ANY_PORT);
        try_find(map, &address);
        address.in4.sin_port = (in_port_t)~address.in4.sin_port;
        try_find(map, &address);
    }
}

static void add_rule(struct address_map *map, const char *text)
{
    const size_t before = map->count;
    struct reason reason;
    const bool good = gave_reason(address_map_add(map, text, reason_begin(&reason)), &reason);

    require(map->count == before + good);
    require(!good || is_of_ip(&map->rules[before].to));
}

void try_rules(char *text)
{
    struct address_map map = { 0 };
    char *next = NULL;

    for (char *rule = strtok_r(text, "\n", &next); rule != NULL && map.count < 40;
         rule = strtok_r(NULL, "\n", &next))
        add_rule(&map, rule);
    try_all(&map);
    const int family = address_map_choose_family(&map);
    for (size_t i = 0; i < map.count; i++)
        require(map.rules[i].to.sa.sa_family == family);
    try_all(&map);
    address_map_free(&map);
}
