/* sendmmsg.c: many messages per system call, by sendmmsg(2) and recvmmsg(2). */
#include "../internal.h"

#if UB_HAVE_MMSG

static void sendmmsg_prepare(struct ub_engine *engine, size_t from)
{
    if (engine->mmsg == UB_NO)
        return;
    for (size_t i = from; i < engine->plan.count; i++)
        ub_msghdr_of_train(&engine->messages[i].msg_hdr, &engine->plan.trains[i],
                           &engine->plan.facts);
}

/* Kernels before 3.0 have no sendmmsg, and filters of a process's system calls may refuse it, by
 * ENOSYS or EPERM. But EPERM is also what a packet filter says to a packet: so it is asked once
 * more, of no socket, where the kernel itself says EBADF. */
static bool is_refused(struct ub_engine *engine, int error)
{
    if (error == ENOSYS)
        return true;
    if (error != EPERM || engine->mmsg == UB_YES)
        return false;
    engine->stats.system_calls++;
    return sendmmsg(-1, NULL, 0, 0) < 0 && errno == EPERM;
}

/* The kernel gives an errno only for the first message of a call: where it stops later, that
 * message is asked again as the first (sendmmsg(2), BUGS). FreeBSD's result is a ssize_t. */
static size_t sendmmsg_submit(struct ub_engine *engine, size_t from)
{
    if (engine->mmsg == UB_NO)
        return ub_backend_portable.submit(engine, from);
    engine->stats.system_calls++;
    int sent = (int)sendmmsg(engine->fd, engine->messages + from,
                             (unsigned)(engine->plan.count - from), UB_SEND_FLAGS);
    int error = sent > 0 ? 0 : sent < 0 ? errno : EIO; /* 0 is no kernel's, but a filter's */
    engine->mmsg = is_refused(engine, error) ? UB_NO : UB_YES;
    if (engine->mmsg == UB_NO)
        return ub_backend_portable.submit(engine, from);
    engine->plan.trains[from].error = error;
    return sent > 0 ? (size_t)sent : 0;
}

static int sendmmsg_receive(udpbatch_socket fd, struct ub_slot *slots, size_t n,
                            ub_message *messages, uint64_t *system_calls)
{
    for (size_t i = 0; i < n; i++)
        ub_msghdr_of_slot(&messages[i].msg_hdr, &slots[i]);
    ++*system_calls;
    int count = (int)recvmmsg(fd, messages, (unsigned)n, MSG_WAITFORONE, NULL);
    if (count < 0 && (errno == ENOSYS || errno == EPERM)) /* the same for recvmmsg */
        return ub_backend_portable.receive(fd, slots, n, messages, system_calls);
    if (count < 0)
        return -errno;
    for (int i = 0; i < count; i++)
        ub_msghdr_read(&slots[i], &messages[i].msg_hdr, (size_t)messages[i].msg_len);
    return count;
}

const struct ub_backend ub_backend_sendmmsg = {
    .name = "sendmmsg",
    .prepare = sendmmsg_prepare,
    .submit = sendmmsg_submit,
    .receive = sendmmsg_receive,
};

#endif
