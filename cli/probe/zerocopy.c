/* zerocopy.c: sends that leave the payload where it is, MSG_ZEROCOPY, and tell when it is free. */
#include "question.h"

#if ON_LINUX

#include <errno.h>
#include <linux/errqueue.h>
#include <poll.h>
#include <string.h>

#include "loopback.h"

/* Of asm/socket.h and linux/errqueue.h, which older headers do not have. */
enum {
    OPTION_ZEROCOPY = 60,
    FLAG_ZEROCOPY = 0x4000000,
    ORIGIN_ZEROCOPY = 5,
    CODE_COPIED = 1,
};

enum { PAYLOAD = 4096, NOTICE_MS = 1000, CONTROL = 256 };

/* The one that ends a send without a copy, in a message of the error queue. */
static bool find_notice(struct msghdr *message, struct sock_extended_err *notice)
{
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part != NULL;
         part = CMSG_NXTHDR(message, part)) {
        if (part->cmsg_len < CMSG_LEN(sizeof *notice))
            continue;
        memcpy(notice, CMSG_DATA(part), sizeof *notice);
        if (notice->ee_origin == ORIGIN_ZEROCOPY)
            return true;
    }
    return false;
}

static bool read_notice(int fd, struct sock_extended_err *notice)
{
    _Alignas(struct cmsghdr) char control[CONTROL];
    struct msghdr message = { .msg_control = control, .msg_controllen = sizeof control };
    struct pollfd trouble = { .fd = fd }; /* of which POLLERR tells unasked */

    return poll(&trouble, 1, NOTICE_MS) > 0 &&
           recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) >= 0 && find_notice(&message, notice);
}

static void judge_notice(const struct loopback *pair, struct answer *answer)
{
    struct sock_extended_err notice;

    /* On some kernels the payload is in use until it is read. */
    loopback_has_arrival(pair);
    loopback_drain(pair);
    if (!read_notice(pair->from, &notice)) {
        answer_no(answer, "the kernel sends, but does not tell when it is done");
        return;
    }
    bool copied = notice.ee_code == CODE_COPIED;
    answer_flag(answer, "copied", copied);
    answer_yes(answer, copied ? "sent, and told of; on loopback the kernel copies all the same"
                              : "sent without a copy, and told of");
}

static void refuse_send(struct answer *answer, int error)
{
    if (error != ENOBUFS) {
        answer_refused(answer, "send(MSG_ZEROCOPY)", error);
        return;
    }
    answer_no(answer, "send(MSG_ZEROCOPY): more than may be locked in memory");
    answer_remedy(answer, "ulimit -l unlimited");
}

static void try_zerocopy(const struct loopback *pair, struct answer *answer)
{
    static const char payload[PAYLOAD];

    if (!loopback_set(pair->from, SOL_SOCKET, OPTION_ZEROCOPY, 1))
        answer_refused(answer, "setsockopt(SO_ZEROCOPY)", errno);
    else if (send(pair->from, payload, sizeof payload, FLAG_ZEROCOPY) < 0)
        refuse_send(answer, errno);
    else
        judge_notice(pair, answer);
}

void ask_zerocopy(const struct subject *subject, struct answer *answer)
{
    (void)subject;
    loopback_try(try_zerocopy, answer);
}

#endif
