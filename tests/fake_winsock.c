/* fake_winsock.c: a Winsock that sends and receives as a test says. */
#include "platform.h"

#include "fake_winsock.h"

enum { SEND_MSG_SIZE = 2, RECV_MAX_COALESCED_SIZE = 3, COALESCED_INFO = 3 }; /* ws2ipdef.h */

struct fake_winsock fake;

void fake_begin(void)
{
    memset(&fake, 0, sizeof fake);
    fake.tells_truncation = true;
}

void fake_arrive(const void *data, size_t len, uint32_t segment)
{
    assert_true(fake.arrival_count < FAKE_ARRIVALS);
    fake.arrivals[fake.arrival_count++] =
        (struct fake_arrival){ .data = data, .len = len, .segment = segment };
}

void fake_arrive_error(int error)
{
    assert_true(fake.arrival_count < FAKE_ARRIVALS);
    fake.arrivals[fake.arrival_count++] = (struct fake_arrival){ .error = error };
}

static int fail_with(int error)
{
    WSASetLastError(error);
    return error != 0 ? SOCKET_ERROR : 0;
}

/* ---- Sending --------------------------------------------------------------------------------- */

/* Control messages as Microsoft's documentation of WSACMSGHDR lays them out. */
static void note_controls(struct fake_send *send, const WSABUF *control)
{
    size_t at = 0;
    WSACMSGHDR header;

    for (; control->len - at >= sizeof header; at += (header.cmsg_len + 7) & ~(size_t)7) {
        memcpy(&header, control->buf + at, sizeof header);
        assert_in_range(header.cmsg_len, sizeof header, control->len - at);
        send->controls++;
        if (header.cmsg_level != IPPROTO_UDP || header.cmsg_type != SEND_MSG_SIZE)
            continue;
        assert_int_equal(header.cmsg_len, sizeof header + sizeof send->segment);
        memcpy(&send->segment, control->buf + at + sizeof header, sizeof send->segment);
    }
}

static void note_bytes(struct fake_send *send, const WSABUF *buffers, size_t n)
{
    send->buffers = n;
    for (size_t i = 0; i < n; i++) {
        assert_true(buffers[i].len <= FAKE_BYTES - send->len);
        if (buffers[i].len > 0)
            memcpy(send->bytes + send->len, buffers[i].buf, buffers[i].len);
        send->len += buffers[i].len;
    }
}

int WSAAPI WSASendMsg(SOCKET fd, LPWSAMSG message, DWORD flags, LPDWORD sent,
                      LPWSAOVERLAPPED overlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE completed)
{
    assert_true(fake.send_count < FAKE_CALLS);
    struct fake_send *send = &fake.sends[fake.send_count];

    (void)fd;
    assert_int_equal(flags, 0);
    assert_int_equal(message->dwFlags, 0);
    assert_null(overlapped);
    assert_null(completed);
    send->to_len = message->namelen;
    assert_true(send->to_len >= 0 && (size_t)send->to_len <= sizeof send->to);
    if (message->name != NULL)
        memcpy(&send->to, message->name, (size_t)send->to_len);
    note_bytes(send, message->lpBuffers, message->dwBufferCount);
    note_controls(send, &message->Control);
    send->error = fake.send_error != 0 ? fake.send_error : fake.send_errors[fake.send_count];
    fake.send_count++;
    if (send->error == 0)
        *sent = (DWORD)send->len;
    return fail_with(send->error);
}

/* ---- Receiving ------------------------------------------------------------------------------- */

static void put_control(char *room, size_t *at, int level, int type, const void *value, size_t len)
{
    WSACMSGHDR header = { .cmsg_len = sizeof header + len, .cmsg_level = level, .cmsg_type = type };
    memset(room + *at, 0, sizeof header + ((len + 7) & ~(size_t)7)); /* what pads it, too */
    memcpy(room + *at, &header, sizeof header);
    memcpy(room + *at + sizeof header, value, len);
    *at += (header.cmsg_len + 7) & ~(size_t)7;
}

static void give_controls(const struct fake_arrival *arrival, WSAMSG *message)
{
    const int tos = 4;
    size_t at = 0;

    assert_true(message->Control.len >= 128);
    if (arrival->has_others) {
        put_control(message->Control.buf, &at, IPPROTO_IP, IP_TOS, &tos, sizeof tos);
        put_control(message->Control.buf, &at, IPPROTO_UDP, COALESCED_INFO, "\5", 1);
    }
    if (arrival->segment != 0)
        put_control(message->Control.buf, &at, IPPROTO_UDP, COALESCED_INFO, &arrival->segment,
                    sizeof arrival->segment);
    message->Control.len = (ULONG)at;
}

static int give(const struct fake_arrival *arrival, WSAMSG *message, DWORD *len)
{
    const WSABUF *room = &message->lpBuffers[0];
    const struct sockaddr_in from = { .sin_family = AF_INET, .sin_port = htons(9) };
    bool is_whole = arrival->len <= room->len;

    assert_int_equal(message->dwBufferCount, 1);
    assert_int_equal(message->dwFlags, 0);
    memcpy(room->buf, arrival->data, is_whole ? arrival->len : room->len);
    memcpy(message->name, &from, sizeof from);
    message->namelen = sizeof from;
    give_controls(arrival, message);
    if (!is_whole) {
        message->dwFlags = fake.tells_truncation ? MSG_TRUNC : 0;
        return fail_with(WSAEMSGSIZE);
    }
    *len = (DWORD)arrival->len;
    return 0;
}

static INT WSAAPI receive(SOCKET fd, LPWSAMSG message, LPDWORD len, LPWSAOVERLAPPED overlapped,
                          LPWSAOVERLAPPED_COMPLETION_ROUTINE completed)
{
    (void)fd;
    assert_null(overlapped);
    assert_null(completed);
    if (fake.arrival_next == fake.arrival_count)
        return fail_with(WSAEWOULDBLOCK);
    const struct fake_arrival *arrival = &fake.arrivals[fake.arrival_next++];
    return arrival->error != 0 ? fail_with(arrival->error) : give(arrival, message, len);
}

int WSAAPI WSAPoll(LPWSAPOLLFD polls, ULONG count, INT timeout_ms)
{
    assert_int_equal(count, 1);
    assert_int_equal(polls->events & ~(POLLIN | POLLOUT), 0); /* others are invalid */
    fake.polled = polls->events;
    fake.poll_timeout_ms = timeout_ms;
    polls->revents = fake.events;
    if (fake.arrival_next < fake.arrival_count)
        polls->revents |= POLLRDNORM;
    if (fake.poll_error != 0)
        return fail_with(fake.poll_error);
    return polls->revents != 0;
}

/* ---- What the library asks ------------------------------------------------------------------- */

/* The real function; `call` is the pointer to keep it in. */
static void find(void *call, const char *name)
{
    FARPROC found = GetProcAddress(GetModuleHandleA("ws2_32.dll"), name);
    assert_non_null(found);
    memcpy(call, &found, sizeof found);
}

typedef int(WSAAPI *get_call)(SOCKET, int, int, char *, int *);

static int WSAAPI get(SOCKET fd, int level, int option, char *value, int *len)
{
    static get_call call;
    if (level == IPPROTO_UDP) {
        bool is_uso = option == SEND_MSG_SIZE;
        assert_int_equal(*len, sizeof(DWORD));
        memcpy(value, is_uso ? &fake.uso : &fake.uro, sizeof(DWORD));
        return fail_with(is_uso ? fake.no_uso : fake.no_uro);
    }
    if (call == NULL)
        find(&call, "getsockopt");
    return call(fd, level, option, value, len);
}

typedef int(WSAAPI *set_call)(SOCKET, int, int, const char *, int);

static int WSAAPI set(SOCKET fd, int level, int option, const char *value, int len)
{
    static set_call call;
    if (level == IPPROTO_UDP) {
        bool is_uso = option == SEND_MSG_SIZE;
        assert_int_equal(len, sizeof(DWORD));
        memcpy(is_uso ? &fake.uso : &fake.uro, value, sizeof(DWORD));
        *(is_uso ? &fake.uso_sets : &fake.uro_sets) += 1;
        return fail_with(is_uso ? fake.no_uso : fake.no_uro);
    }
    if (call == NULL)
        find(&call, "setsockopt");
    return call(fd, level, option, value, len);
}

static int WSAAPI control(SOCKET fd, DWORD code, LPVOID in, DWORD in_len, LPVOID out, DWORD out_len,
                          LPDWORD len, LPWSAOVERLAPPED overlapped,
                          LPWSAOVERLAPPED_COMPLETION_ROUTINE completed)
{
    static const GUID name = WSAID_WSARECVMSG;
    const LPFN_WSARECVMSG call = receive;

    (void)fd;
    assert_null(overlapped);
    assert_null(completed);
    assert_int_equal(code, SIO_GET_EXTENSION_FUNCTION_POINTER);
    assert_int_equal(in_len, sizeof name);
    assert_memory_equal(in, &name, sizeof name);
    assert_int_equal(out_len, sizeof call);
    if (fake.has_no_receive)
        return fail_with(WSAEOPNOTSUPP);
    memcpy(out, &call, sizeof call);
    *len = sizeof call;
    return 0;
}

/* ---- By these a program calls what it imports ------------------------------------------------ */

typedef int(WSAAPI *send_call)(SOCKET, LPWSAMSG, DWORD, LPDWORD, LPWSAOVERLAPPED,
                               LPWSAOVERLAPPED_COMPLETION_ROUTINE);
typedef int(WSAAPI *poll_call)(LPWSAPOLLFD, ULONG, INT);
typedef int(WSAAPI *control_call)(SOCKET, DWORD, LPVOID, DWORD, LPVOID, DWORD, LPDWORD,
                                  LPWSAOVERLAPPED, LPWSAOVERLAPPED_COMPLETION_ROUTINE);

extern send_call __imp_WSASendMsg;
extern poll_call __imp_WSAPoll;
extern get_call __imp_getsockopt;
extern set_call __imp_setsockopt;
extern control_call __imp_WSAIoctl;

send_call __imp_WSASendMsg = WSASendMsg;
poll_call __imp_WSAPoll = WSAPoll;
get_call __imp_getsockopt = get;
set_call __imp_setsockopt = set;
control_call __imp_WSAIoctl = control;
