/* child.h: processes that this one starts. None outlives it, nor the user's wish to end. */
#ifndef CHILD_H
#define CHILD_H

#include "cli.h"

#include <sys/types.h>

/* fork(2), with a child that is killed when its parent ends. */
pid_t child_fork(void);

/* Waits until the child ends, or stops if it is traced; if the user interrupts the wait, the child
 * is killed. Returns its status as waitpid(2) gives it, or -1. */
int child_wait(pid_t child);

/* A program of the system. */
struct program {
    char *const *words; /* its name and arguments, to NULL */
    int space;          /* the network namespace to run it in; -1: this one */
    int input, output;  /* descriptors; output -1: goes where its complaints go */
};

enum { PROGRAM_ABSENT = 127 };

/* Runs it to its end. Returns its exit status, PROGRAM_ABSENT if there is none of that name, or -1
 * if it did not end by itself. The text is what it complained of, the last part if that is long. */
int child_run(const struct program *program, char *text, size_t size);

/* What a program that has failed in silence is said to have complained of. */
extern const char CHILD_SILENT[];

#endif
