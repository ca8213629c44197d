/* message.c: trains as the struct msghdr of the socket interface. Pure. */
#include "internal.h"

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
