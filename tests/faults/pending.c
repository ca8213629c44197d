/* pending.c: which errors ICMP brings for an earlier packet, and which are of an address. */
#include "../../src/platform.h" /* whatever errno lacks on this system */

#include "pending.h"

#include <stddef.h>

static bool is_among(int error, const int *errors, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (error == errors[i])
            return true;
    return false;
}

bool is_always_pending(int error)
{
    static const int errors[] = { ECONNABORTED, ECONNREFUSED, EHOSTDOWN, ENONET, EPROTO };
    return is_among(error, errors, sizeof errors / sizeof errors[0]);
}

bool may_be_pending(int error)
{
    static const int errors[] = { EACCES,      EHOSTUNREACH, EMSGSIZE,
                                  ENETUNREACH, ENOPROTOOPT,  EOPNOTSUPP };
    return is_among(error, errors, sizeof errors / sizeof errors[0]);
}

bool is_of_all_in_train(int error, bool hears_icmp)
{
    static const int always[] = { EADDRNOTAVAIL, EAFNOSUPPORT };
    static const int deaf[] = { EACCES, EHOSTUNREACH, ENETUNREACH };

    return is_among(error, always, sizeof always / sizeof always[0]) ||
           (!hears_icmp && is_among(error, deaf, sizeof deaf / sizeof deaf[0]));
}
