/* interrupt.c: Ctrl-C and SIGTERM end the work, not the process; the second one ends both. */
#include "interrupt.h"

#include <signal.h>

static volatile sig_atomic_t asked_to_end;

static void take_note(int number)
{
    (void)number;
    asked_to_end = 1;
}

/* With SA_RESETHAND, so that the second signal kills. A shell starts background jobs with SIGINT
 * ignored: who sends it to one nevertheless means it. */
static void hear(int flags)
{
    struct sigaction action = { .sa_handler = take_note, .sa_flags = (int)SA_RESETHAND | flags };
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* Without SA_RESTART, so that the open of a named pipe ends. */
void interrupt_catch(void)
{
    hear(0);
}

/* With SA_RESTART, so that no line is lost to a reader that is slow; poll(2) and nanosleep(2) end
 * all the same (signal(7)). */
void interrupt_catch_at_work(void)
{
    if (!interrupted())
        hear(SA_RESTART);
}

bool interrupted(void)
{
    return asked_to_end != 0;
}
