/* threads.c: a sender per thread, each with a socket and a CPU of its own, all from one port. A
 * target is one thread's, so that what goes to it stays in order. */
#define _GNU_SOURCE
#include <err.h>
#include <pthread.h>
#include <udpbatch.h>
#include <unistd.h>

enum { THREADS = 4, PACKETS = 26 };
static const char letters[] = "abcdefghijklmnopqrstuvwxyz";

static int open_socket(union udpbatch_addr *own, int shares)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    own->sa.sa_family = AF_INET;
    own->in4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &shares, sizeof shares) < 0 ||
        bind(fd, &own->sa, sizeof own->in4) < 0 ||
        getsockname(fd, &own->sa, &(socklen_t){ sizeof *own }) < 0)
        err(1, "socket");
    return fd;
}

static void *send_all(void *fd)
{
    struct udpbatch_sender *sender = udpbatch_sender_open(*(int *)fd, NULL, NULL);
    struct udpbatch_packet packets[PACKETS];
    for (int i = 0; i < PACKETS; i++)
        packets[i] = (struct udpbatch_packet){ .data = &letters[i], .len = 1 };
    while (sender != NULL && udpbatch_sender_send(sender, packets, PACKETS).unsent > 0)
        udpbatch_sender_wait(sender, -1);
    udpbatch_sender_close(sender);
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    int in[THREADS], out[THREADS], good = 0;
    union udpbatch_addr own = { 0 }, to[THREADS] = { 0 };
    char letter;

    for (int t = 0; t < THREADS; t++) {
        cpu_set_t cpus = { 0 };
        CPU_SET((size_t)(t % sysconf(_SC_NPROCESSORS_ONLN)), &cpus);
        if (sched_setaffinity(0, sizeof cpus, &cpus) < 0) /* the thread will inherit it */
            warn("CPU %d", t);
        in[t] = open_socket(&to[t], 0);
        out[t] = open_socket(&own, 1);
        if (connect(out[t], &to[t].sa, sizeof own.in4) < 0 ||
            pthread_create(&threads[t], NULL, send_all, &out[t]) != 0)
            err(1, "thread");
    }
    for (int t = 0; t < THREADS && pthread_join(threads[t], NULL) == 0; t++)
        for (int i = 0; i < PACKETS; i++)
            good += recv(in[t], &letter, 1, 0) == 1 && letter == letters[i];
    warnx("%d of %d arrived in order", good, THREADS * PACKETS);
    return good == THREADS * PACKETS ? 0 : 1;
}
