/* interrupt.h: Ctrl-C and SIGTERM end the work, not the process; the second one ends both. */
#ifndef INTERRUPT_H
#define INTERRUPT_H

#include "cli.h"

void interrupt_catch(void);

/* Whether a signal has asked for the end. */
bool interrupted(void);

#endif
