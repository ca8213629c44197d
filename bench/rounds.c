/* rounds.c: what one engine has done in each round, and the figures that follow. */
#include "rounds.h"

#include <stdlib.h>

#include "clock.h"
#include "units.h"

bool rounds_open(struct rounds *rounds, size_t n)
{
    rounds->list = calloc(n, sizeof *rounds->list);
    rounds->calls = calloc(1, sizeof *rounds->calls);
    rounds->latest = calloc(1, sizeof *rounds->latest);
    return rounds->list != NULL && rounds->calls != NULL && rounds->latest != NULL;
}

void rounds_close(struct rounds *rounds)
{
    free(rounds->list);
    free(rounds->calls);
    free(rounds->latest);
    *rounds = (struct rounds){ 0 };
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct spread spread_of(double *values, size_t n)
{
    if (n == 0)
        return (struct spread){ .known = false };
    qsort(values, n, sizeof *values, by_size);
    double median = n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
    return (
        struct spread){ .min = values[0], .median = median, .max = values[n - 1], .known = true };
}

/* What was sent and never arrived is not to an engine's credit. */
static uint64_t credit(const struct round *round)
{
    return round->sent - round->vanished + round->refused;
}

static double packets_per_second(const struct round *round)
{
    return units_ratio((double)credit(round), round->seconds);
}

static double cpu_ns_per_packet(const struct round *round)
{
    return units_ratio(round->cpu_seconds * NS_PER_SECOND, (double)credit(round));
}

static void add_up(const struct rounds *rounds, size_t n, struct engine_result *result)
{
    result->lost_known = n > 0;
    for (size_t i = 0; i < n; i++) {
        const struct round *round = &rounds->list[i];
        result->packets += credit(round);
        result->refused += round->refused;
        result->lost += round->packets - credit(round);
        result->lost_known = result->lost_known && round->vanished_known;
    }
}

void rounds_sum_up(const struct rounds *rounds, const struct rounds *baseline, size_t n,
                   double *room, struct engine_result *result)
{
    add_up(rounds, n, result);
    if (result->packets == 0)
        return;
    for (size_t i = 0; i < n; i++)
        room[i] = packets_per_second(&rounds->list[i]);
    result->packets_per_second = spread_of(room, n);
    for (size_t i = 0; i < n; i++)
        room[i] = cpu_ns_per_packet(&rounds->list[i]);
    result->cpu_ns_per_packet = spread_of(room, n);
    for (size_t i = 0; baseline != NULL && i < n; i++)
        room[i] = units_ratio(packets_per_second(&rounds->list[i]),
                              packets_per_second(&baseline->list[i]));
    result->ratio_to_baseline = spread_of(room, baseline != NULL ? n : 0);
    result->call_p50_ns = histogram_quantile(rounds->calls, 0.5);
    result->call_p99_ns = histogram_quantile(rounds->calls, 0.99);
}
