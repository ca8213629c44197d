/* bench_support.h: what the tests of `udpbatch bench` that send share. */
#ifndef BENCH_SUPPORT_H
#define BENCH_SUPPORT_H

#include "cli.h"
#include "measure.h"

enum { ROUNDS = 3 };

/* Measures a workload by some engines in that place, in ROUNDS short rounds. The result holds until
 * the next call. Fails the test if the workload cannot be read. */
const struct workload_result *measure(struct place *place, const char *workload,
                                      const struct engine *const *engines, size_t count);

/* Whether the engine is known to fail where `bad` of n packets are bad, or cannot take part: one
 * that sends a single payload; libuv, which gives several packets the error of one; one that sends
 * past the network stack, which is not there on loopback, and where a packet filter refuses. */
bool is_known_to_fail(const struct engine *engine, const struct place *place, size_t payloads,
                      size_t bad, size_t n);

/* Why the engine cannot be opened there; NULL if it can. */
const char *why_it_cannot_be_opened(const struct engine *engine, const struct place *place);

#endif
