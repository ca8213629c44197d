/* compare.c: ways to send the same packets, side by side in one run, rounds alternating.
 *
 * Usage: compare [TARGETS [BYTES [ROUNDS]]]; 64 targets, 1228 bytes, 41 rounds by default.
 * The targets are sockets on loopback that nobody reads: once they are full the kernel drops at
 * the cheapest place, and what remains is the cost of sending. */
#define _GNU_SOURCE

#include "engine.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const struct engine *const engines[] = {
    &engine_prebuilt, &engine_level1, &engine_multi_target, &engine_level2, &engine_sendto,
};

enum { ENGINES = sizeof engines / sizeof engines[0], WARM_UP = 3, MOST_ROUNDS = 1000 };
enum { ROUND_NS = 20 * 1000 * 1000 };

struct figures {
    double ns_per_packet[MOST_ROUNDS];
    double ratio[MOST_ROUNDS]; /* to the first engine, in the same round */
    unsigned long long calls, packets;
};

/* The program is linked with --wrap for the calls that send: so they are counted. */
static unsigned long long system_calls;

int __real_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags);
int __wrap_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags);
ssize_t __real_sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t __real_sendto(int fd, const void *data, size_t len, int flags, const struct sockaddr *to,
                      socklen_t to_len);
ssize_t __wrap_sendto(int fd, const void *data, size_t len, int flags, const struct sockaddr *to,
                      socklen_t to_len);

int __wrap_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags)
{
    system_calls++;
    return __real_sendmmsg(fd, messages, count, flags);
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags)
{
    system_calls++;
    return __real_sendmsg(fd, message, flags);
}

ssize_t __wrap_sendto(int fd, const void *data, size_t len, int flags, const struct sockaddr *to,
                      socklen_t to_len)
{
    system_calls++;
    return __real_sendto(fd, data, len, flags, to, to_len);
}

static double cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* Sends for about a round; returns the CPU time per packet, or 0 if a packet was not taken. */
static double measure(const struct engine *engine, void *self, size_t n, struct figures *figures)
{
    unsigned long long calls = system_calls;
    double start = cpu_ns(), end = start;
    size_t packets = 0;

    for (; end - start < ROUND_NS; end = cpu_ns()) {
        if (engine->send(self) != n)
            return 0;
        packets += n;
    }
    figures->calls += system_calls - calls;
    figures->packets += packets;
    return (end - start) / (double)packets;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print_figures(const struct engine *engine, struct figures *figures, size_t rounds)
{
    double *ns = figures->ns_per_packet, *ratio = figures->ratio;
    qsort(ns, rounds, sizeof *ns, by_size);
    qsort(ratio, rounds, sizeof *ratio, by_size);
    printf("%-27s %7.0f %7.0f %7.0f %9.4f %9.3f   %s\n", engine->name, ns[0], ns[rounds / 2],
           ns[rounds - 1], (double)figures->calls / (double)figures->packets, ratio[rounds / 2],
           engine->what);
}

/* A socket on loopback that keeps little; its port is open, so no ICMP comes back. */
static bool open_target(union udpbatch_addr *target)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    socklen_t len = sizeof target->in4;
    target->in4 =
        (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &(int){ 1 }, sizeof(int));
    return fd >= 0 && bind(fd, &target->sa, len) == 0 && getsockname(fd, &target->sa, &len) == 0;
}

static bool run(size_t n, size_t bytes, size_t rounds)
{
    static struct figures figures[ENGINES];
    static unsigned char payload[65507];
    struct udpbatch_packet *packets = calloc(n, sizeof *packets);
    union udpbatch_addr *targets = calloc(n, sizeof *targets);
    void *selves[ENGINES] = { NULL };
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    bool ok = packets != NULL && targets != NULL && fd >= 0;

    for (size_t i = 0; ok && i < n; i++) {
        ok = open_target(&targets[i]);
        packets[i] = (struct udpbatch_packet){ payload, (uint32_t)bytes, 0, &targets[i], NULL };
    }
    for (size_t e = 0; ok && e < ENGINES; e++)
        ok = (selves[e] = engines[e]->open(fd, packets, n)) != NULL;
    for (size_t round = 0; ok && round < WARM_UP + rounds; round++) {
        size_t r = round < WARM_UP ? 0 : round - WARM_UP;
        for (size_t e = 0; ok && e < ENGINES; e++) {
            figures[e].ns_per_packet[r] = measure(engines[e], selves[e], n, &figures[e]);
            figures[e].ratio[r] = figures[e].ns_per_packet[r] / figures[0].ns_per_packet[r];
            ok = figures[e].ns_per_packet[r] > 0;
        }
    }
    if (ok)
        printf("%zu packets of %zu bytes to %zu targets on loopback, %zu rounds\n"
               "%-27s %7s %7s %7s %9s %9s\n",
               n, bytes, n, rounds, "CPU ns per packet:", "min", "median", "max", "calls", "ratio");
    for (size_t e = 0; e < ENGINES; e++) {
        if (ok)
            print_figures(engines[e], &figures[e], rounds);
        if (selves[e] != NULL)
            engines[e]->close(selves[e]);
    }
    free(packets);
    free(targets);
    return ok;
}

static size_t number(char **argv, int argc, int i, size_t otherwise, size_t most)
{
    size_t value = i < argc ? strtoul(argv[i], NULL, 10) : otherwise;
    return value > 0 && value <= most ? value : otherwise;
}

int main(int argc, char **argv)
{
    if (run(number(argv, argc, 1, 64, 900), number(argv, argc, 2, 1228, 65507),
            number(argv, argc, 3, 41, MOST_ROUNDS)))
        return 0;
    perror("compare");
    return 1;
}
