/* message.c: trains as the struct msghdr of the socket interface. Pure. */
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

/* Adds a control message at offset `at` and returns where the next one goes. */
size_t ub_control_put(unsigned char *control, size_t at, int level, int type, const void *data,
                      size_t len)
{
    struct cmsghdr *message = (struct cmsghdr *)(void *)(control + at);

    *message = (struct cmsghdr){ .cmsg_level = level, .cmsg_type = type };
    message->cmsg_len = CMSG_LEN(len);
    memset(CMSG_DATA(message), 0, CMSG_SPACE(len) - CMSG_LEN(0)); /* what pads it, too */
    memcpy(CMSG_DATA(message), data, len);
    return at + CMSG_SPACE(len);
}

/* The segment size goes with trains of several packets only: some kernels refuse it for one. */
static size_t put_control(const struct ub_train *train, const struct ub_facts *facts)
{
    const uint16_t segment = (uint16_t)train->segment;
    size_t used =
        train->meta != NULL ? ub_meta_write(train->meta, train->is_in4, facts, train->control) : 0;

    if (train->count > 1)
        used = ub_control_put(train->control, used, UB_SOL_UDP, UB_UDP_SEGMENT, &segment,
                              sizeof segment);
    assert(used <= train->control_size);
    return used;
}

void ub_message_of_train(struct msghdr *message, const struct ub_train *train,
                         const struct ub_facts *facts)
{
    union {
        const void *in;
        void *out; /* the kernel only reads: msghdr has no const */
    } to = { train->to }, pieces = { train->pieces };
    size_t control_len = put_control(train, facts);

    *message = (struct msghdr){ .msg_name = to.out, .msg_iov = pieces.out };
    message->msg_namelen = train->to != NULL ? addr_len(train->to) : 0;
    message->msg_iovlen = train->piece_count;
    message->msg_control = control_len > 0 ? train->control : NULL;
    message->msg_controllen = control_len;
}
