/* crowd.c: threads that all send at once. */
#define _GNU_SOURCE
#include "crowd.h"

#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>

/* On their way are as many as all members can have credit for without a whole batch. */
enum { BATCH = 31, ON_THEIR_WAY = CROWD_MOST * BATCH, WAIT_MS = 20, LONGEST = 500 };

/* ---- Packets --------------------------------------------------------------------------------- */

struct heading {
    uint32_t member, number;
};

/* Neighbours are of one length and to one target, so that there are trains. */
static uint32_t length_of(uint32_t number)
{
    return sizeof(struct heading) + number / 8 % (LONGEST - sizeof(struct heading));
}

static size_t target_of(const struct crowd *crowd, uint32_t number)
{
    return number / 5 % crowd->target_count;
}

static void write_payload(unsigned char *payload, uint32_t member, uint32_t number)
{
    struct heading heading = { member, number };

    memcpy(payload, &heading, sizeof heading);
    for (uint32_t i = sizeof heading; i < length_of(number); i++)
        payload[i] = (unsigned char)(member * 31 + number * 7 + i);
}

/* ---- A member -------------------------------------------------------------------------------- */

struct job {
    pthread_t thread;
    struct crowd *crowd;
    uint32_t number;
    cpu_set_t place;
};

static sem_t credit;             /* for packets that may be on their way */
static atomic_uint due, running; /* packets that are to arrive; members */
static pthread_barrier_t start;

/* Packets of a thread that moves between processors may overtake each other on the way. */
static bool stay(const struct job *job)
{
    return pthread_setaffinity_np(pthread_self(), sizeof job->place, &job->place) == 0;
}

static void take_credit(uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        while (sem_wait(&credit) < 0)
            continue;
}

static void give_credit(uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        sem_post(&credit);
}

static void send_all_of(struct member *member, struct udpbatch_packet *packets, uint32_t n)
{
    struct udpbatch_tally tally;

    do {
        if (member->sender != NULL)
            tally = udpbatch_sender_send(member->sender, packets, n);
        else
            tally = udpbatch_send(member->fd, packets, n);
        if (tally.sent + tally.refused + tally.unsent != n)
            member->error = EPROTO;
        if (tally.unsent > 0 && member->sender != NULL)
            udpbatch_sender_wait(member->sender, -1);
    } while (tally.unsent > 0);
    atomic_fetch_add(&due, (unsigned)tally.sent);
    give_credit((uint32_t)tally.refused);
}

static void send_batch(struct job *job, uint32_t from, uint32_t n)
{
    struct member *member = &job->crowd->members[job->number];
    unsigned char payloads[BATCH][LONGEST];
    struct udpbatch_packet packets[BATCH];

    for (uint32_t i = 0; i < n; i++) {
        write_payload(payloads[i], job->number, from + i);
        packets[i] = (struct udpbatch_packet){
            .data = payloads[i],
            .len = length_of(from + i),
            .to = &job->crowd->targets[target_of(job->crowd, from + i)].addr,
            .meta = member->meta,
        };
    }
    take_credit(n);
    send_all_of(member, packets, n);
    for (uint32_t i = 0; i < n; i++)
        member->fates[from + i] = packets[i].status;
}

static void send_by(struct job *job)
{
    struct member *member = &job->crowd->members[job->number];
    const uint32_t end = member->from + member->count;

    for (uint32_t from = member->from, n; from < end; from += n) {
        n = 1 + (from + job->number) % BATCH;
        n = n < end - from ? n : end - from;
        send_batch(job, from, n);
    }
    if (member->sender != NULL)
        udpbatch_sender_stats(member->sender, &member->stats);
}

static void *be_member(void *argument)
{
    struct job *job = argument;
    struct member *member = &job->crowd->members[job->number];
    const bool is_own = member->sender == NULL && member->options != NULL;

    pthread_barrier_wait(&start);
    member->stats.size = sizeof member->stats;
    if (!stay(job))
        member->error = EPERM;
    if (is_own)
        member->sender = udpbatch_sender_open(member->fd, member->options, &member->error);
    if (!is_own || member->sender != NULL)
        send_by(job);
    if (is_own) {
        udpbatch_sender_close(member->sender);
        member->sender = NULL;
    }
    atomic_fetch_sub(&running, 1);
    return NULL;
}

/* ---- What arrives ---------------------------------------------------------------------------- */

struct arrived {
    uint32_t total;
    uint32_t next[CROWD_MOST][CROWD_TARGETS]; /* the lowest number that may come */
    bool seen[CROWD_MOST][CROWD_PACKETS];
};

static void take(struct arrived *arrived, const struct crowd *crowd, size_t target,
                 const unsigned char *payload, size_t len)
{
    unsigned char expected[LONGEST];
    struct heading heading;

    assert_true(len >= sizeof heading);
    memcpy(&heading, payload, sizeof heading);
    assert_true(heading.member < crowd->count && heading.number < CROWD_PACKETS);
    uint32_t *next = &arrived->next[heading.member][target];
    if (heading.number < *next)
        fail_msg("packet %u of thread %u comes behind number %u, or again", heading.number,
                 heading.member, *next - 1);
    *next = heading.number + 1;
    assert_int_equal(target_of(crowd, heading.number), target);
    write_payload(expected, heading.member, heading.number);
    assert_int_equal(len, length_of(heading.number));
    assert_memory_equal(payload, expected, len);
    arrived->seen[heading.member][heading.number] = true;
    arrived->total++;
}

static void take_all(struct arrived *arrived, const struct crowd *crowd)
{
    unsigned char room[LONGEST + 1];
    ssize_t len;

    for (size_t i = 0; i < crowd->target_count; i++)
        while ((len = recv(crowd->targets[i].fd, room, sizeof room, MSG_DONTWAIT)) >= 0) {
            take(arrived, crowd, i, room, (size_t)len);
            sem_post(&credit);
        }
}

/* Until the members have ended and all has come. */
static void collect(struct arrived *arrived, const struct crowd *crowd)
{
    struct pollfd waits[CROWD_TARGETS];
    int64_t news_ms = now_ms();

    for (size_t i = 0; i < crowd->target_count; i++)
        waits[i] = (struct pollfd){ .fd = crowd->targets[i].fd, .events = POLLIN };
    while (atomic_load(&running) > 0 || arrived->total < atomic_load(&due)) {
        uint32_t before = arrived->total;
        poll(waits, crowd->target_count, WAIT_MS);
        take_all(arrived, crowd);
        if (arrived->total != before)
            news_ms = now_ms();
        if (now_ms() - news_ms > PATIENCE_MS)
            fail_msg("of %u packets %u arrive", atomic_load(&due), arrived->total);
    }
    take_all(arrived, crowd);
}

static void compare(const struct arrived *arrived, const struct crowd *crowd)
{
    for (size_t m = 0; m < crowd->count; m++) {
        const struct member *member = &crowd->members[m];
        assert_int_equal(member->error, 0);
        for (uint32_t i = member->from; i < member->from + member->count; i++)
            if (arrived->seen[m][i] != (member->fates[i] == 1) || member->fates[i] == 0)
                fail_msg("packet %u of thread %zu has the status %d, and %s", i, m,
                         member->fates[i], arrived->seen[m][i] ? "arrives" : "does not arrive");
    }
}

/* ---- All of them ----------------------------------------------------------------------------- */

void crowd_begin(struct crowd *crowd, const struct way *way, size_t count)
{
    static struct udpbatch_sender_options options;

    options = (struct udpbatch_sender_options){ .size = sizeof options, .backend = way->backend };
    *crowd = (struct crowd){ .count = count, .target_count = CROWD_TARGETS };
    for (size_t i = 0; i < CROWD_TARGETS; i++)
        crowd->targets[i] = port_open(AF_INET);
    for (size_t i = 0; i < count; i++)
        crowd->members[i] = (struct member){ .fd = NO_SOCKET,
                                             .options = way->backend != NULL ? &options : NULL,
                                             .count = CROWD_PACKETS };
}

void crowd_end(struct crowd *crowd)
{
    for (size_t i = 0; i < crowd->target_count; i++)
        port_close(&crowd->targets[i]);
    for (size_t i = 0; i < crowd->count; i++) {
        if (i == 0 || crowd->members[i].fd != crowd->members[0].fd)
            close_socket(crowd->members[i].fd);
    }
}

/* The processors that the process may be on, in turn. */
static void give_places(struct job *jobs, size_t count)
{
    cpu_set_t all;
    size_t cpu = 0;

    assert_int_equal(sched_getaffinity(0, sizeof all, &all), 0);
    for (size_t i = 0; i < count; i++, cpu++) {
        while (!CPU_ISSET(cpu % CPU_SETSIZE, &all))
            cpu++;
        CPU_ZERO(&jobs[i].place);
        CPU_SET(cpu % CPU_SETSIZE, &jobs[i].place);
    }
}

void crowd_send(struct crowd *crowd)
{
    static struct arrived arrived;
    struct job jobs[CROWD_MOST];

    arrived = (struct arrived){ 0 };
    atomic_store(&due, 0);
    atomic_store(&running, (unsigned)crowd->count);
    assert_int_equal(sem_init(&credit, 0, ON_THEIR_WAY), 0);
    assert_int_equal(pthread_barrier_init(&start, NULL, (unsigned)crowd->count), 0);
    give_places(jobs, crowd->count);
    for (uint32_t i = 0; i < crowd->count; i++) {
        jobs[i].crowd = crowd;
        jobs[i].number = i;
        assert_int_equal(pthread_create(&jobs[i].thread, NULL, be_member, &jobs[i]), 0);
    }
    collect(&arrived, crowd);
    for (size_t i = 0; i < crowd->count; i++)
        pthread_join(jobs[i].thread, NULL);
    pthread_barrier_destroy(&start);
    sem_destroy(&credit);
    compare(&arrived, crowd);
}

void crowd_expect_all_sent(const struct crowd *crowd)
{
    for (size_t m = 0; m < crowd->count; m++) {
        const struct member *member = &crowd->members[m];
        for (uint32_t i = member->from; i < member->from + member->count; i++)
            assert_int_equal(member->fates[i], 1);
        if (member->options != NULL)
            assert_int_equal(member->stats.packets, member->count);
    }
}

/* ---- Functions ------------------------------------------------------------------------------- */

struct call {
    pthread_t thread;
    unsigned (*function)(unsigned number);
    unsigned number, result;
};

static void *run_call(void *argument)
{
    struct call *call = argument;

    pthread_barrier_wait(&start);
    call->result = call->function(call->number);
    return NULL;
}

unsigned run_in_threads(unsigned count, unsigned (*function)(unsigned number))
{
    struct call calls[CROWD_MOST];
    unsigned sum = 0;

    assert_in_range(count, 1, CROWD_MOST);
    assert_int_equal(pthread_barrier_init(&start, NULL, count), 0);
    for (unsigned i = 0; i < count; i++) {
        calls[i].function = function;
        calls[i].number = i;
        assert_int_equal(pthread_create(&calls[i].thread, NULL, run_call, &calls[i]), 0);
    }
    for (unsigned i = 0; i < count; i++) {
        pthread_join(calls[i].thread, NULL);
        sum += calls[i].result;
    }
    pthread_barrier_destroy(&start);
    return sum;
}
