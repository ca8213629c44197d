/* flood.c: sends what anybody could: datagrams of any bytes, from any address, whole and damaged.
 *
 *     flood spoofed|trains PORT COUNT SEED
 *
 * `spoofed` are by IPv4 to 127.0.0.1, from addresses that nobody has: in a network of one's own
 * only, which takes a raw socket (raw(7)). `trains` are many datagrams each (UDP_SEGMENT), to
 * 127.0.0.1 and, where there is one, to ::1. Says on standard output how many datagrams it sent,
 * how many were whole, so that the kernel hands them over, and how many bytes these had: by then
 * all have come to the socket that they are for. Where there is no such socket it ends with 77. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

enum { EXIT_USAGE = 2, EXIT_SKIP = 77, LONGEST = 65507, USUAL = 1400, HEADER = 32, MOST = 64 };

static unsigned long long sent, whole; /* datagrams */
static unsigned long long bytes_whole;

/* ---- Chance ---------------------------------------------------------------------------------- */

static uint64_t state;

/* splitmix64: any seed will do (Steele, Lea, Flood 2014). */
static uint64_t any(void)
{
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static size_t below(size_t limit)
{
    return (size_t)(any() % limit);
}

/* Numbers at the edges are met as often as all others. */
static uint64_t any_number(void)
{
    static const uint64_t edges[] = {
        0,         1,         2,          63,         64,         65535,          65536,
        INT32_MAX, INT64_MAX, 1ull << 63, UINT64_MAX, UINT32_MAX, UINT64_MAX - 1,
    };
    switch (below(4)) {
    case 0:
        return any();
    case 1:
        return below(100000);
    default:
        return edges[below(sizeof edges / sizeof edges[0])];
    }
}

/* ---- Payloads -------------------------------------------------------------------------------- */

static void put(unsigned char *bytes, uint64_t value, size_t len)
{
    for (size_t i = 0; i < len; i++)
        bytes[i] = (unsigned char)(value >> 8 * (len - 1 - i));
}

/* As those of `udpbatch send --count` (cli/numbered.h): of few senders, or of any. */
static size_t write_numbered(unsigned char *bytes)
{
    put(bytes, 0xf5756470, 4);
    put(bytes + 4, below(2) == 0 ? below(4) : any(), 4);
    put(bytes + 8, any_number(), 8);
    put(bytes + 16, below(2) == 0 ? 0 : any_number(), 8);
    put(bytes + 24, below(2) == 0 ? (uint64_t)time(NULL) * 1000000000 : any_number(), 8);
    return below(8) == 0 ? below(HEADER) : HEADER + below(100);
}

/* What a terminal would do something for. */
static size_t write_sequence(unsigned char *bytes)
{
    static const char sequence[] = "\033]0;title\a\033[2J\033[5n\x9b\x31m\r\n\b\x7f";
    memcpy(bytes, sequence, sizeof sequence);
    return sizeof sequence;
}

static size_t write_payload(unsigned char *bytes)
{
    size_t len;

    switch (below(8)) {
    case 0:
        return 0;
    case 1:
        return write_sequence(bytes);
    case 2:
        len = below(64) == 0 ? LONGEST - below(2) : below(USUAL);
        for (size_t i = 0; i < len; i += 8)
            put(bytes + i, any(), 8);
        return len;
    default:
        return write_numbered(bytes);
    }
}

/* ---- Datagrams ------------------------------------------------------------------------------- */

struct datagram {
    struct iphdr ip; /* whose lengths and checksum the kernel fills in */
    struct udphdr udp;
    unsigned char payload[LONGEST + 8];
};

static uint32_t add_words(uint32_t sum, const void *data, size_t len)
{
    const unsigned char *bytes = data;

    for (size_t i = 0; i < len; i++)
        sum += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
    return sum;
}

/* Of a header without one, and what follows it (RFC 768). */
static uint16_t checksum_of(const struct datagram *datagram, size_t len)
{
    uint32_t sum = IPPROTO_UDP + (uint32_t)len;

    sum = add_words(sum, &datagram->ip.saddr, sizeof datagram->ip.saddr);
    sum = add_words(sum, &datagram->ip.daddr, sizeof datagram->ip.daddr);
    sum = add_words(sum, &datagram->udp, len);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

/* One in 16 is damaged: no kernel takes it for a datagram of that port. */
static bool damage(struct datagram *datagram, size_t len)
{
    struct udphdr *udp = &datagram->udp;

    switch (below(64)) {
    case 0:
        udp->len = htons((uint16_t)below(8)); /* shorter than the header */
        return true;
    case 1:
        udp->len = htons((uint16_t)(len + 1 + below(65535 - len)));
        return true;
    case 2: /* of the checksum 0 there is none */
        udp->check = htons(checksum_of(datagram, len) == 1 ? 2 : 1);
        return true;
    case 3:
        udp->dest = htons((uint16_t)(ntohs(udp->dest) ^ 1));
        return true;
    default:
        return false;
    }
}

static void count(size_t datagrams, size_t len, bool are_whole)
{
    sent += datagrams;
    whole += are_whole ? datagrams : 0;
    bytes_whole += are_whole ? len : 0;
}

static void send_spoofed(const int fds[2], uint16_t port)
{
    static struct datagram datagram;
    const struct sockaddr_in to = { .sin_family = AF_INET,
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const size_t len = sizeof datagram.udp + write_payload(datagram.payload);

    datagram.ip = (struct iphdr){ .version = 4,
                                  .ihl = sizeof datagram.ip / 4,
                                  .ttl = (uint8_t)(1 + below(255)),
                                  .tos = (uint8_t)below(256),
                                  .protocol = IPPROTO_UDP,
                                  .saddr = htonl((uint32_t)(1 + any() % UINT32_MAX)),
                                  .daddr = to.sin_addr.s_addr };
    datagram.udp = (struct udphdr){ .source = htons((uint16_t)any_number()),
                                    .dest = htons(port),
                                    .len = htons((uint16_t)len) };
    const bool is_whole = !damage(&datagram, len);
    const bool is_sent = sendto(fds[0], &datagram, sizeof datagram.ip + len, 0,
                                (const struct sockaddr *)&to, sizeof to) >= 0;
    count(1, len - sizeof datagram.udp, is_sent && is_whole);
}

/* ---- Trains ---------------------------------------------------------------------------------- */

union control {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(uint16_t))];
};

static void set_segment(struct msghdr *message, union control *control, uint16_t segment)
{
    *control = (union control){ .header = { .cmsg_level = IPPROTO_UDP,
                                            .cmsg_type = UDP_SEGMENT,
                                            .cmsg_len = CMSG_LEN(sizeof segment) } };
    memcpy(CMSG_DATA(&control->header), &segment, sizeof segment);
    message->msg_control = control;
    message->msg_controllen = sizeof *control;
}

/* As many segments as there may be, of any length: the last one shorter, as a rule. */
static size_t write_train(unsigned char *bytes, size_t segment)
{
    const size_t most = MOST * segment < LONGEST ? MOST * segment : LONGEST;
    const size_t len = 1 + below(most);

    for (size_t at = 0; at < len; at += segment)
        write_payload(bytes + at);
    return len;
}

/* By one of the sockets, which are connected. */
static void send_train(const int fds[2], uint16_t port)
{
    static unsigned char bytes[2 * LONGEST + 8];
    const size_t segment = 1 + below(below(2) == 0 ? HEADER : USUAL);
    struct iovec piece = { .iov_base = bytes, .iov_len = write_train(bytes, segment) };
    struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1 };
    union control control;

    (void)port;
    set_segment(&message, &control, (uint16_t)segment);
    count((piece.iov_len + segment - 1) / segment, piece.iov_len,
          sendmsg(fds[below(2)], &message, 0) >= 0);
}

/* ---- Sockets --------------------------------------------------------------------------------- */

static bool open_spoofing(int fds[2], uint16_t port)
{
    (void)port;
    fds[0] = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
    return fds[0] >= 0;
}

static int connect_to(const struct sockaddr *to, socklen_t len)
{
    const int fd = socket(to->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return fd >= 0 && connect(fd, to, len) == 0 ? fd : -1;
}

static bool open_plain(int fds[2], uint16_t port)
{
    const struct sockaddr_in in4 = { .sin_family = AF_INET,
                                     .sin_port = htons(port),
                                     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
                                      .sin6_port = htons(port),
                                      .sin6_addr = IN6ADDR_LOOPBACK_INIT };

    fds[0] = connect_to((const struct sockaddr *)&in4, sizeof in4);
    fds[1] = connect_to((const struct sockaddr *)&in6, sizeof in6);
    if (fds[1] < 0)
        fds[1] = fds[0];
    return fds[0] >= 0;
}

/* ---- Arrival --------------------------------------------------------------------------------- */

/* What is sent on loopback waits in a queue of the processor that sent it, one behind the other: a
 * thousand at most (net.core.netdev_max_backlog), and a busy machine lets them wait for long. */
enum { SENDS_AT_ONCE = 256, PATIENCE_S = 10 };

static void stay_on_this_processor(void)
{
    cpu_set_t one;

    CPU_ZERO(&one);
    CPU_SET((size_t)sched_getcpu(), &one);
    sched_setaffinity(0, sizeof one, &one);
}

/* A socket that sends to itself, and waits for what comes. */
static int open_fence(void)
{
    struct sockaddr_in own = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const struct timeval patience = { .tv_sec = PATIENCE_S };
    socklen_t len = sizeof own;
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const bool is_open = fd >= 0 && bind(fd, (const struct sockaddr *)&own, sizeof own) == 0 &&
                         getsockname(fd, (struct sockaddr *)&own, &len) == 0 &&
                         connect(fd, (const struct sockaddr *)&own, sizeof own) == 0;

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return is_open ? fd : -1;
}

/* Waits until all that was sent before is where it is for. */
static bool let_arrive(int fence)
{
    char byte = 0;
    return send(fence, &byte, 1, 0) == 1 && recv(fence, &byte, 1, 0) == 1;
}

static const struct kind {
    const char *name;
    bool (*open)(int fds[2], uint16_t port);
    void (*send)(const int fds[2], uint16_t port);
} kinds[] = {
    { "spoofed", open_spoofing, send_spoofed },
    { "trains", open_plain, send_train },
};

static const struct kind *find_kind(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

int main(int argc, char **argv)
{
    const struct kind *kind = argc == 5 ? find_kind(argv[1]) : NULL;
    const uint16_t port = kind != NULL ? (uint16_t)strtoul(argv[2], NULL, 10) : 0;
    int fds[2], fence;

    if (port == 0) {
        fprintf(stderr, "usage: flood spoofed|trains PORT COUNT SEED\n");
        return EXIT_USAGE;
    }
    state = strtoull(argv[4], NULL, 0);
    if (!kind->open(fds, port)) {
        printf("cannot run here: no socket to send %s by: %s\n", kind->name, strerror(errno));
        return EXIT_SKIP;
    }
    stay_on_this_processor();
    fence = open_fence();
    for (unsigned long long left = strtoull(argv[3], NULL, 10); left > 0; left--) {
        kind->send(fds, port);
        if (left % SENDS_AT_ONCE == 1 && !let_arrive(fence)) {
            fprintf(stderr, "flood: nothing arrives on loopback\n");
            return EXIT_FAILURE;
        }
    }
    printf("%llu %llu %llu\n", sent, whole, bytes_whole);
    return 0;
}
