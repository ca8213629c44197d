/* scripted_kernel.c: a kernel that answers sendmmsg and sendmsg by a script. */
#include "internal.h"

#include "scripted_kernel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/uio.h>

enum { NO_PACKET = SCRIPT_PACKETS, NO_ADDRESS = SCRIPT_PACKETS, LONGEST = 65535 };

struct script_state kernel;
unsigned kernel_taken[SCRIPT_PACKETS];
bool kernel_given_up[SCRIPT_PACKETS];
unsigned kernel_strange;
unsigned kernel_disorder;
unsigned kernel_overtaken;
uint16_t kernel_peer_port;
void (*kernel_watch)(const struct script_message *message);

union udpbatch_addr script_targets[SCRIPT_PACKETS];
const uint32_t script_shared_payload[2] = { SCRIPT_SHARED, ~(uint32_t)SCRIPT_SHARED };
static uint32_t payloads[SCRIPT_PACKETS][2];

/* ---- The script ---------------------------------------------------------------------------- */

static int coming_error(const struct script_state *state, size_t packet)
{
    const struct script_packet *script = &state->script->packets[packet];
    unsigned try = state->tries[packet];
    unsigned last = 0;

    while (last < SCRIPT_ERRORS && script->errors[last] != 0)
        last++;
    if (try < last)
        return script->errors[try];
    return script->for_good && last > 0 ? script->errors[last - 1] : 0;
}

unsigned script_asked_again(int error, bool hears_icmp)
{
    switch (ub_settle_pending(error)) {
    case UB_PENDING:
        return SCRIPT_PENDING_AGAIN;
    case UB_MAY_BE_PENDING:
        return hears_icmp ? SCRIPT_PERHAPS_AGAIN : 0;
    default:
        return 0;
    }
}

int script_next_error(struct script_state *state, size_t packet)
{
    int error = coming_error(state, packet);
    state->tries[packet]++;
    return error;
}

unsigned script_next_count(struct script_state *state, unsigned messages)
{
    unsigned call = state->calls++;
    unsigned most = call < SCRIPT_COUNTS ? state->script->most[call] : 0;
    return most != 0 && most < messages ? most : messages;
}

struct udpbatch_tally script_multi_target_send(int fd, struct udpbatch_packet *packets, size_t n)
{
    static int32_t status[SCRIPT_PACKETS];
    for (size_t i = 0; i < n; i++)
        status[i] = packets[i].status;
    struct udpbatch_tally tally = udpbatch_multi_target_send(
        fd, script_shared_payload, sizeof script_shared_payload, script_targets, n, status);
    for (size_t i = 0; i < n; i++)
        packets[i].status = status[i];
    return tally;
}

void kernel_play(const struct script *script)
{
    kernel = (struct script_state){ .script = script };
    memset(kernel_taken, 0, sizeof kernel_taken);
    memset(kernel_given_up, 0, sizeof kernel_given_up);
    kernel_strange = 0;
    kernel_disorder = 0;
    kernel_overtaken = 0;
}

/* ---- The packets that are to come ---------------------------------------------------------- */

/* The packets as they were given, and those of one destination behind one another. */
static struct {
    struct udpbatch_packet packets[SCRIPT_PACKETS];
    size_t n;
    size_t behind[SCRIPT_PACKETS];
    size_t first[SCRIPT_PACKETS + 1]; /* by port; at NO_ADDRESS those without an address */
    size_t open[SCRIPT_PACKETS + 1];  /* those before have come already */
    bool is_found[SCRIPT_PACKETS];    /* in the message at hand */
    size_t last_taken[SCRIPT_PACKETS + 1];
    size_t last_taken_of_all;
} expected;

static uint16_t port_of(const union udpbatch_addr *to)
{
    return ntohs(to->sa.sa_family == AF_INET6 ? to->in6.sin6_port : to->in4.sin_port);
}

static size_t chain_of(const union udpbatch_addr *to)
{
    if (to == NULL)
        return NO_ADDRESS;
    size_t chain = (size_t)port_of(to) - SCRIPT_FIRST_PORT;
    return chain < NO_ADDRESS ? chain : NO_PACKET;
}

void kernel_expect(const struct udpbatch_packet *packets, size_t n)
{
    expected.n = n;
    expected.last_taken_of_all = 0;
    memcpy(expected.packets, packets, n * sizeof packets[0]);
    for (size_t chain = 0; chain <= NO_ADDRESS; chain++) {
        expected.first[chain] = NO_PACKET;
        expected.last_taken[chain] = 0;
    }
    for (size_t i = n; i-- > 0;) {
        size_t *first = &expected.first[chain_of(packets[i].to)];
        expected.behind[i] = *first;
        *first = i;
    }
    memcpy(expected.open, expected.first, sizeof expected.open);
}

void script_packets(struct udpbatch_packet *packets, size_t n, unsigned without_address)
{
    for (uint32_t i = 0; i < n; i++) {
        payloads[i][0] = i;
        payloads[i][1] = ~i;
        script_targets[i].in4 =
            (struct sockaddr_in){ .sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)(SCRIPT_FIRST_PORT + i)),
                                  .sin_addr = { htonl(INADDR_LOOPBACK) } };
        bool has_address = without_address == 0 || i % without_address != 0;
        packets[i] = (struct udpbatch_packet){ .data = payloads[i],
                                               .len = sizeof payloads[i],
                                               .to = has_address ? &script_targets[i] : NULL };
    }
    kernel_expect(packets, n);
}

/* ---- A message, cut into datagrams --------------------------------------------------------- */

struct datagram {
    const unsigned char *data;
    size_t len;
    const union udpbatch_addr *to;
    socklen_t to_len;
    int tos; /* -1: as the socket is set */
};

struct control {
    uint16_t segment;
    int tos;
};

/* False if it says anything that no packet asks for. */
static bool read_control(const struct msghdr *message, struct control *control)
{
    union { /* CMSG_NXTHDR wants it without const */
        const struct msghdr *in;
        struct msghdr *out;
    } mutable = { message };

    *control = (struct control){ .tos = -1 };
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(mutable.out, c)) {
        size_t len = c->cmsg_len - CMSG_LEN(0);
        bool is_tos = (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS) ||
                      (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_TCLASS);
        if (c->cmsg_level == UB_SOL_UDP && c->cmsg_type == UB_UDP_SEGMENT &&
            len == sizeof control->segment)
            memcpy(&control->segment, CMSG_DATA(c), len);
        else if (is_tos && len == sizeof control->tos)
            memcpy(&control->tos, CMSG_DATA(c), len);
        else
            return false;
    }
    return true;
}

static bool is_address_of(const struct datagram *datagram, const union udpbatch_addr *to)
{
    if (to == NULL || datagram->to == NULL)
        return to == datagram->to && datagram->to_len == 0;
    socklen_t len = to->sa.sa_family == AF_INET6 ? sizeof to->in6 : sizeof to->in4;
    return datagram->to_len == len && memcmp(datagram->to, to, len) == 0;
}

static bool is_shared_payload(const struct datagram *datagram)
{
    return datagram->len == sizeof script_shared_payload &&
           memcmp(datagram->data, script_shared_payload, sizeof script_shared_payload) == 0;
}

static bool is_payload_of(const struct datagram *datagram, const struct udpbatch_packet *packet)
{
    if (is_shared_payload(datagram))
        return true;
    if ((packet->len & UDPBATCH_PIECES(0)) == 0)
        return datagram->len == packet->len &&
               (packet->len == 0 ||
                (packet->data != NULL && memcmp(datagram->data, packet->data, packet->len) == 0));

    const struct udpbatch_piece *pieces = packet->data;
    size_t at = 0;
    for (uint32_t i = 0; i < (packet->len & ~UDPBATCH_PIECES(0)); i++) {
        if (pieces[i].len > datagram->len - at)
            return false;
        if (pieces[i].len > 0 && memcmp(datagram->data + at, pieces[i].data, pieces[i].len) != 0)
            return false;
        at += pieces[i].len;
    }
    return at == datagram->len;
}

static bool is_tos_of(const struct datagram *datagram, const struct udpbatch_meta *meta)
{
    bool asks = meta != NULL && (meta->flags & UDPBATCH_META_TOS) != 0;
    return datagram->tos == (asks ? meta->tos : -1);
}

static bool is_packet(const struct datagram *datagram, size_t packet)
{
    const struct udpbatch_packet *it = &expected.packets[packet];
    return is_payload_of(datagram, it) && is_address_of(datagram, it->to) &&
           is_tos_of(datagram, it->meta);
}

static bool is_to_come(size_t packet)
{
    return !expected.is_found[packet] && kernel_taken[packet] == 0 && !kernel_given_up[packet] &&
           expected.packets[packet].status == 0;
}

/* Of packets that are alike, the first that has not come yet; or else any; or NO_PACKET. */
static size_t packet_of(const struct datagram *datagram)
{
    size_t chain = chain_of(datagram->to);

    if (datagram->to != NULL && chain == NO_PACKET)
        return NO_PACKET;
    size_t *open = &expected.open[chain];
    while (*open != NO_PACKET && kernel_taken[*open] != 0)
        *open = expected.behind[*open];
    for (size_t i = *open; i != NO_PACKET; i = expected.behind[i])
        if (is_to_come(i) && is_packet(datagram, i))
            return i;
    for (size_t i = expected.first[chain]; i != NO_PACKET; i = expected.behind[i])
        if (is_packet(datagram, i))
            return i;
    return NO_PACKET;
}

/* False if the message does not fit into one of the kernel's. */
static bool gather(const struct msghdr *message, unsigned char *room, size_t *len)
{
    *len = 0;
    for (size_t i = 0; i < message->msg_iovlen; i++) {
        const struct iovec *piece = &message->msg_iov[i];
        if (piece->iov_len > LONGEST - *len)
            return false;
        if (piece->iov_len > 0)
            memcpy(room + *len, piece->iov_base, piece->iov_len);
        *len += piece->iov_len;
    }
    return true;
}

/* Cuts it as udp_send_skb of Linux does. False if a datagram is none that is to come. */
static bool cut(const struct msghdr *message, struct script_message *out)
{
    static unsigned char bytes[LONGEST];
    struct control control;
    size_t len, end;

    *out = (struct script_message){ 0 };
    if (!gather(message, bytes, &len) || !read_control(message, &control))
        return false;
    size_t segment = control.segment != 0 && control.segment < len ? control.segment : len;
    out->bytes = (uint32_t)len;
    out->segment = (uint32_t)segment;
    for (size_t at = 0; at < len || out->count == 0; at = end) {
        end = len - at < segment ? len : at + segment;
        struct datagram datagram = { bytes + at, end - at, message->msg_name, message->msg_namelen,
                                     control.tos };
        size_t packet = out->count < SCRIPT_SEGMENTS ? packet_of(&datagram) : NO_PACKET;
        if (packet == NO_PACKET)
            return false;
        expected.is_found[packet] = true;
        out->packets[out->count++] = packet;
    }
    return true;
}

/* ---- What becomes of it -------------------------------------------------------------------- */

static uint16_t port_of_packet(size_t packet)
{
    const union udpbatch_addr *to = expected.packets[packet].to;
    return to != NULL ? port_of(to) : kernel_peer_port;
}

static int fault_of(const struct script_message *message, size_t fault, bool is_seen)
{
    const struct script_fault *it = &kernel.script->trains.faults[fault];
    unsigned *tries = &kernel.fault_tries[fault];

    if (it->error == 0 || (it->at_one_port && port_of_packet(message->packets[0]) != it->port))
        return 0;
    bool hits = *tries >= it->spared && (it->times == UINT_MAX || *tries < it->spared + it->times);
    *tries += (is_seen || !hits) && *tries < UINT_MAX;
    return hits ? it->error : 0;
}

static int packets_error(const struct script_message *message, bool is_seen)
{
    for (size_t i = 0; i < message->count; i++) {
        size_t packet = message->packets[i];
        int error = coming_error(&kernel, packet);
        if (error == 0)
            continue;
        if (is_seen && (error == EAGAIN || error == EINTR))
            kernel.tries[packet]++;
        return error;
    }
    return 0;
}

static int train_error(const struct script_message *message, bool is_seen)
{
    const struct script_trains *trains = &kernel.script->trains;

    if (trains->segments_most != 0 && message->count > trains->segments_most)
        return EINVAL;
    if (trains->segment_most != 0 && message->segment > trains->segment_most)
        return EMSGSIZE;
    for (size_t i = 0; i < SCRIPT_FAULTS; i++) {
        int error = fault_of(message, i, is_seen);
        if (error != 0)
            return error;
    }
    return packets_error(message, is_seen);
}

static int single_error(size_t packet, bool is_seen)
{
    bool is_past = is_seen || !kernel.script->trains.keep_unseen;
    return is_past ? script_next_error(&kernel, packet) : coming_error(&kernel, packet);
}

static int error_of(const struct script_message *message, bool is_seen)
{
    const struct script_trains *trains = &kernel.script->trains;
    unsigned port = (unsigned)port_of_packet(message->packets[0]) - SCRIPT_FIRST_PORT;

    if (port < 64 && (trains->bad_ports >> port & 1) != 0)
        return trains->bad_port_error;
    return message->count > 1 ? train_error(message, is_seen)
                              : single_error(message->packets[0], is_seen);
}

static void note_order(size_t packet)
{
    unsigned port = (unsigned)port_of_packet(packet) - SCRIPT_FIRST_PORT;
    size_t *last = &expected.last_taken[port < NO_ADDRESS ? port : NO_ADDRESS];

    kernel_disorder += packet < *last;
    kernel_overtaken += packet < expected.last_taken_of_all;
    *last = packet;
    expected.last_taken_of_all = packet;
}

/* Takes one message, or sets errno and does not; the caller sees the errno of the first only. */
static bool take(const struct msghdr *it, bool is_first)
{
    struct script_message message;
    bool is_known = cut(it, &message);
    for (size_t i = 0; i < message.count; i++)
        expected.is_found[message.packets[i]] = false;
    if (!is_known) {
        kernel_strange++;
        return true;
    }
    message.error = error_of(&message, is_first);
    for (size_t i = 0; message.error == 0 && i < message.count; i++) {
        kernel_taken[message.packets[i]]++;
        note_order(message.packets[i]);
    }
    if (kernel_watch != NULL && (is_first || message.error == 0))
        kernel_watch(&message);
    errno = message.error;
    return message.error == 0;
}

int __wrap_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags);

int __wrap_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags)
{
    if (fd < 0) { /* asked whether there is such a call */
        errno = EBADF;
        return -1;
    }
    unsigned most = script_next_count(&kernel, count);
    unsigned taken = 0;

    (void)flags;
    while (taken < most && take(&messages[taken].msg_hdr, taken == 0))
        taken++;
    return taken > 0 ? (int)taken : -1;
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags)
{
    (void)fd;
    (void)flags;
    script_next_count(&kernel, 1);
    return take(message, true) ? (ssize_t)sizeof payloads[0] : -1;
}
