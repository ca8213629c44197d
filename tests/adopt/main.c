/* main.c: the program of somebody who adopts the library: sends three packets over loopback and
 * prints the library's version. */
#include <stdio.h>
#include <string.h>
#include <udpbatch.h>

#ifdef _WIN32
static int sockets_begin(void)
{
    WSADATA data;
    return WSAStartup(MAKEWORD(2, 2), &data);
}
#else
#include <arpa/inet.h>
static int sockets_begin(void)
{
    return 0;
}
#endif

static int port_open(udpbatch_socket *fd, union udpbatch_addr *addr)
{
    socklen_t len = sizeof *addr;

    memset(addr, 0, sizeof *addr);
    addr->in4.sin_family = AF_INET;
    addr->in4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    *fd = socket(AF_INET, SOCK_DGRAM, 0);
    return bind(*fd, &addr->sa, sizeof addr->in4) == 0 ? getsockname(*fd, &addr->sa, &len) : -1;
}

int main(void)
{
    udpbatch_socket in, out;
    union udpbatch_addr to, from;
    if (sockets_begin() != 0 || port_open(&in, &to) != 0 || port_open(&out, &from) != 0)
        return 1;

    struct udpbatch_packet packets[] = {
        { .data = "one", .len = 3, .to = &to },
        { .data = "two", .len = 3, .to = &to },
        { .data = "three", .len = 5, .to = &to },
    };
    struct udpbatch_tally tally = udpbatch_send(out, packets, 3);
    for (int i = 0; i < 3; i++) {
        char received[8];
        if (packets[i].status != 1 ||
            (size_t)recv(in, received, sizeof received, 0) != packets[i].len) {
            fprintf(stderr, "packet %d: status %d\n", i, (int)packets[i].status);
            return 1;
        }
    }
    printf("%d sent by udpbatch %s\n", (int)tally.sent, udpbatch_version());
    return strcmp(udpbatch_version(), UDPBATCH_VERSION) != 0;
}
