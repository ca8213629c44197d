/* execute.h: a program of the system, run in a network namespace. */
#ifndef EXECUTE_H
#define EXECUTE_H

#include "cli.h"
#include "complain.h"

/* Runs a command, its words between spaces, in the namespace that `space` is a descriptor of, and
 * waits for its end. Returns false unless it succeeded; the reason says what it complained of, or
 * which package brings it. */
bool execute(int space, const char *command, struct reason *reason);

#endif
