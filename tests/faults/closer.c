/* closer.c: a thread for each sender that is to be closed. */
#define _GNU_SOURCE
#include "closer.h"

#include <pthread.h>
#include <stdbool.h>
#include <unistd.h>

static struct closing {
    struct udpbatch_sender *sender;
    udpbatch_socket fd;
    pthread_t thread;
    bool is_at_work;
} closings[QUEUES];

static void *do_close(void *which)
{
    struct closing *closing = which;

    udpbatch_sender_close(closing->sender);
    close(closing->fd);
    return NULL;
}

static void wait_for(struct closing *closing)
{
    if (closing->is_at_work)
        pthread_join(closing->thread, NULL);
    closing->is_at_work = false;
}

/* One after the other: the next is that which has been closed for longest. */
uint32_t closer_free_queue(void)
{
    static uint32_t next;
    uint32_t queue = next++ % QUEUES;

    wait_for(&closings[queue]);
    return queue;
}

void close_meanwhile(struct udpbatch_sender *sender, udpbatch_socket fd, uint32_t queue)
{
    struct closing *closing = &closings[queue];

    *closing = (struct closing){ .sender = sender, .fd = fd };
    closing->is_at_work = pthread_create(&closing->thread, NULL, do_close, closing) == 0;
    if (!closing->is_at_work)
        do_close(closing);
}

void closer_end(void)
{
    for (uint32_t i = 0; i < QUEUES; i++)
        wait_for(&closings[i]);
}
