/* address.c: what an address is, whatever form it has. Pure. */
#include "internal.h"

#include <string.h>

socklen_t ub_addr_len(const union udpbatch_addr *addr)
{
    return addr->sa.sa_family == AF_INET6 ? sizeof addr->in6 : sizeof addr->in4;
}

/* An IPv4 address mapped into IPv6 leaves as IPv4 (RFC 4291, 2.5.5.2). */
bool ub_addr_is_in4(const union udpbatch_addr *addr)
{
    return addr->sa.sa_family == AF_INET ||
           (addr->sa.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&addr->in6.sin6_addr));
}

/* The address alone, in IPv6's form; all zero for none. */
void ub_addr_host(const union udpbatch_addr *addr, unsigned char host[16])
{
    memset(host, 0, 16);
    if (addr == NULL)
        return;
    if (addr->sa.sa_family == AF_INET6) {
        memcpy(host, &addr->in6.sin6_addr, 16);
        return;
    }
    memset(host + 10, 0xff, 2);
    memcpy(host + 12, &addr->in4.sin_addr, 4);
}

bool ub_addr_is_zero(const unsigned char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}
