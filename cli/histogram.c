/* histogram.c: how often which duration was met, to within 2 %; of fixed size. */
#include "histogram.h"

/* Above 64, a value is known by its power of two and the six bits below that one. */
static size_t bucket_of(uint64_t value)
{
    if (value < HISTOGRAM_PARTS)
        return (size_t)value;
    unsigned shift = 63 - (unsigned)__builtin_clzll(value) - HISTOGRAM_PARTS_LOG;
    return (size_t)(shift + 1) * HISTOGRAM_PARTS + (size_t)(value >> shift) % HISTOGRAM_PARTS;
}

/* The largest value of a bucket. */
static uint64_t bucket_end(size_t bucket)
{
    if (bucket < HISTOGRAM_PARTS)
        return bucket;
    size_t shift = bucket / HISTOGRAM_PARTS - 1;
    uint64_t top = HISTOGRAM_PARTS + bucket % HISTOGRAM_PARTS;
    return (top << shift) + ((UINT64_C(1) << shift) - 1);
}

void histogram_add(struct histogram *histogram, uint64_t value)
{
    histogram->counts[bucket_of(value)]++;
    histogram->total++;
}

void histogram_merge(struct histogram *histogram, const struct histogram *other)
{
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
        histogram->counts[i] += other->counts[i];
    histogram->total += other->total;
}

uint64_t histogram_quantile(const struct histogram *histogram, double part)
{
    double wanted = part * (double)histogram->total;
    uint64_t sum = 0;
    size_t bucket = 0;

    if (histogram->total == 0)
        return 0;
    while ((double)(sum += histogram->counts[bucket]) < wanted)
        bucket++;
    return bucket_end(bucket);
}
