/* verify.h: whether an engine sends a workload as it says: each payload arrives once and whole. */
#ifndef VERIFY_H
#define VERIFY_H

#include "cli.h"
#include "engine.h"
#include "receivers.h"
#include "result.h"
#include "workload.h"

/* Sends the workload by an engine that has been opened on it, as often as the receivers' buffers
 * make necessary to see every payload. Returns whether all was well; if not, `fault` says what
 * was not. */
bool verify_engine(const struct engine *engine, void *self, const struct workload *workload,
                   const struct receivers *receivers, char fault[RESULT_TEXT]);

#endif
