/* echo.c: answers each datagram from the address that it was sent to, which a socket that listens
 * at all addresses does not do by itself: echo [PORT]. Without a port it asks itself, at some
 * addresses of this host, and looks where the answers come from. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <udpbatch.h>

enum { AT_ONCE = 64, QUESTIONS = 4 };

static int open_at(union udpbatch_addr *own, uint32_t host, uint16_t port)
{
    socklen_t len = sizeof *own;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    *own = (union udpbatch_addr){ .in4 = { .sin_family = AF_INET, .sin_port = htons(port) } };
    own->in4.sin_addr.s_addr = htonl(host);
    if (bind(fd, &own->sa, sizeof own->in4) < 0 || getsockname(fd, &own->sa, &len) < 0)
        perror("bind");
    return fd;
}

/* Waits for questions and answers them. Returns how many, or less than 0. */
static int answer(struct udpbatch_receiver *receiver, int fd)
{
    struct udpbatch_received questions[AT_ONCE];
    struct udpbatch_packet answers[AT_ONCE];
    int n = udpbatch_receiver_receive(receiver, questions, AT_ONCE);
    for (int i = 0; i < n; i++) {
        answers[i] = (struct udpbatch_packet){ .data = questions[i].data, .len = questions[i].len };
        answers[i].to = questions[i].from;
        answers[i].meta = questions[i].meta;
    }
    return n > 0 ? (int)udpbatch_send(fd, answers, (size_t)n).sent : n;
}

int main(int argc, char **argv)
{
    struct udpbatch_receiver_options options = { .size = sizeof options,
                                                 .meta = UDPBATCH_META_CAME_TO };
    union udpbatch_addr own, client, from;
    socklen_t len = sizeof from;
    int fd = open_at(&own, INADDR_ANY, argc > 1 ? (uint16_t)atoi(argv[1]) : 0), good = 0;
    int asker = open_at(&client, INADDR_LOOPBACK, 0);
    struct udpbatch_receiver *receiver = udpbatch_receiver_open(fd, &options, NULL);

    while (argc > 1 && receiver != NULL && answer(receiver, fd) >= 0)
        continue;
    for (uint32_t i = 1; argc == 1 && receiver != NULL && i <= QUESTIONS; i++) {
        own.in4.sin_addr.s_addr = htonl(INADDR_LOOPBACK + i); /* 127.0.0.2 and up */
        sendto(asker, "?", 1, 0, &own.sa, sizeof own.in4);
        if (answer(receiver, fd) == 1 && recvfrom(asker, &(char){ 0 }, 1, 0, &from.sa, &len) == 1)
            good += from.in4.sin_addr.s_addr == own.in4.sin_addr.s_addr;
    }
    udpbatch_receiver_close(receiver);
    printf("%d of %d answers came from the address asked\n", good, QUESTIONS);
    return good == QUESTIONS ? 0 : 1;
}
