/* fuzz_receive.c: a receiver, to which the kernel says whatever the input has: of every message its
 * length, its source, its flags and its control messages.
 *
 * What is given out lies in what came, whole and once; where the control messages are well-formed,
 * it is cut just as they say. */
#include "internal.h"

#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

enum { BATCH_MOST = 4, GIVEN_MOST = 64, ERRORS_MOST = 8, STEPS = 64, FD = 1000 };

/* The kernel's counter has 32 bits, of which a step back is half; it comes with each message and by
 * the statistics. */
static const uint64_t DROPPED_MOST = (uint64_t)(BATCH_MOST + 1) * INT32_MAX;

static struct fuzz_input input;

/* ---- What the kernel did --------------------------------------------------------------------- */

/* A message that it put into a slot. */
struct came {
    const unsigned char *room;
    size_t size; /* of the room */
    size_t len;  /* that came into it */
    bool is_datagram;
    bool truncated;
    bool is_told;     /* its control messages are well-formed, so that the next holds: */
    uint32_t segment; /* bytes of each packet in it */
    size_t given;     /* how far it is given out */
    size_t packets;   /* that were */
};

static struct {
    struct came came[BATCH_MOST]; /* by the last calls to receive */
    size_t count, current;
    uint32_t packet_size;
    uint64_t calls;      /* to receive */
    int error;           /* that it gave last */
    bool has_no_queue;   /* what it said last of errors was not from their queue */
    unsigned asked_then; /* times that it was asked again after that */
} kernel;

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
static void write_control(struct msghdr *message, struct came *came)
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
static bool write_name(struct msghdr *message)
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
static size_t answer(struct msghdr *message)
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

/* ---- What is given out ----------------------------------------------------------------------- */

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

/* The message that the packet is of: the same as the one before, or the next one. */
static struct came *message_of(const struct udpbatch_received *packet)
{
    const unsigned char *at = packet->data;
    const struct came *current = &kernel.came[kernel.current];

    require(kernel.count > 0);
    if (at < current->room || at > current->room + current->size)
        kernel.current++;
    require(kernel.current < kernel.count);
    return &kernel.came[kernel.current];
}

/* It is just the packet that begins there. */
static void check_cut(const struct udpbatch_received *packet, const struct came *came, size_t at)
{
    const size_t left = came->len - at;
    const size_t whole = left < came->segment ? left : came->segment;
    const bool is_last = left <= came->segment;

    require(at == came->packets * came->segment);
    require(packet->len == (whole < kernel.packet_size ? whole : kernel.packet_size));
    require(packet->truncated == (whole > packet->len || (is_last && came->truncated)));
}

static void check_packet(const struct udpbatch_received *packet, uint32_t asked)
{
    struct came *came = message_of(packet);
    const unsigned char *bytes = packet->data;

    require(came->is_datagram && bytes >= came->room + came->given);
    const size_t at = (size_t)(bytes - came->room);
    require(at <= came->len && packet->len <= came->len - at);
    require(packet->len <= kernel.packet_size && packet->truncated <= 1);
    require(packet->len == 0 || (bytes[0] == 'c' && bytes[packet->len - 1] == 'c'));
    require(packet->from->sa.sa_family == AF_INET || packet->from->sa.sa_family == AF_INET6);
    require((packet->meta != NULL) == (asked != 0));
    require(asked == 0 || (packet->meta->flags & ~(asked | UDPBATCH_META_LOCAL)) == 0);
    if (came->is_told)
        check_cut(packet, came, at);
    came->given = at + packet->len;
    came->packets++;
}

/* ---- The system's calls ---------------------------------------------------------------------- */

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
    return is_refused() ? -1 : (ssize_t)answer(message);
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
        messages[i].msg_len = (unsigned)answer(&messages[i].msg_hdr);
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

/* ---- Steps ----------------------------------------------------------------------------------- */

struct run {
    struct udpbatch_receiver *receiver;
    uint32_t asked; /* of meta */
    uint64_t packets, bytes, truncated, dropped;
};

static void receive(struct run *run)
{
    const size_t n = take_below(&input, GIVEN_MOST + 1);
    const uint64_t calls = kernel.calls;
    struct udpbatch_received *packets = malloc(n > 0 ? n * sizeof *packets : 1);

    require(packets != NULL);
    const int count = udpbatch_receiver_receive(run->receiver, packets, n);
    require(count < 0 ? count == -EPIPE || count == -kernel.error : (size_t)count <= n);
    require(count != 0 || n == 0);
    require(kernel.calls - calls <= BATCH_MOST + 1);
    for (int i = 0; i < count; i++) {
        check_packet(&packets[i], run->asked);
        run->packets++;
        run->bytes += packets[i].len;
        run->truncated += packets[i].truncated;
    }
    free(packets);
}

static void check_error(const struct udpbatch_network_error *error)
{
    const sa_family_t family = error->by.sa.sa_family;
    require(family == AF_UNSPEC || family == AF_INET || family == AF_INET6);
    require(family == AF_UNSPEC || error->by.in4.sin_port == 0);
    require(error->mtu == 0 || error->error == EMSGSIZE);
}

static void read_errors(struct run *run)
{
    const size_t n = take_below(&input, ERRORS_MOST + 1);
    struct udpbatch_network_error *errors = malloc(n > 0 ? n * sizeof *errors : 1);

    require(errors != NULL);
    kernel.has_no_queue = false;
    kernel.asked_then = 0;
    const int count = udpbatch_receiver_network_errors(run->receiver, errors, n);
    require(count < 0 ? count == -kernel.error || count == -EOPNOTSUPP : (size_t)count <= n);
    require(kernel.asked_then == 0);
    for (int i = 0; i < count; i++)
        check_error(&errors[i]);
    free(errors);
}

static void check_stats(struct run *run)
{
    struct udpbatch_receiver_stats stats = { .size = sizeof stats };

    udpbatch_receiver_stats(run->receiver, &stats);
    require(stats.packets == run->packets && stats.bytes == run->bytes);
    require(stats.truncated == run->truncated && stats.system_calls == kernel.calls);
    require(stats.dropped >= run->dropped && stats.dropped - run->dropped <= DROPPED_MOST);
    run->dropped = stats.dropped;
}

static bool begin(struct run *run)
{
    static const uint32_t sizes[] = { 0, 1, 2, 100, 1500, UB_PAYLOAD_MAX };
    struct udpbatch_receiver_options options = { .size = sizeof options };

    options.backend = take_bool(&input) ? "portable" : NULL;
    options.batch = 1 + take_below(&input, BATCH_MOST);
    options.packet_size = sizes[take_below(&input, sizeof sizes / sizeof sizes[0])];
    options.trains = (enum udpbatch_trains)take_below(&input, UDPBATCH_TRAINS_ALWAYS + 1);
    options.meta = (uint32_t)take_below(&input, 32) << 16;
    options.network_errors = take_bool(&input);
    memset(&kernel, 0, sizeof kernel);
    kernel.packet_size = options.packet_size != 0 ? options.packet_size : UB_PAYLOAD_MAX;
    run->asked = options.meta;
    run->receiver = udpbatch_receiver_open(FD, &options, NULL);
    return run->receiver != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct run run = { .receiver = NULL };

    input = (struct fuzz_input){ data, size };
    if (!begin(&run))
        return 0;
    for (unsigned step = 0; step < STEPS && input.left > 0; step++) {
        if (take_below(&input, 4) > 0)
            receive(&run);
        else
            read_errors(&run);
        check_stats(&run);
    }
    udpbatch_receiver_close(run.receiver);
    return 0;
}
