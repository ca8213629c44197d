/* interrupt.h: what a user at the keyboard asks for. Ctrl-C and SIGTERM end the work, not the
 * process; the second one ends both. SIGUSR1, on Windows Ctrl-Break, asks for the totals so far. */
#ifndef INTERRUPT_H
#define INTERRUPT_H

#include "cli.h"

/* While things are opened: a wait in open(2) ends. */
void interrupt_catch(void);

/* When all is open: waits end, but not a write to a reader that is slow. */
void interrupt_catch_at_work(void);

/* Whether the end was asked for. */
bool interrupted(void);

/* From here on the wish for the totals is heard, which else ends the process. */
void totals_hear(void);

/* Whether it was heard since the last call. */
bool totals_wished(void);

#endif
