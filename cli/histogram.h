/* histogram.h: how often which duration was met, to within 2 %; of fixed size. */
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include "cli.h"

/* Each power of two is cut into 64 parts; below 64 each value has one of its own. */
enum { HISTOGRAM_PARTS_LOG = 6, HISTOGRAM_PARTS = 1 << HISTOGRAM_PARTS_LOG };
enum { HISTOGRAM_BUCKETS = (64 - HISTOGRAM_PARTS_LOG + 1) * HISTOGRAM_PARTS };

struct histogram {
    uint64_t total;
    uint64_t counts[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, uint64_t value);

void histogram_merge(struct histogram *histogram, const struct histogram *other);

/* The value that this part of all, 0 to 1, does not exceed; 0 if there are none. */
uint64_t histogram_quantile(const struct histogram *histogram, double part);

#endif
