/* scoped_address.c: whether two addresses are one, with their ports and scopes. */
#include "scoped_address.h"

#include <string.h>

/* sin_port and sin6_port are at the same place. */
bool same_scoped_address(const union udpbatch_addr *a, const union udpbatch_addr *b)
{
    if (a->sa.sa_family != b->sa.sa_family || a->in4.sin_port != b->in4.sin_port)
        return false;
    if (a->sa.sa_family == AF_INET)
        return a->in4.sin_addr.s_addr == b->in4.sin_addr.s_addr;
    if (a->sa.sa_family != AF_INET6)
        return true;
    return memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, sizeof a->in6.sin6_addr) == 0 &&
           a->in6.sin6_scope_id == b->in6.sin6_scope_id;
}
