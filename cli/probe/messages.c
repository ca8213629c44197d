/* messages.c: many datagrams per system call, sendmmsg(2) and recvmmsg(2). */
#include "question.h"

#if ON_LINUX

#include <errno.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "loopback.h"

enum { MESSAGES = 2 };

static void make_messages(struct mmsghdr messages[MESSAGES], struct iovec pieces[MESSAGES],
                          char bytes[MESSAGES])
{
    for (int i = 0; i < MESSAGES; i++) {
        pieces[i] = (struct iovec){ .iov_base = &bytes[i], .iov_len = 1 };
        messages[i] = (struct mmsghdr){ .msg_hdr = { .msg_iov = &pieces[i], .msg_iovlen = 1 } };
    }
}

static bool both_arrive(const struct loopback *pair, const char sent[MESSAGES])
{
    char byte;
    for (int i = 0; i < MESSAGES; i++)
        if (loopback_receive(pair, &byte, sizeof byte) != 1 || byte != sent[i])
            return false;
    return true;
}

static void try_sendmmsg(const struct loopback *pair, struct answer *answer)
{
    struct mmsghdr messages[MESSAGES];
    struct iovec pieces[MESSAGES];
    char bytes[MESSAGES] = { 'a', 'b' };

    make_messages(messages, pieces, bytes);
    /* musl's own sendmmsg is a loop of sendmsg. */
    int sent = (int)syscall(SYS_sendmmsg, pair->from, messages, MESSAGES, 0);
    if (sent < 0)
        answer_refused(answer, "sendmmsg(2)", errno);
    else if (sent != MESSAGES)
        answer_no(answer, "one call sent %d of %d datagrams", sent, MESSAGES);
    else if (!both_arrive(pair, bytes))
        loopback_blame(answer);
    else
        answer_yes(answer, "sends many datagrams by one call");
}

void ask_sendmmsg(const struct subject *subject, struct answer *answer)
{
    (void)subject;
    loopback_try(try_sendmmsg, answer);
}

static void try_recvmmsg(const struct loopback *pair, struct answer *answer)
{
    struct mmsghdr messages[MESSAGES];
    struct iovec pieces[MESSAGES];
    char bytes[MESSAGES];

    make_messages(messages, pieces, bytes);
    for (int i = 0; i < MESSAGES; i++)
        (void)send(pair->from, "", 1, 0);
    if (!loopback_has_arrival(pair))
        loopback_blame(answer);
    else if (recvmmsg(pair->to, messages, MESSAGES, MSG_DONTWAIT, NULL) < 1)
        answer_refused(answer, "recvmmsg(2)", errno);
    else
        answer_yes(answer, "receives many datagrams by one call");
}

void ask_recvmmsg(const struct subject *subject, struct answer *answer)
{
    (void)subject;
    loopback_try(try_recvmmsg, answer);
}

#endif
