/* bench_support.c: what the tests of `udpbatch bench` that send share. */
#include "bench_support.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"

enum { ROUND_MS = 2 };

const struct workload_result *measure(struct place *place, const char *workload,
                                      const struct engine *const *engines, size_t count)
{
    static struct workload_result result;
    struct workload_specs specs = { 0 };
    struct progress progress;
    struct reason reason;
    const struct layout layout = { 0 };

    if (!workload_add(&specs, workload, &reason))
        fail_msg("%s: %s", workload, reason.text);
    progress_begin(&progress, true, clock_now_ns());
    result = (struct workload_result){ .engine_count = count };
    for (size_t i = 0; i < count; i++)
        result.engines[i].engine = engines[i];
    const struct measurement measurement = { .direction = engine_direction(engines[0]),
                                             .place = place,
                                             .check_place = place,
                                             .spec = specs.list,
                                             .layout = &layout,
                                             .rounds = ROUNDS,
                                             .round_ns = ROUND_MS * NS_PER_MS,
                                             .progress = &progress,
                                             .part = 1 };
    measure_workload(&measurement, &result);
    workload_specs_free(&specs);
    return &result;
}

bool is_known_to_fail(const struct engine *engine, const struct place *place, size_t payloads,
                      size_t bad, size_t n)
{
    return (engine->one_payload && payloads > 1) ||
           (strcmp(engine->name, "libuv") == 0 && bad > 0 && bad < n) ||
           (engine_is_past_the_stack(engine) && (place->kind == PLACE_LOOPBACK || bad > 0));
}

const char *why_it_cannot_be_opened(const struct engine *engine, const struct place *place)
{
    const union udpbatch_addr sample = place_sample(place);
    const struct udpbatch_packet packet = { .to = &sample };
    int fd = socket(sample.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    void *self = engine->open(engine, fd, &packet, 1);
    const char *why = self == NULL ? engine_explain(engine, errno) : NULL;

    if (self != NULL)
        engine->close(self);
    close(fd);
    return why;
}
