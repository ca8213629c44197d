/* interrupt.h: Ctrl-C and SIGTERM end the work, not the process; the second one ends both. */
#ifndef INTERRUPT_H
#define INTERRUPT_H

#include "cli.h"

/* While things are opened: a wait in open(2) ends. */
void interrupt_catch(void);

/* When all is open: waits end, but not a write to a reader that is slow. */
void interrupt_catch_at_work(void);

/* Whether a signal has asked for the end. */
bool interrupted(void);

#endif
