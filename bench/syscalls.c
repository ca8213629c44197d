/* syscalls.c: how many system calls a piece of code makes. */
#include "syscalls.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SYSCALL_STOP = SIGTRAP | 0x80 }; /* PTRACE_O_TRACESYSGOOD */

/* The child stops itself before the traced work and after it, with one system call each time. */
static void work_traced(void (*work)(void *context), void *context)
{
    pid_t self = getpid();
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* until it is traced, too, it does not outlive its parent */
    work(context);                    /* what is done only the first time is done here */
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
        _exit(1);
    kill(self, SIGSTOP);
    work(context);
    kill(self, SIGSTOP);
    _exit(0);
}

/* Lets the child go on to its next stop. Returns the signal that it stopped for, or -1. */
static int next_stop(pid_t child)
{
    int status;
    if (ptrace(PTRACE_SYSCALL, child, NULL, NULL) != 0)
        return -1;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFSTOPPED(status) ? WSTOPSIG(status) : -1;
}

static bool wait_for_first_stop(pid_t child)
{
    int status;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return false;
    return WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP &&
           ptrace(PTRACE_SETOPTIONS, child, NULL,
                  (void *)(uintptr_t)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)) == 0;
}

/* A system call is two stops, at its entry and at its exit. The last one is the child's own. */
static long count_stops(pid_t child)
{
    long stops = 0;
    int signal;
    while ((signal = next_stop(child)) == SYSCALL_STOP)
        stops++;
    return signal == SIGSTOP ? stops / 2 - 1 : -1;
}

long syscalls_count(void (*work)(void *context), void *context)
{
    pid_t child = fork();
    if (child == 0)
        work_traced(work, context);
    if (child < 0)
        return -1;
    long count = wait_for_first_stop(child) ? count_stops(child) : -1;
    kill(child, SIGKILL);
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
        continue;
    return count;
}
