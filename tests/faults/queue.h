/* queue.h: a queue at the device near that is slower than who sends. */
#ifndef FAULTS_QUEUE_H
#define FAULTS_QUEUE_H

#include <stdbool.h>

/* From now on, or no more. False: tc cannot do it. */
bool queue_be_slow(bool slow);

#endif
