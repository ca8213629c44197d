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

/* What is compared: the same packets, and each engine ready to send them. */
struct comparison {
    size_t n, rounds;
    int fd;
    int *target_fds;
    union udpbatch_addr *targets;
    struct udpbatch_packet *packets;
    void *selves[ENGINES];
    struct figures figures[ENGINES];
};

/* A socket on loopback that keeps little; its port is open, so no ICMP comes back. */
static int open_target(union udpbatch_addr *target)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    socklen_t len = sizeof target->in4;
    target->in4 =
        (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &(int){ 1 }, sizeof(int));
    if (fd < 0 || bind(fd, &target->sa, len) < 0 || getsockname(fd, &target->sa, &len) < 0)
        return -1;
    return fd;
}

static bool open_all(struct comparison *all, size_t bytes)
{
    static unsigned char payload[65507];

    all->fd = socket(AF_INET, SOCK_DGRAM, 0);
    all->packets = calloc(all->n, sizeof *all->packets);
    all->targets = calloc(all->n, sizeof *all->targets);
    all->target_fds = calloc(all->n, sizeof *all->target_fds);
    if (all->fd < 0 || all->packets == NULL || all->targets == NULL || all->target_fds == NULL)
        return false;
    for (size_t i = 0; i < all->n; i++) {
        if ((all->target_fds[i] = open_target(&all->targets[i])) < 0)
            return false;
        all->packets[i] = (struct udpbatch_packet){ .data = payload,
                                                    .len = (uint32_t)bytes,
                                                    .to = &all->targets[i] };
    }
    for (size_t e = 0; e < ENGINES; e++)
        if ((all->selves[e] = engines[e]->open(all->fd, all->packets, all->n)) == NULL)
            return false;
    return true;
}

static void close_all(struct comparison *all)
{
    for (size_t e = 0; e < ENGINES; e++)
        engines[e]->close(all->selves[e]);
    for (size_t i = 0; i < all->n; i++)
        close(all->target_fds[i]);
    close(all->fd);
    free(all->target_fds);
    free(all->targets);
    free(all->packets);
}

/* One round of each engine in turn; those of the warm-up are overwritten. */
static bool run_round(struct comparison *all, size_t round)
{
    for (size_t e = 0; e < ENGINES; e++) {
        struct figures *figures = &all->figures[e];
        double ns = measure(engines[e], all->selves[e], all->n, figures);
        if (ns <= 0) {
            fprintf(stderr, "compare: %s could not send all packets\n", engines[e]->name);
            return false;
        }
        figures->ns_per_packet[round] = ns;
        figures->ratio[round] = ns / all->figures[0].ns_per_packet[round];
    }
    return true;
}

static bool run(struct comparison *all)
{
    for (size_t round = 0; round < WARM_UP + all->rounds; round++)
        if (!run_round(all, round < WARM_UP ? 0 : round - WARM_UP))
            return false;
    return true;
}

static void print(struct comparison *all, size_t bytes)
{
    printf("%zu packets of %zu bytes to %zu targets on loopback, %zu rounds\n"
           "%-27s %7s %7s %7s %9s %9s\n",
           all->n, bytes, all->n, all->rounds, "CPU ns per packet:", "min", "median", "max",
           "calls", "ratio");
    for (size_t e = 0; e < ENGINES; e++)
        print_figures(engines[e], &all->figures[e], all->rounds);
}

static size_t number(char **argv, int argc, int i, size_t otherwise, size_t most)
{
    size_t value = i < argc ? strtoul(argv[i], NULL, 10) : otherwise;
    return value > 0 && value <= most ? value : otherwise;
}

int main(int argc, char **argv)
{
    static struct comparison all;
    size_t bytes = number(argv, argc, 2, 1228, 65507);

    all.n = number(argv, argc, 1, 64, 900);
    all.rounds = number(argv, argc, 3, 41, MOST_ROUNDS);
    if (!open_all(&all, bytes)) {
        perror("compare");
        return 1;
    }
    bool complete = run(&all);
    if (complete)
        print(&all, bytes);
    close_all(&all);
    return complete ? 0 : 1;
}
