/* library_calls.c: what the library does, by a kernel that knows few system calls since the program
 * has started: so they are the library's, and not those by which a program starts.
 *
 *     library_calls errno|kill NUMBER ... -- BACKEND [INTERFACE ADDRESS]
 *
 * Without the last two it receives and sends on loopback; with them it sends there. */
#define _GNU_SOURCE
#include "call_filter.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <udpbatch.h>
#include <unistd.h>

enum { MANY = 60, LEN = 100, TOO_LONG = 60000, SMALL_BUFFER = 40000, PATIENCE_MS = 5000 };

static unsigned char payload[TOO_LONG];
static struct udpbatch_packet packets[MANY];

/* By nothing that the filter may not know. */
static void expect(bool is_so, const char *what)
{
    if (is_so)
        return;
    (void)!write(STDERR_FILENO, what, strlen(what));
    _exit(EXIT_FAILURE);
}

/* ---- A device that is full ------------------------------------------------------------------- */

static bool is_full;

static bool refuses(void)
{
    errno = ENOBUFS;
    return is_full;
}

int __real_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags);
int __wrap_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags);
ssize_t __real_sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags);
long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);

int __wrap_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags)
{
    return refuses() ? -1 : __real_sendmmsg(fd, messages, count, flags);
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags)
{
    return refuses() ? -1 : __real_sendmsg(fd, message, flags);
}

/* How sendmmsg is asked for where libc's own is a loop. */
long __wrap_syscall(long number, ...)
{
    va_list arguments;

    va_start(arguments, number);
    const int fd = va_arg(arguments, int);
    struct mmsghdr *const messages = va_arg(arguments, struct mmsghdr *);
    const unsigned count = va_arg(arguments, unsigned);
    const int flags = va_arg(arguments, int);
    va_end(arguments);
    return fd >= 0 && refuses() ? -1 : __real_syscall(number, fd, messages, count, flags);
}

/* ---- By the socket --------------------------------------------------------------------------- */

static void fill(const union udpbatch_addr *to, uint32_t len, uint32_t longer_by)
{
    for (uint32_t i = 0; i < MANY; i++)
        packets[i] =
            (struct udpbatch_packet){ .data = payload, .len = len + i * longer_by, .to = to };
}

static int open_socket(union udpbatch_addr *own)
{
    socklen_t len = sizeof *own;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

    *own = (union udpbatch_addr){ .in4.sin_family = AF_INET };
    expect(bind(fd, &own->sa, sizeof own->in4) == 0, "no address\n");
    expect(getsockname(fd, &own->sa, &len) == 0, "no name\n");
    return fd;
}

static void receive(struct udpbatch_receiver *receiver)
{
    struct udpbatch_received received[MANY];

    for (int got = 0, count; got < MANY; got += count) {
        expect(udpbatch_receiver_wait(receiver, PATIENCE_MS) == 0, "nothing arrives\n");
        count = udpbatch_receiver_receive(receiver, received, MANY);
        expect(count > 0, "nothing is received\n");
    }
}

/* No route leads there; the socket is asked whether the error is of an earlier packet. */
static void send_nowhere(struct udpbatch_sender *sender)
{
    union udpbatch_addr nowhere = { .in4 = { .sin_family = AF_INET, .sin_port = htons(9) } };

    nowhere.in4.sin_addr.s_addr = htonl(0xc0000201);
    fill(&nowhere, LEN, 0);
    expect(udpbatch_sender_send(sender, packets, 1).first_error == ENETUNREACH, "a route\n");
}

static void send_to_a_full_device(struct udpbatch_sender *sender, const union udpbatch_addr *to)
{
    struct udpbatch_tally tally;
    int waited = 0;

    is_full = true;
    fill(to, TOO_LONG, 0);
    tally = udpbatch_sender_send(sender, packets, 1);
    expect(tally.refused == 1, "what never fits is not refused\n");
    fill(to, LEN, 0);
    while (waited == 0 && udpbatch_sender_send(sender, packets, MANY).unsent == MANY)
        waited = udpbatch_sender_wait(sender, 1);
    expect(waited == -ETIMEDOUT, "no wait for a full device\n");
    is_full = false;
}

static void receive_and_send(const char *backend)
{
    const struct udpbatch_receiver_options to_receive = { .size = sizeof to_receive,
                                                          .backend = backend };
    const struct udpbatch_sender_options to_send = { .size = sizeof to_send, .backend = backend };
    const int small = SMALL_BUFFER;
    union udpbatch_addr to, own;
    int far = open_socket(&to), near = open_socket(&own);
    struct udpbatch_receiver *receiver = udpbatch_receiver_open(far, &to_receive, NULL);
    struct udpbatch_sender *sender = udpbatch_sender_open(near, &to_send, NULL);

    expect(receiver != NULL && sender != NULL, "not opened\n");
    to.in4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    fill(&to, LEN, 0);
    expect(udpbatch_sender_send(sender, packets, MANY).sent == MANY, "not sent\n");
    receive(receiver);
    send_nowhere(sender);
    setsockopt(near, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    send_to_a_full_device(sender, &to);
    udpbatch_receiver_close(receiver);
    udpbatch_sender_close(sender);
    close(near);
    close(far);
}

/* ---- Past the stack -------------------------------------------------------------------------- */

static void send_past(const char *backend, const char *device, const char *address)
{
    const struct udpbatch_sender_options options = { .size = sizeof options,
                                                     .backend = backend,
                                                     .xdp_interface = device };
    struct udpbatch_sender_stats stats = { .size = sizeof stats };
    union udpbatch_addr own, to = { .in4 = { .sin_family = AF_INET, .sin_port = htons(9) } };
    int fd = open_socket(&own);
    struct udpbatch_sender *sender = udpbatch_sender_open(fd, &options, NULL);

    expect(sender != NULL, "not opened\n");
    expect(inet_pton(AF_INET, address, &to.in4.sin_addr) == 1, "no address\n");
    fill(&to, LEN, 1); /* no trains */
    expect(udpbatch_sender_send(sender, packets, MANY).sent == MANY, "not sent\n");
    udpbatch_sender_stats(sender, &stats);
    expect(stats.xdp_packets == MANY, "not past the stack\n");
    expect(udpbatch_sender_flush(sender, PATIENCE_MS) == 0, "not flushed\n");
    udpbatch_sender_close(sender);
    close(fd);
}

int main(int argc, char **argv)
{
    struct call_filter filter;
    char **what = argc > 0 ? call_filter_read(&filter, argv + 1) : NULL;

    if (what == NULL || what[0] == NULL || (what[1] != NULL && what[2] == NULL))
        return EXIT_USAGE;
    void *volatile memory = malloc(1); /* which has beginnings of its own, and is not left out */
    free(memory);
    if (!call_filter_set(&filter, true))
        return EXIT_CANNOT;
    if (what[1] == NULL)
        receive_and_send(what[0]);
    else
        send_past(what[0], what[1], what[2]);
    _exit(EXIT_SUCCESS);
}
