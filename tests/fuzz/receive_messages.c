/* receive_messages.c: messages of the kernel as the input says, well-formed or not. */
#include "receive_kernel.h"

#include <string.h>

/* ---- Control messages ------------------------------------------------------------------------ */

static const struct {
    int level, type;
} kinds[] = {
    { UB_SOL_UDP, UB_UDP_GRO },     { SOL_SOCKET, UB_RXQ_OVFL },
#if UB_HAVE_REPORTS
    { IPPROTO_IP, IP_PKTINFO },     { IPPROTO_IPV6, IPV6_PKTINFO }, { IPPROTO_IP, IP_TOS },
    { IPPROTO_IPV6, IPV6_TCLASS },  { IPPROTO_IP, IP_TTL },         { IPPROTO_IPV6, IPV6_HOPLIMIT },
    { SOL_SOCKET, SO_TIMESTAMPNS },
#endif
#if UB_HAVE_ERROR_QUEUE
    { IPPROTO_IP, IP_RECVERR },     { IPPROTO_IPV6, IPV6_RECVERR },
#endif
};

enum { KINDS = sizeof kinds / sizeof kinds[0] };

/* A segment size is one that was told, if it can be one. */
static void note_segment(struct came *came, const unsigned char *value, size_t len)
{
    int segment;
    if (len < sizeof segment)
        return;
    memcpy(&segment, value, sizeof segment);
    if (segment > 0)
        came->segment = (uint32_t)segment;
}

/* Of a kind that is known, or any; returns whether it is the segment size. */
static bool choose_kind(struct cmsghdr *header)
{
    const unsigned kind = take_below(&input, KINDS + 1);
    if (kind == KINDS) {
        header->cmsg_level = (int)take_32(&input);
        header->cmsg_type = (int)take_32(&input);
        return false;
    }
    header->cmsg_level = kinds[kind].level;
    header->cmsg_type = kinds[kind].type;
    return kinds[kind].level == UB_SOL_UDP;
}

/* Numbers at the edges are met more often. */
static void write_value(unsigned char *value, size_t len)
{
    static const int edges[] = { 0, 1, -1, 2, 1500, 65535, 65536, INT32_MAX, INT32_MIN };
    const unsigned edge = take_below(&input, 16);

    take_bytes(&input, value, len);
    if (edge < sizeof edges / sizeof edges[0] && len >= sizeof edges[0])
        memcpy(value, &edges[edge], sizeof edges[0]);
}

/* Well-formed control messages, then perhaps one that is not, and a length of all. */
void write_control(struct msghdr *message, struct came *came)
{
    unsigned char *bytes = message->msg_control;
    const size_t size = message->msg_controllen;
    size_t used = 0;

    while (take_bool(&input)) {
        const size_t len = take_below(&input, 64);
        struct cmsghdr header = { .cmsg_level = 0 };
        if (size - used < CMSG_SPACE(len))
            break;
        const bool is_segment = choose_kind(&header);
        header.cmsg_len = (uint32_t)CMSG_LEN(len);
        memcpy(bytes + used, &header, sizeof header);
        write_value(bytes + used + CMSG_LEN(0), len);
        if (is_segment)
            note_segment(came, bytes + used + CMSG_LEN(0), len);
        used += CMSG_SPACE(len);
    }
    message->msg_controllen = (uint32_t)used;
    if (take_bool(&input))
        return;
    came->is_told = false;
    if (size - used >= sizeof(struct cmsghdr)) {
        struct cmsghdr header = { .cmsg_len = take_32(&input) };
        choose_kind(&header);
        memcpy(bytes + used, &header, sizeof header);
    }
    message->msg_controllen = take_bool(&input) ? take_32(&input) : take_below(&input, 1024);
}

/* ---- Messages -------------------------------------------------------------------------------- */

/* Returns whether it is that of a datagram: the whole address of a peer. */
bool write_name(struct msghdr *message)
{
    static const socklen_t lens[] = { 0, sizeof(struct sockaddr_in), sizeof(struct sockaddr_in6) };
    static const sa_family_t families[] = { AF_UNSPEC, AF_INET, AF_INET6 };
    const unsigned kind = take_below(&input, 4);
    const socklen_t len = kind < 3 ? lens[kind] : take_32(&input);
    const socklen_t room = message->msg_namelen;
    union udpbatch_addr name;

    take_bytes(&input, &name, sizeof name);
    name.sa.sa_family = families[kind < 3 ? kind : take_below(&input, 3)];
    memcpy(message->msg_name, &name, len < room ? len : room);
    message->msg_namelen = len;
    return (name.sa.sa_family == AF_INET && len >= lens[1]) ||
           (name.sa.sa_family == AF_INET6 && len >= lens[2]);
}

/* A payload that has another byte behind it. */
static size_t write_payload(const struct msghdr *message, struct came *came)
{
    const struct iovec *room = message->msg_iov;
    const size_t claimed = take_bool(&input) ? take_32(&input) & INT32_MAX : take_16(&input);

    came->room = room->iov_base;
    came->size = room->iov_len;
    came->len = claimed < came->size ? claimed : came->size;
    memset(room->iov_base, 'c', came->len);
    if (came->len < came->size)
        memset((unsigned char *)room->iov_base + came->len, 'o', 1);
    return claimed;
}

/* Returns the length that it claims. */
size_t message_come(struct msghdr *message)
{
    require(kernel.count < BATCH_MOST);
    struct came *came = &kernel.came[kernel.count++];
    *came = (struct came){ .is_told = true };

    const size_t claimed = write_payload(message, came);
    came->is_datagram = write_name(message);
    came->truncated = take_bool(&input);
    message->msg_flags = take_16(&input) & ~MSG_TRUNC;
    message->msg_flags |= came->truncated ? MSG_TRUNC : 0;
    write_control(message, came);
    if (came->segment == 0)
        came->segment = (uint32_t)came->len;
    return claimed;
}
