/* netlink_kernel.c: what answers in the kernel's place. */
#include "netlink_kernel.h"

#include <linux/rtnetlink.h>
#include <string.h>

struct netlink_kernel kernel;

void kernel_begin(struct fuzz_input *input)
{
    memset(&kernel, 0, sizeof kernel);
    kernel.input = input;
    kernel.now_ns = 1;
}

void tell(void *context, const struct ub_rtnl_change *change)
{
    struct told *told = context;
    const unsigned bits = change->family == AF_INET ? 32 : change->family == AF_INET6 ? 128 : 0;

    require(change->what > UB_RTNL_NOTHING && change->what <= UB_RTNL_NEIGHBOUR);
    require(change->bits <= bits);
    require(bits > 0 || (change->what != UB_RTNL_ROUTE && change->what != UB_RTNL_NEIGHBOUR));
    if (told->count < TOLD_MOST)
        told->changes[told->count++] = *change;
}

ssize_t __wrap_send(int fd, const void *bytes, size_t len, int flags);
ssize_t __wrap_send(int fd, const void *bytes, size_t len, int flags)
{
    (void)fd;
    (void)flags;
    require(len >= sizeof kernel.question);
    memcpy(&kernel.question, bytes, sizeof kernel.question);
    require(kernel.question.nlmsg_len == len);
    if (take_8(kernel.input) < 250)
        return (ssize_t)len;
    errno = ENOBUFS;
    return -1;
}

static uint16_t type_of_answer(void)
{
    return kernel.question.nlmsg_type == RTM_GETROUTE ? RTM_NEWROUTE : RTM_NEWNEIGH;
}

static void note_change(const struct netlink_message *message)
{
    const struct ub_rtnl_change change = message_change(message);
    if (!message->is_damaged && change.what != UB_RTNL_NOTHING)
        tell(&kernel.told, &change);
}

static ssize_t deliver(struct msghdr *datagram, bool is_answer)
{
    struct sockaddr_nl from = { .nl_family = AF_NETLINK };
    struct netlink_message message;
    const uint8_t how = take_8(kernel.input);

    message_take(&message, kernel.input, is_answer ? type_of_answer() : 0,
                 kernel.question.nlmsg_seq + (how == 255));
    from.nl_pid = how == 254;
    memcpy(datagram->msg_name, &from, sizeof from);
    datagram->msg_flags = how == 253 ? MSG_TRUNC : 0;
    require(message.len <= datagram->msg_iov->iov_len);
    memcpy(datagram->msg_iov->iov_base, message.bytes, message.len);
    if (!is_answer && how < 253)
        note_change(&message);
    return (ssize_t)message.len;
}

ssize_t __wrap_recvmsg(int fd, struct msghdr *datagram, int flags);
ssize_t __wrap_recvmsg(int fd, struct msghdr *datagram, int flags)
{
    const bool is_answer = (flags & MSG_DONTWAIT) == 0;
    const uint8_t what = take_8(kernel.input);

    (void)fd;
    if (kernel.input->left > 0 && what < (is_answer ? 240 : 120))
        return deliver(datagram, is_answer);
    errno = what == 255 ? ENOBUFS : what == 254 ? EINTR : what == 253 ? EBADF : EAGAIN;
    return -1;
}

int64_t __wrap_ub_clock_ns(void);
int64_t __wrap_ub_clock_ns(void)
{
    return kernel.now_ns;
}

void __wrap_ub_link_read(struct ub_link *link, int fd);
void __wrap_ub_link_read(struct ub_link *link, int fd)
{
    const uint8_t what = take_8(kernel.input);

    (void)fd;
    link->index = DEVICE;
    link->is_up = true;
    link->mtu = what == 255 ? 40 : 1500;
    link->mtu_in6 = what == 254 ? 0 : 1400;
    link->hop_limit = link->usual_hop_limit = 64;
}

void __wrap_ub_origin_read_name(struct ub_origin *origin, int fd);
void __wrap_ub_origin_read_name(struct ub_origin *origin, int fd)
{
    (void)fd;
    origin->port = take_8(kernel.input) == 255 ? 0 : htons(9);
}

void __wrap_ub_origin_read(struct ub_origin *origin, int fd);
void __wrap_ub_origin_read(struct ub_origin *origin, int fd)
{
    (void)fd;
    origin->in4.sends = origin->in6.sends = true;
    origin->in4.ttl = origin->in6.ttl = 64;
}
