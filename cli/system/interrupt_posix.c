/* interrupt_posix.c: what a user asks for, by signals. */
#include "interrupt.h"

#ifndef _WIN32

#include <signal.h>

static volatile sig_atomic_t asked_to_end, asked_for_totals;

static void note_the_end(int number)
{
    (void)number;
    asked_to_end = 1;
}

static void note_the_wish(int number)
{
    (void)number;
    asked_for_totals = 1;
}

/* With SA_RESETHAND, so that the second signal kills. A shell starts background jobs with SIGINT
 * ignored: who sends it to one nevertheless means it. */
static void hear(int flags)
{
    struct sigaction action = { .sa_handler = note_the_end, .sa_flags = (int)SA_RESETHAND | flags };
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

/* With SA_RESTART, as above; and so the answer comes at once. */
void totals_hear(void)
{
    struct sigaction action = { .sa_handler = note_the_wish, .sa_flags = SA_RESTART };
    sigemptyset(&action.sa_mask);
    sigaction(SIGUSR1, &action, NULL);
}

bool totals_wished(void)
{
    const bool wished = asked_for_totals != 0;
    if (wished)
        asked_for_totals = 0;
    return wished;
}

#endif
