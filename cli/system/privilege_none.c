/* privilege_none.c: what is done of it without libcap-ng, which is nothing. */
#include "system.h"

#if !(ON_LINUX && defined HAVE_LIBCAP_NG)

bool privilege_can_be_dropped(void)
{
    return false;
}

bool privilege_read(struct privilege *privilege, struct reason *reason)
{
    (void)reason;
    *privilege = (struct privilege){ 0 };
    return true;
}

bool privilege_drop(struct reason *reason)
{
    (void)reason;
    return true;
}

bool privilege_drop_but_for_xdp(struct reason *reason)
{
    (void)reason;
    return true;
}

#else

typedef int libcap_ng_does_it;

#endif
