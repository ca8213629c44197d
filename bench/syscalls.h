/* syscalls.h: how many system calls a piece of code makes. */
#ifndef SYSCALLS_H
#define SYSCALLS_H

#include "cli.h"

/* Calls work(context) twice in a child process, the second time traced (ptrace(2)), and counts what
 * system calls that one makes. No privilege is needed, but tracing must be allowed. Returns -1 if
 * it is not. */
long syscalls_count(void (*work)(void *context), void *context);

#endif
