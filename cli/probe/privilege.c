/* privilege.c: what this process may do beyond others, and whether it can be given up. */
#include "question.h"

#if ON_LINUX

static void tell_of(const struct privilege *had, struct answer *answer)
{
    if (had->count == 0)
        answer_yes(answer, "this process has no capabilities; send and recv give up none");
    else
        answer_yes(answer,
                   "%u %s%s; send and recv give up all when everything is open, before they"
                   " read and receive",
                   had->count, had->count == 1 ? "capability" : "capabilities",
                   had->net_raw ? (had->count == 1 ? ", CAP_NET_RAW" : ", CAP_NET_RAW among them")
                                : "");
}

/* It is tried, so that whatever is asked behind this has none. */
void ask_privilege(const struct subject *subject, struct answer *answer)
{
    struct privilege had;
    struct reason reason;

    (void)subject;
    if (!privilege_can_be_dropped()) {
        answer_no(answer, "this udpbatch is built without libcap-ng: send and recv keep the"
                          " capabilities that they have");
        return;
    }
    if (privilege_read(&had, &reason)) {
        answer_number(answer, "capabilities", had.count);
        answer_flag(answer, "net_raw", had.net_raw);
    }
    if (privilege_drop(&reason))
        tell_of(&had, answer);
    else
        answer_no(answer, "%s: send and recv do not begin", reason.text);
}

#endif
