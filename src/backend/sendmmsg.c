/* sendmmsg.c: many messages per system call, by sendmmsg(2) and recvmmsg(2). */
#include "../internal.h"

#if UB_HAVE_MMSG

#include <sys/uio.h>

static_assert(sizeof(struct mmsghdr) <= UB_SCRATCH, "scratch is too small");

static void prepare(struct ub_engine *engine)
{
    struct mmsghdr *messages = engine->scratch;
    for (size_t i = 0; i < engine->plan.count; i++)
        ub_message_of_train(&messages[i].msg_hdr, &engine->plan.trains[i]);
}

/* The kernel gives an errno only for the first message of a call: where it stops later, that
 * message is asked again as the first (sendmmsg(2), BUGS). */
static size_t submit(struct ub_engine *engine, size_t from)
{
    struct mmsghdr *messages = engine->scratch;
    size_t count = engine->plan.count - from;

    if (count == 0)
        return 0;
    engine->stats.system_calls++;
    int sent = sendmmsg(engine->fd, messages + from,
                        count < UB_MESSAGES_MAX ? (unsigned)count : UB_MESSAGES_MAX, UB_SEND_FLAGS);
    if (sent >= 0)
        return (size_t)sent;
    engine->plan.trains[from].error = errno;
    return 0;
}

static int receive(int fd, struct ub_slot *slots, size_t n, void *scratch, uint64_t *system_calls)
{
    struct mmsghdr *messages = scratch;
    struct iovec rooms[UB_MESSAGES_MAX];

    n = n < UB_MESSAGES_MAX ? n : UB_MESSAGES_MAX;
    for (size_t i = 0; i < n; i++)
        ub_message_of_slot(&messages[i].msg_hdr, &rooms[i], &slots[i]);
    ++*system_calls;
    int count = recvmmsg(fd, messages, (unsigned)n, MSG_WAITFORONE, NULL);
    if (count < 0)
        return -errno;
    for (int i = 0; i < count; i++)
        ub_slot_read(&slots[i], &messages[i].msg_hdr, messages[i].msg_len);
    return count;
}

const struct ub_backend ub_backend_sendmmsg = {
    .name = "sendmmsg",
    .prepare = prepare,
    .submit = submit,
    .receive = receive,
};

#else
typedef int ub_sendmmsg_is_left_out; /* C11 wants a declaration in every file */
#endif
