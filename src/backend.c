/* backend.c: the table of back ends, best first; last, those that are chosen by name alone. */
#include "internal.h"

#include <string.h>

#if UB_HAVE_WINSOCK
extern const struct ub_backend ub_backend_winsock;
#endif
#if UB_HAVE_MMSG
extern const struct ub_backend ub_backend_sendmmsg;
#endif
#if UB_HAVE_XDP
extern const struct ub_backend ub_backend_xdp;
#endif

static const struct ub_backend *const backends[] = {
#if UB_HAVE_MMSG
    &ub_backend_sendmmsg,
#endif
#if UB_HAVE_WINSOCK
    &ub_backend_winsock,
#else
    &ub_backend_portable,
#endif
#if UB_HAVE_XDP
    &ub_backend_xdp,
#endif
};

enum { BACKEND_COUNT = sizeof backends / sizeof backends[0] };

#if UB_HAVE_MMSG
const struct ub_backend *const ub_backend_socket = &ub_backend_sendmmsg;
#elif UB_HAVE_WINSOCK
const struct ub_backend *const ub_backend_socket = &ub_backend_winsock;
#else
const struct ub_backend *const ub_backend_socket = &ub_backend_portable;
#endif

const struct ub_backend *ub_backend_find(const char *name)
{
    if (name == NULL)
        return backends[0];
    for (size_t i = 0; i < BACKEND_COUNT; i++)
        if (strcmp(backends[i]->name, name) == 0)
            return backends[i];
    return NULL;
}

const char *udpbatch_backend_name(size_t index)
{
    return index < BACKEND_COUNT ? backends[index]->name : NULL;
}
