/* msghdr.c: trains and slots as the struct msghdr of POSIX. Pure. */
#include "internal.h"

#if !UB_HAVE_WINSOCK

#include <string.h>

/* A list of pieces is handed to the kernel as it is. */
static_assert(sizeof(struct udpbatch_piece) == sizeof(struct iovec), "a piece is an iovec");
static_assert(offsetof(struct udpbatch_piece, data) == offsetof(struct iovec, iov_base), "data");
static_assert(offsetof(struct udpbatch_piece, len) == offsetof(struct iovec, iov_len), "len");

/* The lengths have types that differ from libc to libc: what is narrower fits all of them. */
void ub_msghdr_of_train(struct msghdr *message, const struct ub_train *train,
                        const struct ub_facts *facts)
{
    union {
        const void *in;
        void *out; /* the kernel only reads: msghdr has no const */
    } to = { train->to }, pieces = { train->pieces };
    uint32_t control_len = ub_control_of_train(train, facts);

    *message = (struct msghdr){ .msg_name = to.out, .msg_iov = pieces.out };
    message->msg_namelen = train->to != NULL ? ub_addr_len(train->to) : 0;
    message->msg_iovlen = (uint16_t)train->piece_count;
    message->msg_control = control_len > 0 ? train->control : NULL;
    message->msg_controllen = control_len;
}

void ub_msghdr_of_slot(struct msghdr *message, struct ub_slot *slot)
{
    slot->buffer = (ub_buffer){ .iov_base = slot->room, .iov_len = slot->size };
    *message = (struct msghdr){ .msg_name = &slot->from,
                                .msg_iov = &slot->buffer,
                                .msg_control = &slot->control };
    message->msg_namelen = sizeof slot->from;
    message->msg_iovlen = 1;
    message->msg_controllen = sizeof slot->control;
}

/* Whether the name is a peer's whole address, and not what the slot has had of one before. */
static bool has_peer(const struct msghdr *message, const union udpbatch_addr *from)
{
    return message->msg_namelen >= sizeof from->in4 &&
           (from->sa.sa_family == AF_INET || from->sa.sa_family == AF_INET6) &&
           message->msg_namelen >= ub_addr_len(from);
}

/* A message without a name is none of a datagram, but of a socket shut down for reading. */
void ub_msghdr_read(struct ub_slot *slot, const struct msghdr *message, size_t len)
{
    if (!has_peer(message, &slot->from))
        slot->from.sa.sa_family = AF_UNSPEC;
    slot->truncated = (message->msg_flags & MSG_TRUNC) != 0;
    ub_slot_read(slot, len, message->msg_controllen);
}

#endif
