/* singles.c: packets that go past the network stack one by one. */
#define _GNU_SOURCE
#include "singles.h"

struct port far_port(void)
{
    union udpbatch_addr at = on_cable(AF_INET, 2, 0);
    return port_at(FAR, &at);
}

void make_singles(struct udpbatch_packet *packets, size_t n, const union udpbatch_addr *to)
{
    make_packets(packets, n, LEN_MOST, to);
    for (size_t i = 0; i < n; i++)
        packets[i].len = (uint32_t)(100 + i);
}

void expect_all_past(struct xdp *xdp, const struct port *port)
{
    enum { N = 50 };
    struct udpbatch_packet packets[N];

    send_until_past(xdp, &port->addr);
    receive_one(port->fd, &(char){ 0 }, 1, NULL);
    while (recv(port->fd, &(char){ 0 }, 1, MSG_DONTWAIT) >= 0)
        continue;
    make_singles(packets, N, &port->addr);
    forget_ways(xdp);
    xdp_send(xdp, packets, N);
    expect_arrival(port, packets, N);
    expect_past(xdp, N);
}
