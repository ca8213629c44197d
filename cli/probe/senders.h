/* senders.h: senders of the library, opened only to see whether that can be done. */
#ifndef PROBE_SENDERS_H
#define PROBE_SENDERS_H

#include "question.h"

/* Opens one by the back end "xdp" on the subject's device and closes it again. Gives the answer,
 * with a remedy; the command to find out, if there is no device to open one on. Nothing is sent. */
void sender_try_xdp(const struct subject *subject, enum udpbatch_xdp_mode mode,
                    struct answer *answer);

#endif
