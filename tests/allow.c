/* allow.c: runs a command whose kernel knows few system calls.
 *
 *     allow errno|kill NUMBER ... -- [COMMAND [ARGUMENT ...]]
 *
 * Any other call fails by EPERM, or ends the process by SIGSYS. Where a filter of system calls
 * cannot be had it ends with 77 and says why; whether it can is asked without a command. */
#include "call_filter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct call_filter filter;
    char **command = argc > 0 ? call_filter_read(&filter, argv + 1) : NULL;

    if (command == NULL) {
        fputs("usage: allow errno|kill NUMBER ... -- [COMMAND]\n", stderr);
        return EXIT_USAGE;
    }
    if (!call_filter_set(&filter, *command != NULL))
        return EXIT_CANNOT;
    if (*command == NULL)
        return EXIT_SUCCESS;
    execv(*command, command);
    fprintf(stderr, "allow: %s: %s\n", *command, strerror(errno));
    return EXIT_USAGE;
}
