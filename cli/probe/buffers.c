/* buffers.c: how large a socket's buffers may be made. */
#include "question.h"

#include "loopback.h"

#if LIMITS_BUFFERS

/* Linux gives twice what was asked for, half of it for its own use, and lets CAP_NET_ADMIN exceed
 * the limit (socket(7)). */
#ifdef SO_RCVBUFFORCE
enum { SHARE = 2, FORCE_SEND = SO_SNDBUFFORCE, FORCE_RECEIVE = SO_RCVBUFFORCE };
#define SEND_LIMIT    "net.core.wmem_max"
#define RECEIVE_LIMIT "net.core.rmem_max"
#else
enum { SHARE = 1, FORCE_SEND = SO_SNDBUF, FORCE_RECEIVE = SO_RCVBUF };
#define SEND_LIMIT    "kern.ipc.maxsockbuf"
#define RECEIVE_LIMIT "kern.ipc.maxsockbuf"
#endif

/* More than is asked for by anybody; and what a burst of a few thousand packets takes. */
enum { ASKED = 1 << 30, ENOUGH = 16 * 1024 * 1024, LEAST = 1024 };

struct buffer {
    int option, force;
    const char *limit;
};

/* Other systems refuse what is too much, where Linux gives what it may. */
static uint64_t largest(udpbatch_socket fd, int option)
{
    int size = ASKED, granted = 0;
    void *bytes = &granted;
    socklen_t len = sizeof granted;
    while (size > LEAST && !loopback_set(fd, SOL_SOCKET, option, size))
        size /= 2;
    if (size <= LEAST || getsockopt(fd, SOL_SOCKET, option, bytes, &len) < 0)
        return 0;
    return (uint64_t)granted / SHARE;
}

static void judge(const struct buffer *buffer, uint64_t size, bool forced, struct answer *answer)
{
    char text[SHOWN_TEXT];

    answer_number(answer, "bytes", size);
    answer_flag(answer, "may_exceed", forced);
    answer_show(answer, "%s", answer_write_bytes(size, text));
    answer_yes(answer, "at most, by %s%s", buffer->limit,
               forced ? "; this process may exceed it" : "");
    if (size < ENOUGH)
        answer_remedy(answer, "sysctl -w %s=%d", buffer->limit, ENOUGH);
}

static void ask(const struct buffer *buffer, struct answer *answer)
{
    udpbatch_socket fd = socket_open_udp(AF_INET);
    if (fd == NO_SOCKET) {
        answer_fail(answer, "cannot open a socket", socket_error());
        return;
    }
    uint64_t size = largest(fd, buffer->option);
    bool forced =
        buffer->force != buffer->option && loopback_set(fd, SOL_SOCKET, buffer->force, ASKED);
    socket_close(fd);
    if (size > 0)
        judge(buffer, size, forced, answer);
    else
        answer_no(answer, "its size cannot be set: %s", words_of_error(errno));
}

void ask_send_buffer(const struct subject *subject, struct answer *answer)
{
    static const struct buffer buffer = { SO_SNDBUF, FORCE_SEND, SEND_LIMIT };
    (void)subject;
    ask(&buffer, answer);
}

void ask_receive_buffer(const struct subject *subject, struct answer *answer)
{
    static const struct buffer buffer = { SO_RCVBUF, FORCE_RECEIVE, RECEIVE_LIMIT };
    (void)subject;
    ask(&buffer, answer);
}

#endif
