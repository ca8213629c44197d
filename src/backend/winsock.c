/* winsock.c: one message per system call, by WSASendMsg and WSARecvMsg of Windows; a train is one,
 * where the system has UDP segmentation offload (USO). */
#include "../internal.h"

#if UB_HAVE_WINSOCK

#include <stdatomic.h>

/* ---- Sending --------------------------------------------------------------------------------- */

/* A piece is no WSABUF: the members have another order and width. */
static void describe_pieces(const struct ub_train *train, WSABUF *buffers)
{
    for (uint32_t i = 0; i < train->piece_count; i++) {
        union {
            const void *in;
            char *out; /* the system only reads: WSABUF has no const */
        } data = { train->pieces[i].data };
        buffers[i] = (WSABUF){ .len = (ULONG)train->pieces[i].len, .buf = data.out };
    }
}

static bool is_of_another_family(udpbatch_socket fd, const union udpbatch_addr *to)
{
    return to->sa.sa_family != ub_socket_family(fd);
}

/* What several systems call in several ways. Of an address of another family they say WSAEFAULT,
 * WSAEINVAL, WSAEAFNOSUPPORT, WSAEOPNOTSUPP or WSAENETUNREACH, of none on an unconnected socket
 * WSAENOTCONN or WSAEINVAL. */
static int winsock_judge(udpbatch_socket fd, const struct ub_train *train, int error)
{
    switch (error) {
    case EFAULT:
    case EINVAL:
    case ENETUNREACH:
    case ENOTCONN:
    case EOPNOTSUPP:
        if (train->to == NULL)
            return ub_socket_is_connected(fd) ? error : EDESTADDRREQ;
        return is_of_another_family(fd, train->to) ? EAFNOSUPPORT : error;
    default:
        return error;
    }
}

/* Gives a socket without an address one, as sendto does: WSASendMsg is documented to refuse it. */
static bool give_address(udpbatch_socket fd, const union udpbatch_addr *to)
{
    union udpbatch_addr own;
    socklen_t len = sizeof own;

    if (to == NULL || getsockname(fd, &own.sa, &len) == 0)
        return false;
    own = (union udpbatch_addr){ .sa = { .sa_family = to->sa.sa_family } };
    return bind(fd, &own.sa, ub_addr_len(to)) == 0;
}

/* Returns 0 or an errno. */
static int send_message(struct ub_engine *engine, WSAMSG *message)
{
    DWORD sent;
    engine->stats.system_calls++;
    return WSASendMsg(engine->fd, message, 0, &sent, NULL, NULL) == 0 ? 0 : ub_socket_error();
}

static int send_train(struct ub_engine *engine, const struct ub_train *train)
{
    WSABUF buffers[UB_PIECES_MAX];
    union {
        const void *in;
        void *out;
    } to = { train->to };
    uint32_t control_len = ub_control_of_train(train, &engine->plan.facts);
    WSAMSG message = { .name = to.out, .lpBuffers = buffers, .dwBufferCount = train->piece_count };

    describe_pieces(train, buffers);
    message.namelen = train->to != NULL ? ub_addr_len(train->to) : 0;
    if (control_len > 0)
        message.Control = (WSABUF){ .len = control_len, .buf = (char *)train->control };
    int error = send_message(engine, &message);
    if (error == EINVAL && give_address(engine->fd, train->to))
        error = send_message(engine, &message);
    return error == 0 ? 0 : winsock_judge(engine->fd, train, error);
}

static size_t winsock_submit(struct ub_engine *engine, size_t from)
{
    size_t next = from;
    for (; next < engine->plan.count; next++) {
        struct ub_train *train = &engine->plan.trains[next];
        train->error = send_train(engine, train);
        if (train->error != 0)
            break;
    }
    return next - from;
}

/* ---- Receiving ------------------------------------------------------------------------------- */

/* WSARecvMsg is in no import library. Whoever asks for it at the same time finds the same. */
static LPFN_WSARECVMSG find_receive(udpbatch_socket fd)
{
    static _Atomic(LPFN_WSARECVMSG) known;
    LPFN_WSARECVMSG function = atomic_load_explicit(&known, memory_order_relaxed);
    GUID name = WSAID_WSARECVMSG;
    DWORD len;

    if (function == NULL && WSAIoctl(fd, SIO_GET_EXTENSION_FUNCTION_POINTER, &name, sizeof name,
                                     &function, sizeof function, &len, NULL, NULL) == 0)
        atomic_store_explicit(&known, function, memory_order_relaxed);
    return function;
}

/* A datagram that is too long for the slot is an error, after its beginning has been received. */
static int receive_one(udpbatch_socket fd, LPFN_WSARECVMSG function, struct ub_slot *slot)
{
    WSAMSG message = { .name = &slot->from.sa,
                       .namelen = sizeof slot->from,
                       .lpBuffers = &slot->buffer,
                       .dwBufferCount = 1,
                       .Control = { .len = sizeof slot->control,
                                    .buf = (char *)slot->control.bytes } };
    DWORD len = 0;

    slot->buffer = (WSABUF){ .len = (ULONG)slot->size, .buf = (char *)slot->room };
    bool is_whole = function(fd, &message, &len, NULL, NULL) == 0;
    if (!is_whole && WSAGetLastError() != WSAEMSGSIZE)
        return -ub_socket_error();
    slot->truncated = !is_whole || (message.dwFlags & MSG_TRUNC) != 0;
    ub_slot_read(slot, is_whole ? len : slot->size, is_whole ? message.Control.len : 0);
    return 0;
}

/* Nothing tells whether a socket blocks, and no flag lets a single call not do so. */
static bool has_more(udpbatch_socket fd, uint64_t *system_calls)
{
    ++*system_calls;
    int events = ub_socket_wait(fd, POLLIN, 0);
    return events > 0 && (events & POLLIN) != 0;
}

static int winsock_receive(udpbatch_socket fd, struct ub_slot *slots, size_t n,
                           ub_message *messages, uint64_t *system_calls)
{
    LPFN_WSARECVMSG function = find_receive(fd);
    size_t count = 0;

    (void)messages;
    if (function == NULL)
        return -ub_socket_error();
    do {
        ++*system_calls;
        int error = receive_one(fd, function, &slots[count]);
        if (error < 0)
            return count > 0 ? (int)count : error;
        count++;
    } while (count < n && has_more(fd, system_calls));
    return (int)count;
}

const struct ub_backend ub_backend_winsock = {
    .name = "winsock",
    .submit = winsock_submit,
    .receive = winsock_receive,
};

#endif
