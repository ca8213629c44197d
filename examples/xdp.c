/* xdp.c: a payload to each target past the network stack, or by the default back end where that
 * cannot be had; how many took which way, and why: xdp INTERFACE [ADDRESS PORT]... */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <udpbatch.h>

enum { TARGETS_MAX = 64 };

static const char *const reasons[UDPBATCH_DETOURS] = {
    "none", "train", "device", "group", "route", "neighbour",
    "size", "meta",  "socket", "order", "ring",  "link",
};

static struct udpbatch_sender *open_sender(int fd, const char *interface)
{
    struct udpbatch_sender_options options = { .size = sizeof options,
                                               .backend = "xdp",
                                               .xdp_interface = interface };
    int error;
    struct udpbatch_sender *sender = udpbatch_sender_open(fd, &options, &error);
    if (sender == NULL)
        printf("not past the stack by %s: %s\n", interface, strerror(error));
    return sender != NULL ? sender : udpbatch_sender_open(fd, NULL, NULL);
}

int main(int argc, char **argv)
{
    static char *usual[] = { "xdp", "lo", "127.0.0.1", "9", "127.0.0.2", "9", NULL };
    struct udpbatch_sender_stats stats = { .size = sizeof stats };
    struct udpbatch_packet packets[TARGETS_MAX] = { 0 };
    union udpbatch_addr targets[TARGETS_MAX], any = { .in4 = { .sin_family = AF_INET } };
    char **words = 1 + (argc > 1 ? argv : usual);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    size_t n = 0;

    for (char **word = words + 1; word[0] && word[1] && n < TARGETS_MAX; word += 2, n++) {
        targets[n].in4 = (struct sockaddr_in){ .sin_family = AF_INET,
                                               .sin_addr.s_addr = inet_addr(word[0]),
                                               .sin_port = htons((uint16_t)atoi(word[1])) };
        packets[n] = (struct udpbatch_packet){ .data = "hello", .len = 5, .to = &targets[n] };
    }
    bind(fd, &any.sa, sizeof any.in4); /* frames need a port from the first one on */
    struct udpbatch_sender *sender = open_sender(fd, words[0]);
    while (sender != NULL && udpbatch_sender_send(sender, packets, n).unsent > 0)
        udpbatch_sender_wait(sender, -1);
    if (sender == NULL || udpbatch_sender_flush(sender, 1000) < 0)
        return 1;
    udpbatch_sender_stats(sender, &stats);
    udpbatch_sender_close(sender);
    printf("%s: %" PRIu64 " sent, %" PRIu64 " past the stack\n", stats.backend, stats.packets,
           stats.xdp_packets);
    for (int i = 0; i < UDPBATCH_DETOURS; i++)
        if (stats.detours[i] > 0)
            printf("%" PRIu64 " by the socket: %s\n", stats.detours[i], reasons[i]);
    return stats.packets == n ? 0 : 1;
}
