/* market_data.c: a burst of quotes to all subscribers. A quote is a header of its own, with its
 * sequence number, and a line of the feed that is not copied; who cannot be sent to is told. */
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <udpbatch.h>

enum { QUOTES = 3, SUBSCRIBERS = 4, ARRIVING = 3 * QUOTES, STALE_MS = 20 };

static int open_subscriber(union udpbatch_addr *own)
{
    socklen_t len = sizeof *own;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    own->in4 = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001) };
    if (bind(fd, &own->sa, sizeof own->in4) < 0 || getsockname(fd, &own->sa, &len) < 0)
        err(1, "subscriber");
    return fd;
}

static int stays_on_list(size_t subscriber, int status)
{
    const char *fate = status > 0 ? "sent" : status == 0 ? "no room in time" : strerror(-status);
    printf("subscriber %zu: %s\n", subscriber, fate);
    return status >= 0 || udpbatch_error_meaning(status) != UDPBATCH_TARGET;
}

int main(void)
{
    static const char *const feed[QUOTES] = { "BUND 131.42", "BOBL 117.05", "DAX 24310" };
    union udpbatch_addr to[SUBSCRIBERS] = { [1].in6 = { .sin6_family = AF_INET6 } };
    int in[] = { open_subscriber(&to[0]), open_subscriber(&to[2]), open_subscriber(&to[3]) };
    int out = socket(AF_INET, SOCK_DGRAM, 0), error, left = 0, good = 0;
    uint32_t sequence[QUOTES] = { htonl(0), htonl(1), htonl(2) }, seen;
    struct udpbatch_piece pieces[QUOTES][2];
    struct udpbatch_packet quotes[QUOTES], packets[QUOTES * SUBSCRIBERS];
    struct udpbatch_fanout fanout = { quotes, QUOTES, to, SUBSCRIBERS };
    struct udpbatch_sender *sender = udpbatch_sender_open(out, NULL, &error);

    fcntl(out, F_SETFL, O_NONBLOCK); /* what has no room in time is not sent */
    for (int q = 0; q < QUOTES; q++) {
        pieces[q][0] = (struct udpbatch_piece){ &sequence[q], sizeof sequence[q] };
        pieces[q][1] = (struct udpbatch_piece){ feed[q], strlen(feed[q]) };
        quotes[q] = (struct udpbatch_packet){ .data = pieces[q], .len = UDPBATCH_PIECES(2) };
    }
    if (sender == NULL)
        errx(1, "sender: %s", strerror(error));
    size_t n = udpbatch_fanout_fill(&fanout, 0, packets, QUOTES * SUBSCRIBERS);
    while (udpbatch_sender_send(sender, packets, n).unsent > 0)
        if (udpbatch_sender_wait(sender, STALE_MS) < 0)
            break; /* newer quotes are worth more than these */
    udpbatch_sender_close(sender);
    for (size_t s = 0; s < SUBSCRIBERS; s++) /* quote q to subscriber s: packets[s * QUOTES + q] */
        left += stays_on_list(s, packets[s * QUOTES].status);
    for (int i = 0; i < ARRIVING && recv(in[i / QUOTES], &seen, sizeof seen, 0) > 0; i++)
        good += ntohl(seen) == (uint32_t)(i % QUOTES);
    return good == ARRIVING && left == 3 ? 0 : 1;
}
