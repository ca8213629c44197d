/* portable.c: one message per system call, by sendmsg(2) and recvmsg(2), on every POSIX system. */
#include "../internal.h"

#if !UB_HAVE_WINSOCK

static size_t portable_submit(struct ub_engine *engine, size_t from)
{
    size_t next = from;
    for (; next < engine->plan.count; next++) {
        struct ub_train *train = &engine->plan.trains[next];
        struct msghdr message;
        ub_msghdr_of_train(&message, train, &engine->plan.facts);
        engine->stats.system_calls++;
        if (sendmsg(engine->fd, &message, UB_SEND_FLAGS) < 0) {
            train->error = errno;
            break;
        }
    }
    return next - from;
}

static int portable_receive(udpbatch_socket fd, struct ub_slot *slots, size_t n,
                            ub_message *messages, uint64_t *system_calls)
{
    size_t count = 0;

    (void)messages;
    for (; count < n; count++) {
        struct msghdr message;
        ub_msghdr_of_slot(&message, &slots[count]);
        ++*system_calls;
        ssize_t len = recvmsg(fd, &message, count == 0 ? 0 : MSG_DONTWAIT);
        if (len < 0)
            break;
        ub_msghdr_read(&slots[count], &message, (size_t)len);
    }
    return count > 0 ? (int)count : -errno;
}

const struct ub_backend ub_backend_portable = {
    .name = "portable",
    .submit = portable_submit,
    .receive = portable_receive,
};

#endif
