/* verify.c: whether an engine sends a workload as it says: each payload arrives once and whole. */
#include "verify.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "interrupt.h"

/* How long a packet may be on its way after all others have come, and one too many after it. */
enum { PATIENCE_MS = 300, LATE_MS = 2 };

enum { LONGEST_PAYLOAD = 65535, NO_PACKET = -1 };

/* The packets by their target, and what has come of them. */
struct check {
    const struct workload *workload;
    const struct receivers *receivers;
    int64_t *first; /* of each target, its first packet */
    int64_t *next;  /* of each packet, the next one to the same target */
    bool *seen;
    struct pollfd *polls;
    unsigned char *room;
    size_t missing; /* packets of this window */
    size_t damaged, repeated;
};

static bool allocate(struct check *check)
{
    size_t n = check->workload->n, targets = check->receivers->count;
    check->first = malloc(targets * sizeof *check->first);
    check->next = malloc(n * sizeof *check->next);
    check->seen = calloc(n, sizeof *check->seen);
    check->polls = calloc(targets, sizeof *check->polls);
    check->room = malloc(LONGEST_PAYLOAD);
    return check->first != NULL && check->next != NULL && check->seen != NULL &&
           check->polls != NULL && check->room != NULL;
}

static void release(struct check *check)
{
    free(check->first);
    free(check->next);
    free(check->seen);
    free(check->polls);
    free(check->room);
}

static void index_packets(struct check *check)
{
    const struct workload *workload = check->workload;

    for (size_t t = 0; t < check->receivers->count; t++)
        check->first[t] = NO_PACKET;
    for (size_t i = workload->n; i-- > 0;) {
        const struct udpbatch_packet *packet = &workload->packets[i];
        if (workload_is_bad(workload, packet))
            continue;
        size_t target = (size_t)(packet->to - check->receivers->targets);
        check->next[i] = check->first[target];
        check->first[target] = (int64_t)i;
    }
}

/* ---- What arrives --------------------------------------------------------------------------- */

static bool is_payload_of(const struct check *check, int64_t i, size_t len)
{
    const struct udpbatch_packet *packet = &check->workload->packets[i];
    return packet->len == len && memcmp(packet->data, check->room, len) == 0;
}

static void examine(struct check *check, size_t target, size_t len)
{
    int64_t i = check->first[target];

    while (i != NO_PACKET && !is_payload_of(check, i, len))
        i = check->next[i];
    if (i == NO_PACKET) {
        check->damaged++;
    } else if (check->seen[i]) {
        check->repeated++;
    } else {
        check->seen[i] = true;
        check->missing--;
    }
}

static void take_all(struct check *check)
{
    for (size_t t = 0; t < check->receivers->count; t++) {
        const int fd = check->receivers->fds[t];
        ssize_t len;
        while ((len = recv(fd, check->room, LONGEST_PAYLOAD, MSG_DONTWAIT)) >= 0)
            examine(check, t, (size_t)len);
    }
}

static bool wait_for_more(struct check *check, int timeout_ms)
{
    for (size_t t = 0; t < check->receivers->count; t++)
        check->polls[t] = (struct pollfd){ .fd = check->receivers->fds[t], .events = POLLIN };
    return poll(check->polls, check->receivers->count, timeout_ms) > 0;
}

static void collect(struct check *check)
{
    do
        take_all(check);
    while (check->missing > 0 && wait_for_more(check, PATIENCE_MS));
    while (wait_for_more(check, LATE_MS)) /* what arrives once too often */
        take_all(check);
}

/* ---- The windows ---------------------------------------------------------------------------- */

static uint32_t window_payloads(const struct check *check)
{
    size_t count = receivers_hold(check->receivers, check->workload->most_bytes);
    return count > 1 ? (uint32_t)count : 1;
}

static void begin_window(struct check *check, uint32_t first, uint32_t last)
{
    const struct workload *workload = check->workload;

    check->missing = 0;
    for (size_t i = 0; i < workload->n; i++) {
        uint32_t number = workload_payload_number(&workload->packets[i]);
        if (number >= first && number < last && !workload_is_bad(workload, &workload->packets[i]))
            check->missing++;
    }
}

static bool explain(const struct check *check, const struct engine *engine,
                    const struct outcome *outcome, char fault[RESULT_TEXT])
{
    const struct workload *workload = check->workload;
    size_t good = workload->n - workload->bad;

    if (check->damaged > 0)
        snprintf(fault, RESULT_TEXT, "%zu of %zu packets arrived damaged or at a wrong target",
                 check->damaged, good);
    else if (check->repeated > 0)
        snprintf(fault, RESULT_TEXT, "%zu of %zu packets arrived twice", check->repeated, good);
    else if (outcome->sent < good)
        snprintf(fault, RESULT_TEXT, "it did not send %zu of %zu good packets",
                 good - outcome->sent, good);
    else if (outcome->sent > good && engine_is_past_the_stack(engine))
        snprintf(fault, RESULT_TEXT,
                 "it passes by the packet filter, which had to refuse %zu of these packets",
                 outcome->sent - good);
    else if (outcome->sent != good || outcome->refused != workload->bad)
        snprintf(fault, RESULT_TEXT, "it says %zu sent, %zu refused; there are %zu good, %zu bad",
                 outcome->sent, outcome->refused, good, workload->bad);
    else if (check->missing > 0)
        snprintf(fault, RESULT_TEXT, "%zu of %zu packets did not arrive", check->missing, good);
    else
        return true;
    return false;
}

static bool verify_window(struct check *check, const struct engine *engine, void *self,
                          uint32_t first, uint32_t last, char fault[RESULT_TEXT])
{
    if (!receivers_take(check->receivers, first, last)) {
        snprintf(fault, RESULT_TEXT, "cannot check it: %s", strerror(errno));
        return false;
    }
    begin_window(check, first, last);
    struct outcome outcome = engine->send(self);
    collect(check);
    return explain(check, engine, &outcome, fault);
}

bool verify_engine(const struct engine *engine, void *self, const struct workload *workload,
                   const struct receivers *receivers, char fault[RESULT_TEXT])
{
    struct check check = { .workload = workload, .receivers = receivers };
    bool well = allocate(&check);

    if (!well)
        snprintf(fault, RESULT_TEXT, "%s", strerror(ENOMEM));
    else
        index_packets(&check);
    receivers_drain(receivers);
    const uint32_t step = window_payloads(&check);
    for (uint32_t first = 0; well && first < workload->payload_count && !interrupted();
         first += step)
        well = verify_window(&check, engine, self, first, first + step, fault);
    release(&check);
    return well;
}
