/* sendmmsg.c: many messages per system call, by sendmmsg(2) and recvmmsg(2). */
#include "../internal.h"

#if UB_HAVE_MMSG

static void prepare(struct ub_engine *engine, size_t from)
{
    for (size_t i = from; i < engine->plan.count; i++)
        ub_message_of_train(&engine->messages[i].msg_hdr, &engine->plan.trains[i],
                            &engine->plan.facts);
}

/* The kernel gives an errno only for the first message of a call: where it stops later, that
 * message is asked again as the first (sendmmsg(2), BUGS). */
static size_t submit(struct ub_engine *engine, size_t from)
{
    engine->stats.system_calls++;
    int sent = sendmmsg(engine->fd, engine->messages + from, (unsigned)(engine->plan.count - from),
                        UB_SEND_FLAGS);
    if (sent > 0)
        return (size_t)sent;
    engine->plan.trains[from].error = sent < 0 ? errno : EIO; /* 0 is no kernel's, but a filter's */
    return 0;
}

static int receive(int fd, struct ub_slot *slots, size_t n, ub_message *messages,
                   uint64_t *system_calls)
{
    for (size_t i = 0; i < n; i++)
        ub_message_of_slot(&messages[i].msg_hdr, &slots[i]);
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
