/* options.c: the arguments, which scripts/faults explains. */
#define _GNU_SOURCE
#include "options.h"

#include "deputy.h"

#include <getopt.h>
#include <stdio.h>
#include <time.h>

enum { EXIT_USAGE = 2 };

struct wanted wanted = { .call = -1, .every = 1, .packets = 1400000 };

int complain(const char *what, const char *argument)
{
    fprintf(stderr, "scripts/faults: %s: %s\n", what, argument);
    return EXIT_USAGE;
}

static bool read_number(const char *text, uint64_t least, uint64_t most, uint64_t *value)
{
    char *end;

    errno = 0;
    *value = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 && *value >= least &&
           *value <= most;
}

static bool is_way(const char *name)
{
    bool is_one = strcmp(name, "send") == 0 || strcmp(name, "multi") == 0;
    const char *backend;

    for (size_t i = 0; !is_one && (backend = udpbatch_backend_name(i)) != NULL; i++)
        is_one = strcmp(name, backend) == 0;
    return is_one;
}

static int find_call(const char *name)
{
    for (int i = 0; i < CALLS; i++)
        if (strcmp(name, CALL_NAMES[i]) == 0)
            return i;
    return -1;
}

/* Returns EXIT_USAGE, or 0. */
static int take_option(char option, const char *argument)
{
    switch (option) {
    case 'b':
        wanted.backend = argument;
        return is_way(argument) ? 0 : complain("no such back end", argument);
    case 'c':
        wanted.call = find_call(argument);
        return wanted.call >= 0 ? 0 : complain("no such system call", argument);
    case 'e':
        wanted.error = argument;
        return find_what(argument) != NULL ? 0 : complain("no such error", argument);
    case 'n':
        return read_number(argument, 1, UINT32_MAX, &wanted.cell) ? 0
                                                                  : complain("no cell", argument);
    case 'y':
        return read_number(argument, 1, UINT32_MAX, &wanted.every)
                   ? 0
                   : complain("no number of cells", argument);
    case 'p':
        return read_number(argument, 0, UINT32_MAX, &wanted.packets)
                   ? 0
                   : complain("no number of packets", argument);
    case 's':
        return read_number(argument, 0, UINT64_MAX, &wanted.seed) ? 0
                                                                  : complain("no seed", argument);
    default:
        return EXIT_USAGE;
    }
}

void read_options(int argc, char **argv)
{
    static const struct option options[] = {
        { "backend", required_argument, NULL, 'b' }, { "call", required_argument, NULL, 'c' },
        { "error", required_argument, NULL, 'e' },   { "cell", required_argument, NULL, 'n' },
        { "every", required_argument, NULL, 'y' },   { "packets", required_argument, NULL, 'p' },
        { "seed", required_argument, NULL, 's' },    { NULL, 0, NULL, 0 }
    };
    const char *given = getenv("UDPBATCH_SEED");
    int option;

    wanted.seed = (uint64_t)time(NULL);
    if (given != NULL && given[0] != '\0' && take_option('s', given) != 0)
        exit(EXIT_USAGE);
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (take_option((char)option, optarg) != 0)
            exit(EXIT_USAGE);
    }
    if (optind < argc)
        exit(complain("no argument is expected", argv[optind]));
}
