/* quic.c: what QUIC asks of UDP. Packets with ECN, counted by a server that answers from the
 * address that was asked; and no fragments, so that a probe too long for the path tells its MTU. */
#include <err.h>
#include <udpbatch.h>

enum { PACKETS = 8, ECN_CAPABLE = 2, ECN = 3, PROBE = 65530 };

static struct udpbatch_receiver *open_end(int *fd, union udpbatch_addr *own, uint32_t host)
{
    struct udpbatch_receiver_options options = { .size = sizeof options, .network_errors = 1 };
    options.meta = UDPBATCH_META_CAME_TO | UDPBATCH_META_CAME_WITH_TOS;
    own->in4 = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(host) };
    *fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (bind(*fd, &own->sa, sizeof own->in4) < 0 ||
        getsockname(*fd, &own->sa, &(socklen_t){ sizeof *own }) < 0 ||
        setsockopt(*fd, IPPROTO_IP, IP_MTU_DISCOVER, &(int){ IP_PMTUDISC_DO }, sizeof(int)) < 0)
        err(1, "socket");
    return udpbatch_receiver_open(*fd, &options, NULL);
}

static size_t serve(int fd, struct udpbatch_receiver *receiver)
{
    struct udpbatch_received came = { 0 };
    uint8_t count = 0;
    for (int i = 0; i < PACKETS && udpbatch_receiver_receive(receiver, &came, 1) == 1; i++)
        count = (uint8_t)(count + ((came.meta->tos & ECN) == ECN_CAPABLE));
    struct udpbatch_packet answer = { .data = &count, .len = 1, .to = came.from };
    answer.meta = came.meta; /* whose LOCAL is the address that was asked */
    return udpbatch_send(fd, &answer, 1).sent;
}

int main(void)
{
    const struct udpbatch_meta meta = { .flags = UDPBATCH_META_TOS | UDPBATCH_META_DONT_FRAGMENT,
                                        .tos = ECN_CAPABLE };
    static const char payload[PROBE];
    struct udpbatch_packet packets[PACKETS + 1];
    struct udpbatch_network_error report;
    struct udpbatch_received answer;
    union udpbatch_addr to, own;
    int there, here;
    struct udpbatch_receiver *server = open_end(&there, &to, INADDR_ANY);
    struct udpbatch_receiver *client = open_end(&here, &own, INADDR_LOOPBACK);

    to.in4.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1); /* one of the server's addresses */
    for (int i = 0; i <= PACKETS; i++)
        packets[i] = (struct udpbatch_packet){ payload, i < PACKETS ? 1200 : PROBE, 0, &to, &meta };
    if (server == NULL || client == NULL ||
        udpbatch_send(here, packets, PACKETS + 1).sent != PACKETS || serve(there, server) != 1 ||
        udpbatch_receiver_receive(client, &answer, 1) != 1 ||
        udpbatch_receiver_network_errors(client, &report, 1) != 1 ||
        answer.from->in4.sin_addr.s_addr != to.in4.sin_addr.s_addr)
        errx(1, "not as it should be");
    int count = *(const uint8_t *)answer.data;
    warnx("%d of %d came with ECN; the path's MTU is %u", count, PACKETS, report.mtu);
    udpbatch_receiver_close(client);
    udpbatch_receiver_close(server);
    return count == PACKETS && report.mtu > 0 ? 0 : 1;
}
