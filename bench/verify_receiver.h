/* verify_receiver.h: whether an engine that receives gives out each payload: whole, once and in
 * order. */
#ifndef VERIFY_RECEIVER_H
#define VERIFY_RECEIVER_H

#include "cli.h"
#include "engine.h"
#include "feeder.h"
#include "result.h"

/* Fills the socket fd once, and looks at what an engine takes from it. Returns whether all was
 * well; if not, `fault` says what was not. */
bool verify_receiver(const struct engine *engine, void *self, int fd, struct feeder *feeder,
                     char fault[RESULT_TEXT]);

#endif
