/* back_pressure.c: an event loop that sends at a rate, and no faster than the socket takes it,
 * while it receives. EPOLLOUT is asked for only while the socket is full; for all else there is a
 * timer. */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <udpbatch.h>

enum { PACKETS = 1000, SEND_BUFFER = 4096, SECOND_NS = 1000000000 };

static void watch(int loop, int how, int fd, uint32_t events)
{
    if (epoll_ctl(loop, how, fd, &(struct epoll_event){ events, { .fd = fd } }) < 0)
        err(1, "epoll");
}

/* A timer that is set to 0 stops: so it is 1 ns at least. */
static void set_timer(int timer, uint64_t ns)
{
    struct timespec in = { (time_t)(ns / SECOND_NS), (long)(ns % SECOND_NS) + (ns == 0) };
    if (timerfd_settime(timer, 0, &(struct itimerspec){ .it_value = in }, NULL) < 0)
        err(1, "timer");
}

int main(void)
{
    struct udpbatch_sender_options options = { .size = sizeof options, .rate = 20e3, .burst = 50 };
    union udpbatch_addr own = { .in4 = { AF_INET, 0, { htonl(INADDR_LOOPBACK) }, { 0 } } };
    struct udpbatch_packet packets[PACKETS];
    struct epoll_event event;
    int loop = epoll_create1(0), timer = timerfd_create(CLOCK_MONOTONIC, 0), arrived = 0;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), why, waits[2] = { 0, 0 };
    struct udpbatch_sender *sender = udpbatch_sender_open(fd, &options, NULL);
    if (sender == NULL || bind(fd, &own.sa, sizeof own.in4) < 0 ||
        getsockname(fd, &own.sa, &(socklen_t){ sizeof own }) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &(int){ SEND_BUFFER }, sizeof(int)) < 0)
        err(1, "socket");

    for (int i = 0; i < PACKETS; i++)
        packets[i] = (struct udpbatch_packet){ .data = "sample", .len = 6, .to = &own };
    watch(loop, EPOLL_CTL_ADD, timer, EPOLLIN | EPOLLET); /* an edge need not be read */
    watch(loop, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLOUT);
    while (arrived < PACKETS && epoll_wait(loop, &event, 1, 5000) == 1) {
        while (recv(fd, NULL, 0, 0) == 0)
            arrived++;
        if (event.data.fd == timer || (event.events & EPOLLOUT) != 0) {
            why = udpbatch_sender_send(sender, packets, PACKETS).unsent_error;
            waits[why == EAGAIN] += why != 0;
            watch(loop, EPOLL_CTL_MOD, fd, why == EAGAIN ? EPOLLIN | EPOLLOUT : EPOLLIN);
            if (why != 0 && why != EAGAIN)
                set_timer(timer, udpbatch_sender_delay_ns(sender));
        }
    }
    warnx("%d arrived; %d waits for time, %d for room", arrived, waits[0], waits[1]);
    udpbatch_sender_close(sender);
    return arrived == PACKETS ? 0 : 1;
}
