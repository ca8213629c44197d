/* fanout.c: four payloads, each a header of its own and a body that all share, to three targets,
 * which are sockets of its own: a sender, the fan-out filler, and the loop of send and wait. */
#include <arpa/inet.h>
#include <stdio.h>
#include <udpbatch.h>

enum { PAYLOADS = 4, TARGETS = 3, WINDOW = 5 };

static int open_target(union udpbatch_addr *own)
{
    socklen_t len = sizeof *own;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    own->in4 =
        (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    bind(fd, &own->sa, sizeof own->in4);
    getsockname(fd, &own->sa, &len);
    return fd;
}

/* Counts the datagrams that arrive at fd until it has as many as were sent to it. */
static int count_arrived(int fd)
{
    struct udpbatch_received received[PAYLOADS];
    struct udpbatch_receiver *receiver = udpbatch_receiver_open(fd, NULL, NULL);
    int count = 0, more;
    while (receiver && count < PAYLOADS && udpbatch_receiver_wait(receiver, 2000) == 0)
        if ((more = udpbatch_receiver_receive(receiver, received, PAYLOADS)) > 0)
            count += more;
    udpbatch_receiver_close(receiver);
    return count;
}

int main(void)
{
    static const char headers[PAYLOADS][4] = { "1st", "2nd", "3rd", "4th" };
    struct udpbatch_piece pieces[PAYLOADS][2];
    struct udpbatch_packet payloads[PAYLOADS], window[WINDOW];
    union udpbatch_addr targets[TARGETS];
    struct udpbatch_fanout fanout = { payloads, PAYLOADS, targets, TARGETS };
    int fds[TARGETS], arrived = 0, fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    struct udpbatch_sender *sender = udpbatch_sender_open(fd, NULL, NULL);
    size_t n;

    for (int i = 0; i < PAYLOADS; i++) {
        pieces[i][0] = (struct udpbatch_piece){ headers[i], sizeof headers[i] };
        pieces[i][1] = (struct udpbatch_piece){ "the shared body", 15 };
        payloads[i] = (struct udpbatch_packet){ .data = pieces[i], .len = UDPBATCH_PIECES(2) };
    }
    for (int i = 0; i < TARGETS; i++)
        fds[i] = open_target(&targets[i]);
    for (size_t from = 0; (n = udpbatch_fanout_fill(&fanout, from, window, WINDOW)) > 0; from += n)
        while (sender && udpbatch_sender_send(sender, window, n).unsent > 0)
            udpbatch_sender_wait(sender, -1);
    udpbatch_sender_close(sender);
    for (int i = 0; i < TARGETS; i++)
        arrived += count_arrived(fds[i]);
    printf("%d of %d datagrams arrived\n", arrived, PAYLOADS * TARGETS);
    return arrived == PAYLOADS * TARGETS ? 0 : 1;
}
