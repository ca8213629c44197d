/* batch.c: sends one datagram to each target and prints the fate of each: batch [ADDRESS PORT]...
 * Without arguments the targets are a socket of its own, with one between that cannot work. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <udpbatch.h>

enum { TARGETS_MAX = 100 };

static int parse(union udpbatch_addr *to, const char *address, const char *port)
{
    memset(to, 0, sizeof *to);
    to->in4.sin_port = htons((uint16_t)atoi(port)); /* where sin6_port is too */
    to->sa.sa_family = AF_INET;
    if (inet_pton(AF_INET, address, &to->in4.sin_addr) == 1)
        return 1;
    to->sa.sa_family = AF_INET6;
    return inet_pton(AF_INET6, address, &to->in6.sin6_addr);
}

/* A socket of our own, an IPv6 address that an IPv4 socket cannot send to, and ours again. */
static size_t own_targets(union udpbatch_addr *targets)
{
    socklen_t len = sizeof targets[0];
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    parse(&targets[0], "127.0.0.1", "0");
    parse(&targets[1], "::1", "9000");
    bind(fd, &targets[0].sa, sizeof targets[0].in4);
    getsockname(fd, &targets[0].sa, &len);
    targets[2] = targets[0];
    return 3;
}

int main(int argc, char **argv)
{
    union udpbatch_addr targets[TARGETS_MAX];
    struct udpbatch_packet packets[TARGETS_MAX] = { 0 };
    size_t n = 0;

    for (int i = 1; i + 1 < argc && n < TARGETS_MAX; i += 2)
        n += parse(&targets[n], argv[i], argv[i + 1]) == 1;
    if (argc == 1)
        n = own_targets(targets);
    for (size_t i = 0; i < n; i++)
        packets[i] = (struct udpbatch_packet){ .data = "hello", .len = 5, .to = &targets[i] };

    int fd = socket(n > 0 ? targets[0].sa.sa_family : AF_INET, SOCK_DGRAM, 0); /* one family only */
    struct udpbatch_tally tally = udpbatch_send(fd, packets, n);
    for (size_t i = 0; i < n; i++)
        printf("packet %zu: %s\n", i,
               packets[i].status == 0  ? "unsent"
               : packets[i].status > 0 ? "sent"
                                       : strerror(-packets[i].status));
    printf("%zu sent, %zu refused, %zu unsent\n", tally.sent, tally.refused, tally.unsent);
    return tally.sent == (argc == 1 ? 2 : n) ? 0 : 1;
}
