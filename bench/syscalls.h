/* syscalls.h: how many system calls a piece of code makes. */
#ifndef SYSCALLS_H
#define SYSCALLS_H

#include "cli.h"

struct counted {
    bool (*begin)(void *context);   /* what the work needs; returns false if it cannot be had */
    bool (*prepare)(void *context); /* before each work, not counted; the same; NULL: nothing */
    void (*work)(void *context);
    void *context;
    size_t calls_to_warm_up; /* works so often before it is counted */
};

/* In a child process, begins, works until it is warm, and once more, this time traced (ptrace(2)).
 * Returns how many system calls that took, or -1 if it cannot be told. No privilege is needed, but
 * tracing must be allowed. */
long syscalls_count(const struct counted *counted);

#endif
