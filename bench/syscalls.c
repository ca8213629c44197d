/* syscalls.c: how many system calls a piece of code makes. */
#include "syscalls.h"

#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"

enum { SYSCALL_STOP = SIGTRAP | 0x80 }; /* PTRACE_O_TRACESYSGOOD */

static bool prepare(const struct counted *counted)
{
    return counted->prepare == NULL || counted->prepare(counted->context);
}

/* The child stops itself before the traced work and after it, with one system call each time. */
static _Noreturn void work_traced(const struct counted *counted)
{
    pid_t self = getpid();
    if (!counted->begin(counted->context))
        _exit(1);
    for (size_t i = 0; i < counted->calls_to_warm_up && prepare(counted); i++)
        counted->work(counted->context);
    if (!prepare(counted) || ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
        _exit(1);
    kill(self, SIGSTOP);
    counted->work(counted->context);
    kill(self, SIGSTOP);
    _exit(0);
}

/* A traced child that waits to be let go. */
struct tracee {
    pid_t pid;
    bool stopped; /* false: it has ended, and its number is no longer ours */
};

/* Returns the signal that it stopped for, or -1 if it ended. */
static int wait_for_stop(struct tracee *tracee)
{
    int status = child_wait(tracee->pid);
    tracee->stopped = status != -1 && WIFSTOPPED(status);
    return tracee->stopped ? WSTOPSIG(status) : -1;
}

static bool take_over(struct tracee *tracee)
{
    const uintptr_t options = PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL;
    return wait_for_stop(tracee) == SIGSTOP &&
           ptrace(PTRACE_SETOPTIONS, tracee->pid, NULL, (void *)options) == 0;
}

/* A system call is two stops, at its entry and at its exit; the last one is the child's own. A
 * signal is a stop too, and is passed on. */
static long count_stops(struct tracee *tracee)
{
    long stops = 0;
    uintptr_t signal = 0;

    while (ptrace(PTRACE_SYSCALL, tracee->pid, NULL, (void *)signal) == 0) {
        int stop = wait_for_stop(tracee);
        if (stop == SIGSTOP)
            return stops / 2 - 1;
        if (stop < 0)
            return -1;
        stops += stop == SYSCALL_STOP;
        signal = stop == SYSCALL_STOP ? 0 : (uintptr_t)stop;
    }
    return -1;
}

long syscalls_count(const struct counted *counted)
{
    struct tracee tracee = { .pid = child_fork() };
    if (tracee.pid == 0)
        work_traced(counted);
    if (tracee.pid < 0)
        return -1;
    long count = take_over(&tracee) ? count_stops(&tracee) : -1;
    if (tracee.stopped) {
        kill(tracee.pid, SIGKILL);
        child_wait(tracee.pid);
    }
    return count;
}
