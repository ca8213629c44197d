/* interrupt_windows.c: what a user asks for, by Ctrl-C and Ctrl-Break. */
#include "interrupt.h"

#ifdef _WIN32

#include <windows.h>

/* Windows calls the handlers in a thread of their own. */
static volatile LONG asked_to_end, asked_for_totals;

/* What is not taken ends the process, as the second Ctrl-C does. */
static BOOL WINAPI take_the_end(DWORD event)
{
    return event == CTRL_C_EVENT && InterlockedExchange(&asked_to_end, 1) == 0;
}

static BOOL WINAPI take_the_wish(DWORD event)
{
    if (event != CTRL_BREAK_EVENT)
        return FALSE;
    InterlockedExchange(&asked_for_totals, 1);
    return TRUE;
}

/* A process may be started with Ctrl-C ignored: the first call undoes that. */
void interrupt_catch(void)
{
    SetConsoleCtrlHandler(NULL, FALSE);
    SetConsoleCtrlHandler(take_the_end, TRUE);
}

/* No call is cut short, and no wait is long. */
void interrupt_catch_at_work(void)
{
}

bool interrupted(void)
{
    return asked_to_end != 0;
}

void totals_hear(void)
{
    SetConsoleCtrlHandler(take_the_wish, TRUE);
}

bool totals_wished(void)
{
    return InterlockedExchange(&asked_for_totals, 0) != 0;
}

#endif
