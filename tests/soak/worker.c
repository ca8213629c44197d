/* worker.c: sends by one way, through handles of all kinds that it opens and closes. */
#define _GNU_SOURCE
#include "outlet.h"

#include <poll.h>
#include <sched.h>
#include <string.h>

enum { ERRORS_AT_ONCE = 16, WAIT_MS = 50 };

static void compare_tally(const struct outlet *outlet, const struct load *load,
                          const struct udpbatch_tally *tally)
{
    size_t sent = 0, refused = 0;

    for (size_t i = 0; i < load->count; i++) {
        sent += load->packets[i].status == 1;
        refused += load->packets[i].status < 0;
    }
    if (tally->sent != sent || tally->refused != refused ||
        tally->sent + tally->refused + tally->unsent != load->count)
        fault("%s: a tally is not that of the statuses", ways[outlet->worker->way].name);
}

static struct udpbatch_tally send_to_targets(const struct outlet *outlet, struct load *load)
{
    int32_t status[CALL_MOST];
    struct udpbatch_tally tally;

    for (size_t i = 0; i < load->count; i++)
        status[i] = load->packets[i].status;
    tally = udpbatch_multi_target_send(outlet->fd, load->packets[0].data, load->packets[0].len,
                                       load->targets, load->count, status);
    for (size_t i = 0; i < load->count; i++)
        load->packets[i].status = status[i];
    return tally;
}

static struct udpbatch_tally send_once(struct outlet *outlet, struct load *load)
{
    if (outlet->sender != NULL)
        return udpbatch_sender_send(outlet->sender, load->packets, load->count);
    return load->is_shared ? send_to_targets(outlet, load)
                           : udpbatch_send(outlet->fd, load->packets, load->count);
}

static void wait_for_more(struct outlet *outlet, int unsent_error)
{
    struct pollfd wait = { .fd = outlet->fd, .events = POLLOUT };

    if (outlet->sender != NULL)
        udpbatch_sender_wait(outlet->sender, WAIT_MS);
    else if (unsent_error == EAGAIN)
        poll(&wait, 1, WAIT_MS);
    else
        pause_us(1000);
}

static void read_errors(struct outlet *outlet)
{
    struct udpbatch_network_error errors[ERRORS_AT_ONCE];
    int count;

    if (outlet->receiver == NULL)
        return;
    while ((count = udpbatch_receiver_network_errors(outlet->receiver, errors, ERRORS_AT_ONCE)) > 0)
        atomic_fetch_add(&ways[outlet->worker->way].network_errors, (unsigned)count);
}

static void settle(struct outlet *outlet, const struct load *load)
{
    for (size_t i = 0; i < load->count; i++) {
        int32_t status = load->packets[i].status;
        uint32_t bytes = load_bytes(&load->packets[i]);
        ledger_settle(outlet->worker->way, load->first + (uint32_t)i, frames_of(bytes), status,
                      load->is_nowhere[i]);
        outlet->sent += status == 1;
        outlet->refused += status < 0;
        outlet->bytes += status == 1 ? bytes : 0;
        if (is_calm && status < 0 && !load->is_nowhere[i])
            fault("%s: a packet was refused in calm: %s", ways[outlet->worker->way].name,
                  strerror(-status));
    }
}

static void send_load(struct outlet *outlet, struct load *load)
{
    struct udpbatch_tally tally = { .unsent = load->count };
    bool goes_on = ledger_wait_for_room(load->frames);

    while (goes_on) {
        tally = send_once(outlet, load);
        compare_tally(outlet, load, &tally);
        read_errors(outlet);
        if (tally.unsent > 0)
            wait_for_more(outlet, tally.unsent_error);
        goes_on = tally.unsent > 0 && !atomic_load(&is_over);
    }
    settle(outlet, load);
    if (tally.sent == 0) /* refusals cost nothing, and would use up the numbers */
        pause_us(2000);
}

static void use(struct outlet *outlet)
{
    static struct load loads[WAYS_MOST];
    struct worker *worker = outlet->worker;
    struct load *load = &loads[worker->way];

    for (unsigned calls = 1 + roll(&worker->dice, 20); calls > 0 && !atomic_load(&is_over); calls--)
        if (load_make(load, worker->way, outlet->family, outlet->has_peer ? &outlet->peer : NULL,
                      &worker->dice))
            send_load(outlet, load);
        else
            pause_us(1000);
}

/* Each processor has a queue of its own, in which what is sent on it stays in order. */
static void stay_on_one_processor(unsigned which)
{
    cpu_set_t all, one;
    int processor = 0;

    if (sched_getaffinity(0, sizeof all, &all) < 0)
        return;
    for (unsigned left = which % (unsigned)CPU_COUNT(&all) + 1; left > 0; processor++)
        left -= CPU_ISSET((size_t)processor, &all) != 0;
    CPU_ZERO(&one);
    CPU_SET((size_t)processor - 1, &one);
    if (sched_setaffinity(0, sizeof one, &one) < 0)
        fault("a worker cannot stay on one processor");
}

void *work(void *argument)
{
    struct worker *worker = argument;
    struct outlet outlet;

    if (is_calm)
        stay_on_one_processor(worker->way);
    while (!atomic_load(&is_over)) {
        if (outlet_open(&outlet, worker)) {
            atomic_fetch_add(&ways[worker->way].opens, 1);
            use(&outlet);
        } else {
            atomic_fetch_add(&ways[worker->way].failed_opens, 1);
            pause_us(1000);
        }
        outlet_close(&outlet);
    }
    return NULL;
}
