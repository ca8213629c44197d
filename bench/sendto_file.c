/* sendto_file.c: what `udpbatch send` does, by a plain loop of sendto, for comparison.
 *
 * Usage: sendto_file FILE BYTES RATE HOST:PORT ...; RATE is "max" or as in udpbatch(1). */
#include "address.h"
#include "clock.h"
#include "file_source.h"
#include "socket.h"
#include "targets.h"
#include "units.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct job {
    int fd;
    struct targets targets;
    struct rate rate;
    uint64_t begun_ns;
    uint64_t sent, refused, bytes, system_calls;
};

/* Sleeps when it is a millisecond ahead of the rate. */
static void keep_pace(const struct job *job)
{
    const double units = job->rate.unit == RATE_BITS ? 8 * (double)job->bytes : (double)job->sent;
    double ahead;

    if (job->rate.unit == RATE_UNLIMITED)
        return;
    ahead = units / job->rate.per_second - clock_seconds(clock_now_ns() - job->begun_ns);
    if (ahead > 0.001)
        clock_sleep_ns((uint64_t)(ahead * NS_PER_SECOND));
}

static void send_one(struct job *job, const struct udpbatch_packet *payload,
                     const union udpbatch_addr *target)
{
    socklen_t len = address_len(target);

    keep_pace(job);
    job->system_calls++;
    if (sendto(job->fd, payload->data, payload->len, 0, &target->sa, len) < 0) {
        job->refused++;
        return;
    }
    job->sent++;
    job->bytes += payload->len;
}

static void send_all(struct job *job, struct source *source)
{
    struct udpbatch_packet payload;
    assert(source->kind != NULL);
    while (!source->ended && source->error == 0) {
        source->kind->fill(source, -1);
        while (source->kind->cut(source, &payload, 1) == 1)
            for (size_t i = 0; i < job->targets.count; i++)
                send_one(job, &payload, &job->targets.addresses[i]);
    }
}

static void print(const struct job *job, double seconds, double cpu_seconds)
{
    printf("{\"sent\": %llu, \"refused\": %llu, \"bytes\": %llu, \"seconds\": %f, "
           "\"cpu_seconds\": %f, \"system_calls\": %llu}\n",
           (unsigned long long)job->sent, (unsigned long long)job->refused,
           (unsigned long long)job->bytes, seconds, cpu_seconds,
           (unsigned long long)job->system_calls);
}

static bool prepare(struct job *job, struct file_source *file, char **argv, struct reason *reason)
{
    if (strcmp(argv[3], "max") != 0 && !units_read_rate(argv[3], &job->rate))
        return reason_give(reason, "no rate: %s", argv[3]);
    for (char **target = &argv[4]; *target != NULL; target++)
        if (!targets_add(&job->targets, *target, reason))
            return false;
    job->fd = socket_open_sending(targets_choose_family(&job->targets), false, reason);
    return job->fd >= 0 &&
           file_source_open(file, argv[1], false, strtoul(argv[2], NULL, 10), reason);
}

int main(int argc, char **argv)
{
    struct job job = { 0 };
    struct file_source file = { 0 };
    struct reason reason = { "FILE BYTES RATE HOST:PORT ... are needed" };

    if (argc < 5 || !prepare(&job, &file, argv, &reason)) {
        fprintf(stderr, "sendto_file: %s\n", reason.text);
        return 2;
    }
    job.begun_ns = clock_now_ns();
    double start_cpu = clock_cpu_seconds();
    send_all(&job, &file.source);
    print(&job, clock_seconds(clock_now_ns() - job.begun_ns), clock_cpu_seconds() - start_cpu);
    file.source.kind->close(&file.source);
    targets_free(&job.targets);
    close(job.fd);
    return job.refused > 0;
}
