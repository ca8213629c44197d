/* statsd_relay.c: joins the metrics of many datagrams into few that fit a frame, sends these to two
 * upstreams, and hears from the network that nobody is at the second. */
#include <arpa/inet.h>
#include <err.h>
#include <string.h>
#include <udpbatch.h>

enum { METRICS = 200, LENGTH = 13, AT_ONCE = 128, FITS_FRAME = 1432 };

static int open_socket(union udpbatch_addr *own)
{
    socklen_t len = sizeof *own;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    own->in4 = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001) };
    if (bind(fd, &own->sa, sizeof own->in4) < 0 || getsockname(fd, &own->sa, &len) < 0)
        err(1, "socket");
    return fd;
}

/* Sends on the first metrics, as many as fit a frame, from where they lie. Returns how many. */
static int relay(int fd, struct udpbatch_received *metrics, int n, union udpbatch_addr to[2])
{
    struct udpbatch_piece pieces[AT_ONCE][2];
    int count = 0, bytes = 0;
    do {
        pieces[count][0] = (struct udpbatch_piece){ metrics[count].data, metrics[count].len };
        pieces[count][1] = (struct udpbatch_piece){ "\n", 1 };
        bytes += (int)metrics[count++].len + 1;
    } while (count < n && bytes + (int)metrics[count].len < FITS_FRAME);
    udpbatch_multi_target_send(fd, pieces, UDPBATCH_PIECES(2 * count), to, 2, NULL);
    return count;
}

int main(void)
{
    struct udpbatch_receiver_options options = { .size = sizeof options, .network_errors = 1 };
    struct udpbatch_received metrics[AT_ONCE];
    struct udpbatch_network_error report = { .error = 0 };
    union udpbatch_addr own, to[2];
    int fd = open_socket(&own), up = open_socket(&to[0]), gone = open_socket(&to[1]);
    struct udpbatch_receiver *receiver = udpbatch_receiver_open(fd, &options, NULL);

    if (receiver == NULL || connect(gone, &to[1].sa, sizeof to[1].in4) < 0)
        errx(1, "receiver"); /* a connected socket hears its peer alone, which here is itself */
    for (int i = 0; i < METRICS; i++)
        sendto(up, "page.hits:1|c", LENGTH, 0, &own.sa, sizeof own.in4);
    for (int n, left = METRICS; left > 0; left -= n > 0 ? n : 0) {
        n = udpbatch_receiver_receive(receiver, metrics, AT_ONCE); /* < 0: brought by ICMP */
        for (int i = 0; i < n;)
            i += relay(fd, &metrics[i], n - i, to);
    }
    for (ssize_t left = METRICS * (LENGTH + 1); left > 0;)
        left -= recv(up, NULL, 0, MSG_TRUNC);
    while (udpbatch_receiver_network_errors(receiver, &report, 1) == 0)
        udpbatch_receiver_wait(receiver, 1000);
    warnx("upstream at port %d: %s", ntohs(report.to.in4.sin_port), strerror(report.error));
    udpbatch_receiver_close(receiver);
    return report.to.in4.sin_port == to[1].in4.sin_port ? 0 : 1;
}
