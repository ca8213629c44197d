/* receive_kernel.c: the system's calls, which answer as the input says. */
#include "receive_kernel.h"

struct fuzz_input input;
struct receive_kernel kernel;

static int refuse(int error)
{
    kernel.error = error;
    errno = error;
    return -1;
}

static int some_error(void)
{
    static const int errors[] = { EAGAIN, EINTR, ECONNREFUSED, ENOMEM, EBADF, ENOSYS, EPERM };
    return errors[take_below(&input, sizeof errors / sizeof errors[0])];
}

/* Before the slots are filled again, all that was in them was given out, up to a message that was
 * no datagram. */
static void forget_messages(void)
{
    for (size_t i = 0; i < kernel.count && kernel.came[i].is_datagram; i++) {
        const struct came *came = &kernel.came[i];
        require(came->packets > 0);
        require(!came->is_told || came->packets * came->segment >= came->len);
    }
    kernel.count = kernel.current = 0;
}

ssize_t __wrap_recvmsg(int fd, struct msghdr *message, int flags);
int __wrap_recvmmsg(int fd, struct mmsghdr *messages, unsigned n, int flags, struct timespec *time);
int __wrap_getsockname(int fd, struct sockaddr *addr, socklen_t *len);
int __wrap_getsockopt(int fd, int level, int option, void *value, socklen_t *len);
int __wrap_setsockopt(int fd, int level, int option, const void *value, socklen_t len);

static ssize_t answer_of_errors(struct msghdr *message)
{
    struct came none;

    kernel.asked_then += kernel.has_no_queue;
    if (input.left == 0)
        return refuse(EAGAIN);
    write_name(message);
    message->msg_flags = take_bool(&input) ? MSG_ERRQUEUE : take_16(&input);
    kernel.has_no_queue = (message->msg_flags & MSG_ERRQUEUE) == 0;
    write_control(message, &none);
    return (ssize_t)take_16(&input);
}

static bool is_refused(void)
{
    kernel.calls++;
    if (input.left > 0 && take_below(&input, 16) > 0)
        return false;
    refuse(input.left > 0 ? some_error() : EAGAIN);
    return true;
}

ssize_t __wrap_recvmsg(int fd, struct msghdr *message, int flags)
{
    require(fd == FD);
    if ((flags & MSG_ERRQUEUE) != 0)
        return answer_of_errors(message);
    if (flags == 0) /* to the first slot */
        forget_messages();
    return is_refused() ? -1 : (ssize_t)message_come(message);
}

int __wrap_recvmmsg(int fd, struct mmsghdr *messages, unsigned n, int flags, struct timespec *time)
{
    (void)flags;
    (void)time;
    require(fd == FD && n > 0 && n <= BATCH_MOST);
    forget_messages();
    if (is_refused())
        return -1;
    const unsigned count = take_below(&input, n + 1);
    for (unsigned i = 0; i < count; i++)
        messages[i].msg_len = (unsigned)message_come(&messages[i].msg_hdr);
    return (int)count;
}

int __wrap_getsockname(int fd, struct sockaddr *addr, socklen_t *len)
{
    require(fd == FD);
    addr->sa_family = take_bool(&input) ? AF_INET6 : AF_INET;
    *len = sizeof(struct sockaddr_in6);
    return 0;
}

/* What kind of socket it is cannot be asked, and is believed. */
int __wrap_getsockopt(int fd, int level, int option, void *value, socklen_t *len)
{
    const bool is_told = level != SOL_SOCKET || option == UB_MEMINFO;

    require(fd == FD);
    if (!is_told || take_bool(&input))
        return refuse(ENOPROTOOPT);
    take_bytes(&input, value, *len);
    if (take_below(&input, 4) == 0)
        *len = take_32(&input);
    return 0;
}

int __wrap_setsockopt(int fd, int level, int option, const void *value, socklen_t len)
{
    (void)level;
    (void)option;
    (void)value;
    (void)len;
    require(fd == FD);
    return take_below(&input, 8) == 7 ? refuse(ENOPROTOOPT) : 0;
}
