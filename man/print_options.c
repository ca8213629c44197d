/* print_options.c: prints a subcommand's options in mdoc(7), for scripts/manual. */
#include "mdoc.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    size_t i = 0;

    while (argc == 2 && commands[i] != NULL && strcmp(commands[i]->name, argv[1]) != 0)
        i++;
    if (argc != 2 || commands[i] == NULL) {
        fprintf(stderr, "usage: print_options SUBCOMMAND, one that was built\n");
        return STATUS_USAGE;
    }
    mdoc_write_options(commands[i], stdout);
    return fflush(stdout) == 0 ? STATUS_DONE : STATUS_INCOMPLETE;
}
