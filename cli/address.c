/* address.c: HOST:PORT, read, resolved and written. */
#include "address.h"

#include <stdio.h>
#include <string.h>

#include "system.h"
#include "units.h"

/* A text taken apart. */
struct parts {
    char host[NI_MAXHOST];
    bool bracketed;
    bool has_port;
    uint16_t port; /* 0: none */
};

static bool take_host(struct parts *parts, const char *host, size_t len, struct reason *reason)
{
    parts->bracketed = len >= 2 && host[0] == '[' && host[len - 1] == ']';
    if (parts->bracketed) {
        host++;
        len -= 2;
    } else if (memchr(host, ':', len) != NULL) {
        return reason_give(reason, "write an IPv6 address in brackets, as in [::1]:9000");
    }
    if (len >= sizeof parts->host)
        return reason_give(reason, "the name is too long");
    memcpy(parts->host, host, len);
    parts->host[len] = '\0';
    return true;
}

/* HOST:PORT, or HOST alone. */
static bool split_loosely(const char *text, uint64_t least_port, struct parts *parts,
                          struct reason *reason)
{
    const size_t len = strlen(text);
    const char *colon = len > 0 && text[len - 1] == ']' ? NULL : strrchr(text, ':');
    uint64_t port = 0;

    parts->has_port = colon != NULL;
    if (!take_host(parts, text, colon != NULL ? (size_t)(colon - text) : len, reason))
        return false;
    if (colon != NULL && !units_read_count(colon + 1, least_port, UINT16_MAX, &port))
        return reason_give(reason, "the port must be a number from %u to 65535",
                           (unsigned)least_port);
    parts->port = (uint16_t)port;
    return true;
}

static bool split(const char *text, uint64_t least_port, struct parts *parts, struct reason *reason)
{
    return split_loosely(text, least_port, parts, reason) &&
           (parts->has_port || reason_give(reason, "the port is missing, write HOST:PORT"));
}

static void set_port(union udpbatch_addr *address, uint16_t port)
{
    if (address->sa.sa_family == AF_INET6)
        address->in6.sin6_port = htons(port);
    else
        address->in4.sin_port = htons(port);
}

static bool resolve(const struct parts *parts, union udpbatch_addr *address, struct reason *reason)
{
    struct addrinfo hints = { .ai_family = parts->bracketed ? AF_INET6 : AF_UNSPEC,
                              .ai_flags = parts->bracketed ? AI_NUMERICHOST : 0,
                              .ai_socktype = SOCK_DGRAM };
    struct addrinfo *found;
    int error = getaddrinfo(parts->host, NULL, &hints, &found);

    if (error != 0)
        return reason_give(reason, "%s", words_of_lookup(error));
    memset(address, 0, sizeof *address);
    memcpy(address, found->ai_addr, found->ai_addrlen);
    set_port(address, parts->port);
    freeaddrinfo(found);
    return true;
}

bool address_read_target(const char *text, union udpbatch_addr *address, struct reason *reason)
{
    struct parts parts = { 0 };

    if (!split(text, 1, &parts, reason))
        return false;
    if (parts.host[0] == '\0')
        return reason_give(reason, "the host is missing, write HOST:PORT");
    return resolve(&parts, address, reason);
}

bool address_read_host_or_target(const char *text, uint16_t default_port,
                                 union udpbatch_addr *address, struct reason *reason)
{
    struct parts parts = { 0 };

    if (!split_loosely(text, 1, &parts, reason))
        return false;
    if (parts.host[0] == '\0')
        return reason_give(reason, "the host is missing, write HOST:PORT or HOST");
    if (!parts.has_port)
        parts.port = default_port;
    return resolve(&parts, address, reason);
}

/* The digits of an address; of the family that brackets say. */
static bool read_digits(const struct parts *parts, union udpbatch_addr *address)
{
    address->sa.sa_family = parts->bracketed ? AF_INET6 : AF_INET;
    return parts->bracketed ? inet_pton(AF_INET6, parts->host, &address->in6.sin6_addr) == 1
                            : inet_pton(AF_INET, parts->host, &address->in4.sin_addr) == 1;
}

bool address_read_pattern(const char *text, union udpbatch_addr *pattern, struct reason *reason)
{
    struct parts parts = { 0 };

    if (!split_loosely(text, 1, &parts, reason))
        return false;
    *pattern = (union udpbatch_addr){ 0 };
    const bool any = strcmp(parts.host, "*") == 0 || (parts.host[0] == '\0' && parts.has_port);
    if ((any && parts.bracketed) || (!any && !read_digits(&parts, pattern)))
        return reason_give(reason,
                           "write an address in digits, such as 192.0.2.1 or [2001:db8::1]");
    set_port(pattern, parts.port);
    *pattern = address_unmap(pattern);
    return true;
}

bool address_read_local(const char *text, union udpbatch_addr *address, bool *dual,
                        struct reason *reason)
{
    struct parts parts = { 0 };

    if (!split(text, 0, &parts, reason))
        return false;
    *dual = !parts.bracketed && (parts.host[0] == '\0' || strcmp(parts.host, "*") == 0);
    if (!*dual)
        return resolve(&parts, address, reason);
    *address =
        (union udpbatch_addr){ .in6 = { .sin6_family = AF_INET6, .sin6_port = htons(parts.port) } };
    return true;
}

bool address_read_host(const char *text, union udpbatch_addr *address, struct reason *reason)
{
    *address = (union udpbatch_addr){ 0 };
    if (inet_pton(AF_INET, text, &address->in4.sin_addr) == 1)
        address->sa.sa_family = AF_INET;
    else if (inet_pton(AF_INET6, text, &address->in6.sin6_addr) == 1)
        address->sa.sa_family = AF_INET6;
    return address->sa.sa_family != AF_UNSPEC ||
           reason_give(reason, "write an address of this host, such as 192.0.2.1 or 2001:db8::1");
}

void address_map(union udpbatch_addr *address)
{
    if (address->sa.sa_family != AF_INET)
        return;
    const struct sockaddr_in in4 = address->in4;
    *address =
        (union udpbatch_addr){ .in6 = { .sin6_family = AF_INET6, .sin6_port = in4.sin_port } };
    memset(&address->in6.sin6_addr.s6_addr[10], 0xff, 2);
    memcpy(&address->in6.sin6_addr.s6_addr[12], &in4.sin_addr, sizeof in4.sin_addr);
}

union udpbatch_addr address_unmap(const union udpbatch_addr *address)
{
    if (address->sa.sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&address->in6.sin6_addr))
        return *address;
    union udpbatch_addr in4 = { .in4 = { .sin_family = AF_INET,
                                         .sin_port = address->in6.sin6_port } };
    memcpy(&in4.in4.sin_addr, &address->in6.sin6_addr.s6_addr[12], sizeof in4.in4.sin_addr);
    return in4;
}

union udpbatch_addr address_in4(uint32_t host, uint16_t port)
{
    union udpbatch_addr address = { .in4 = { .sin_family = AF_INET, .sin_port = htons(port) } };
    address.in4.sin_addr.s_addr = htonl(host);
    return address;
}

socklen_t address_len(const union udpbatch_addr *address)
{
    return address->sa.sa_family == AF_INET6 ? sizeof address->in6 : sizeof address->in4;
}

const char *address_write(const union udpbatch_addr *address, char text[ADDRESS_TEXT])
{
    const union udpbatch_addr plain = address_unmap(address);
    const bool v6 = plain.sa.sa_family == AF_INET6;
    char host[ADDRESS_TEXT - 16], port[8];

    if (getnameinfo(&plain.sa, address_len(&plain), host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return strcpy(text, "?");
    snprintf(text, ADDRESS_TEXT, v6 ? "[%s]:%s" : "%s:%s", host, port);
    return text;
}
