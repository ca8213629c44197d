/* scripted_kernel.c: a kernel that answers the calls that send by a script. */
#include "internal.h"

#include "scripted_kernel.h"
#include "system.h"

#include <limits.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif

enum { NO_PACKET = SCRIPT_PACKETS, TO_PEER = SCRIPT_PACKETS, LONGEST = 65535 };

struct script_state kernel;
unsigned kernel_taken[SCRIPT_PACKETS];
bool kernel_given_up[SCRIPT_PACKETS];
unsigned kernel_strange;
unsigned kernel_disorder;
unsigned kernel_overtaken;
uint16_t kernel_peer_port;
bool kernel_has_peer;
int kernel_no_segment_option;
void (*kernel_watch)(const struct script_message *message);

union udpbatch_addr script_targets[SCRIPT_PACKETS];
const uint32_t script_shared_payload[2] = { SCRIPT_SHARED, ~(uint32_t)SCRIPT_SHARED };
static uint32_t payloads[SCRIPT_PACKETS][2];

/* The packets as they were given, and those of one destination behind one another. */
static struct {
    struct udpbatch_packet packets[SCRIPT_PACKETS];
    size_t n;
    size_t behind[SCRIPT_PACKETS];
    size_t first[SCRIPT_PACKETS + 1]; /* by port; at TO_PEER those without an address */
    size_t open[SCRIPT_PACKETS + 1];  /* those before have come already */
    bool is_found[SCRIPT_PACKETS];    /* in the message at hand */
    size_t last_taken[SCRIPT_PACKETS + 1];
    size_t last_taken_of_all;
} expected;

/* ---- The script ---------------------------------------------------------------------------- */

/* Errors that Windows and Wine give each in their own way for an address of another family, or a
 * missing one: the library finds out. */
static bool is_vague(int error)
{
    return IS_WINDOWS && (error == EFAULT || error == EINVAL || error == ENETUNREACH ||
                          error == ENOTCONN || error == EOPNOTSUPP);
}

int script_told(int error, size_t packet)
{
    const union udpbatch_addr *to = expected.packets[packet].to;

    if (!is_vague(error))
        return error;
    if (to == NULL)
        return kernel_has_peer ? error : EDESTADDRREQ;
    return to->sa.sa_family == AF_INET ? error : EAFNOSUPPORT;
}

static int coming_error(const struct script_state *state, size_t packet)
{
    const struct script_packet *script = &state->script->packets[packet];
    unsigned try = state->tries[packet];
    unsigned last = 0;

    while (last < SCRIPT_ERRORS && script->errors[last] != 0)
        last++;
    if (try < last)
        return script_told(script->errors[try], packet);
    return script->for_good && last > 0 ? script_told(script->errors[last - 1], packet) : 0;
}

unsigned script_asked_again(int error, bool hears_icmp)
{
    switch (ub_settle_pending(error)) {
    case UB_PENDING:
        return SCRIPT_PENDING_AGAIN;
    case UB_MAY_BE_PENDING:
        return hears_icmp || UB_ALL_HEAR_ICMP ? SCRIPT_PERHAPS_AGAIN : 0;
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

struct udpbatch_tally script_multi_target_send(udpbatch_socket fd, struct udpbatch_packet *packets,
                                               size_t n)
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

static uint16_t port_of(const union udpbatch_addr *to)
{
    return ntohs(to->sa.sa_family == AF_INET6 ? to->in6.sin6_port : to->in4.sin_port);
}

static size_t chain_of(const union udpbatch_addr *to)
{
    if (to == NULL)
        return TO_PEER;
    size_t chain = (size_t)port_of(to) - SCRIPT_FIRST_PORT;
    return chain < TO_PEER ? chain : NO_PACKET;
}

void kernel_expect(const struct udpbatch_packet *packets, size_t n)
{
    expected.n = n;
    expected.last_taken_of_all = 0;
    memcpy(expected.packets, packets, n * sizeof packets[0]);
    for (size_t chain = 0; chain <= TO_PEER; chain++) {
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
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
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

static unsigned char gathered[LONGEST];

struct script_request script_request_to(const void *to, socklen_t to_len)
{
    return (struct script_request){ .to = to, .to_len = to_len, .tos = -1 };
}

void script_add_bytes(struct script_request *request, const void *bytes, size_t len)
{
    request->is_strange |= len > LONGEST - request->len;
    if (request->is_strange || len == 0)
        return;
    memcpy(gathered + request->len, bytes, len);
    request->len += len;
}

void script_add_control(struct script_request *request, int level, int type, const void *value,
                        size_t len)
{
    bool is_tos =
        (level == IPPROTO_IP && type == IP_TOS) || (level == IPPROTO_IPV6 && type == IPV6_TCLASS);

    if (level == UB_SOL_UDP && type == UB_UDP_SEGMENT && len == sizeof request->segment)
        memcpy(&request->segment, value, len);
    else if (is_tos && len == sizeof request->tos)
        memcpy(&request->tos, value, len);
    else
        request->is_strange = true;
}

static bool is_address_of(const struct datagram *datagram, const union udpbatch_addr *to)
{
    if (to == NULL || datagram->to == NULL)
        return to == datagram->to && datagram->to_len == 0;
    socklen_t len = to->sa.sa_family == AF_INET6 ? sizeof to->in6 : sizeof to->in4;
    return datagram->to_len == len && memcmp(datagram->to, to, (size_t)len) == 0;
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

/* Cuts it as udp_send_skb of Linux does, and Windows too. False if a datagram is none that is to
 * come. */
static bool cut(const struct script_request *request, struct script_message *out)
{
    const size_t len = request->len;
    size_t segment = request->segment != 0 && request->segment < len ? request->segment : len;
    size_t end;

    *out = (struct script_message){ .bytes = (uint32_t)len, .segment = (uint32_t)segment };
    if (request->is_strange)
        return false;
    for (size_t at = 0; at < len || out->count == 0; at = end) {
        end = len - at < segment ? len : at + segment;
        struct datagram datagram = { gathered + at, end - at, request->to, request->to_len,
                                     request->tos };
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

static int its_error(const struct script_message *message, bool is_seen)
{
    const struct script_trains *trains = &kernel.script->trains;
    unsigned port = (unsigned)port_of_packet(message->packets[0]) - SCRIPT_FIRST_PORT;

    if (port < 64 && (trains->bad_ports >> port & 1) != 0)
        return trains->bad_port_error;
    return message->count > 1 ? train_error(message, is_seen)
                              : single_error(message->packets[0], is_seen);
}

static int error_of(const struct script_message *message, bool is_seen)
{
    return script_told(its_error(message, is_seen), message->packets[0]);
}

static void note_order(size_t packet)
{
    unsigned port = (unsigned)port_of_packet(packet) - SCRIPT_FIRST_PORT;
    size_t *last = &expected.last_taken[port < TO_PEER ? port : TO_PEER];

    kernel_disorder += packet < *last;
    kernel_overtaken += packet < expected.last_taken_of_all;
    *last = packet;
    expected.last_taken_of_all = packet;
}

int kernel_take(const struct script_request *request, bool is_first)
{
    struct script_message message;
    bool is_known = cut(request, &message);
    for (size_t i = 0; i < message.count; i++)
        expected.is_found[message.packets[i]] = false;
    if (!is_known) {
        kernel_strange++;
        return 0;
    }
    message.error = error_of(&message, is_first);
    for (size_t i = 0; message.error == 0 && i < message.count; i++) {
        kernel_taken[message.packets[i]]++;
        note_order(message.packets[i]);
    }
    if (kernel_watch != NULL && (is_first || message.error == 0))
        kernel_watch(&message);
    return message.error;
}

/* ---- As POSIX asks it ---------------------------------------------------------------------- */

#ifndef _WIN32

static int take(const struct msghdr *message, bool is_first)
{
    struct script_request request = script_request_to(message->msg_name, message->msg_namelen);
    union { /* CMSG_NXTHDR wants it without const */
        const struct msghdr *in;
        struct msghdr *out;
    } mutable = { message };

    for (size_t i = 0; i < (size_t)message->msg_iovlen; i++)
        script_add_bytes(&request, message->msg_iov[i].iov_base, message->msg_iov[i].iov_len);
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(mutable.out, c))
        script_add_control(&request, c->cmsg_level, c->cmsg_type, CMSG_DATA(c),
                           c->cmsg_len - CMSG_LEN(0));
    errno = kernel_take(&request, is_first);
    return errno;
}

int __wrap_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags);
int __wrap_getsockopt(int fd, int level, int option, void *value, socklen_t *len);
int __real_getsockopt(int fd, int level, int option, void *value, socklen_t *len);

int __wrap_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags)
{
    if (fd < 0) { /* asked whether there is such a call */
        kernel.asked++;
        errno = EBADF;
        return -1;
    }
    unsigned most = script_next_count(&kernel, count);
    unsigned taken = 0;

    (void)flags;
    while (taken < most && take(&messages[taken].msg_hdr, taken == 0) == 0)
        taken++;
    return taken > 0 ? (int)taken : -1;
}

#ifdef __linux__
/* How sendmmsg is asked for where libc's own is a loop (platform.h). */
long __wrap_syscall(long number, ...);

long __wrap_syscall(long number, ...)
{
    va_list arguments;

    assert_int_equal(number, SYS_sendmmsg);
    va_start(arguments, number);
    const int fd = va_arg(arguments, int);
    struct mmsghdr *const messages = va_arg(arguments, struct mmsghdr *);
    const unsigned count = va_arg(arguments, unsigned);
    const int flags = va_arg(arguments, int);
    va_end(arguments);
    return __wrap_sendmmsg(fd, messages, count, flags);
}
#endif

ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags)
{
    (void)fd;
    (void)flags;
    script_next_count(&kernel, 1);
    return take(message, true) == 0 ? (ssize_t)sizeof payloads[0] : -1;
}

int __wrap_getsockopt(int fd, int level, int option, void *value, socklen_t *len)
{
    if (level != UB_SOL_UDP || option != UB_UDP_SEGMENT)
        return __real_getsockopt(fd, level, option, value, len);
    errno = kernel_no_segment_option;
    if (errno != 0)
        return -1;
    memset(value, 0, *len);
    return 0;
}

#endif
