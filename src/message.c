/* message.c: trains and slots as the struct msghdr of the socket interface. Pure. */
#include "internal.h"

#include <string.h>

/* A list of pieces is handed to the kernel as it is. */
static_assert(sizeof(struct udpbatch_piece) == sizeof(struct iovec), "a piece is an iovec");
static_assert(offsetof(struct udpbatch_piece, data) == offsetof(struct iovec, iov_base), "data");
static_assert(offsetof(struct udpbatch_piece, len) == offsetof(struct iovec, iov_len), "len");

static socklen_t addr_len(const union udpbatch_addr *addr)
{
    return addr->sa.sa_family == AF_INET6 ? sizeof addr->in6 : sizeof addr->in4;
}

void ub_message_of_train(struct msghdr *message, const struct ub_train *train)
{
    union {
        const void *in;
        void *out; /* the kernel only reads: msghdr has no const */
    } to = { train->to }, pieces = { train->pieces };

    *message = (struct msghdr){ .msg_name = to.out, .msg_iov = pieces.out };
    message->msg_namelen = train->to != NULL ? addr_len(train->to) : 0;
    message->msg_iovlen = train->piece_count;
}

void ub_message_of_slot(struct msghdr *message, struct ub_slot *slot)
{
    *message = (struct msghdr){ .msg_name = &slot->from,
                                .msg_iov = &slot->room,
                                .msg_control = &slot->control };
    message->msg_namelen = sizeof slot->from;
    message->msg_iovlen = 1;
    message->msg_controllen = sizeof slot->control;
}

static void read_control(struct ub_slot *slot, const struct cmsghdr *control)
{
    if (control->cmsg_level == SOL_SOCKET && control->cmsg_type == UB_RXQ_OVFL) {
        memcpy(&slot->dropped, CMSG_DATA(control), sizeof slot->dropped);
        slot->has_dropped = true;
    }
}

void ub_slot_read(struct ub_slot *slot, struct msghdr *message, size_t len)
{
    slot->len = len;
    slot->truncated = (message->msg_flags & MSG_TRUNC) != 0;
    slot->has_dropped = false;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c))
        read_control(slot, c);
}
