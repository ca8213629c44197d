/* interrupt.c: Ctrl-C and SIGTERM end the work, not the process; the second one ends both. */
#include "interrupt.h"

#include <signal.h>

static volatile sig_atomic_t asked_to_end;

static void take_note(int number)
{
    (void)number;
    asked_to_end = 1;
}

/* Without SA_RESTART, so that waits end; with SA_RESETHAND, so that the second signal kills. A
 * shell starts background jobs with SIGINT ignored: who sends it to one nevertheless means it. */
void interrupt_catch(void)
{
    struct sigaction action = { .sa_handler = take_note, .sa_flags = (int)SA_RESETHAND };
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

bool interrupted(void)
{
    return asked_to_end != 0;
}
