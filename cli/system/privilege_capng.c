/* privilege_capng.c: capabilities(7), by libcap-ng. */
#include "system.h"

#if ON_LINUX && defined HAVE_LIBCAP_NG

#include <cap-ng.h>
#include <sys/prctl.h>

#include "complain.h"

bool privilege_can_be_dropped(void)
{
    return true;
}

/* The permitted ones: what is not in effect could be put in effect. */
bool privilege_read(struct privilege *privilege, struct reason *reason)
{
    *privilege = (struct privilege){ 0 };
    errno = EINVAL; /* where libcap-ng leaves none */
    if (capng_get_caps_process() < 0)
        return reason_give(reason, "cannot read capabilities: %s", words_of_error(errno));
    for (unsigned i = 0; i <= CAP_LAST_CAP; i++)
        privilege->count += capng_have_capability(CAPNG_PERMITTED, i) == 1;
    privilege->net_raw = capng_have_capability(CAPNG_PERMITTED, CAP_NET_RAW) == 1;
    return true;
}

/* What udpbatch_sender_open takes for xdp, or makes use of: see udpbatch_xdp(3). */
static const unsigned of_xdp[] = { CAP_NET_RAW, CAP_IPC_LOCK, CAP_NET_ADMIN };
enum { OF_XDP = sizeof of_xdp / sizeof of_xdp[0] };

/* The bounding set, too, where that is permitted. Nothing that is not in effect is kept. */
static bool clear_all_but(const unsigned *kept, size_t n)
{
    const bool may_bound = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP) == 1;
    bool is_kept[OF_XDP];

    for (size_t i = 0; i < n; i++)
        is_kept[i] = capng_have_capability(CAPNG_EFFECTIVE, kept[i]) == 1;
    capng_clear(CAPNG_SELECT_BOTH);
    for (size_t i = 0; i < n; i++)
        if (is_kept[i])
            capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, kept[i]);
    errno = EPERM; /* where libcap-ng leaves none */
    return capng_apply(may_bound ? CAPNG_SELECT_BOTH : CAPNG_SELECT_CAPS) == 0;
}

/* Of capabilities that were just read. */
static unsigned count_permitted(const unsigned *list, size_t n)
{
    unsigned count = 0;
    for (size_t i = 0; i < n; i++)
        count += capng_have_capability(CAPNG_PERMITTED, list[i]) == 1;
    return count;
}

/* With the flag, the programs that root starts gain none either, nor do those that are set-user-ID
 * or have capabilities of their file. */
static int forgo_new(void)
{
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? errno : 0;
}

/* Who has none may be in a sandbox that refuses prctl(2): there is nothing to give up. */
static bool drop_all_but(const unsigned *kept, size_t n, struct reason *reason)
{
    const int error = forgo_new();
    struct privilege privilege;

    if (!privilege_read(&privilege, reason))
        return false;
    if (privilege.count == 0)
        return true;
    if (error != 0)
        return reason_give(reason, "cannot give up new privileges: %s", words_of_error(error));
    if (!clear_all_but(kept, n))
        return reason_give(reason, "cannot give up capabilities: %s", words_of_error(errno));
    if (!privilege_read(&privilege, reason))
        return false;
    return privilege.count == count_permitted(kept, n) ||
           reason_give(reason, "capabilities do not go");
}

bool privilege_drop(struct reason *reason)
{
    return drop_all_but(NULL, 0, reason);
}

bool privilege_drop_but_for_xdp(struct reason *reason)
{
    return drop_all_but(of_xdp, OF_XDP, reason);
}

#else

typedef int no_libcap_ng;

#endif
