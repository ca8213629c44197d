/* options.c: what a soak is asked for. */
#define _GNU_SOURCE
#include "soak.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MINUTES_USUAL = 10, NUMBER_MOST = 100000, MINUTE_MS = 60000, SECOND_MS = 1000 };

static void refuse(void)
{
    fprintf(stderr, "usage: soak [--minutes N | --seconds N] [--seed S]\n");
    exit(2);
}

static uint64_t read_number(const char *text, uint64_t least, uint64_t most)
{
    char *end;

    errno = 0;
    uint64_t number = strtoull(text, &end, 10);
    if (errno != 0 || *text < '0' || *text > '9' || *end != '\0' || number < least || number > most)
        refuse();
    return number;
}

static void read_span(const char *text, int64_t unit_ms)
{
    run.span_ms = (int64_t)read_number(text, 1, NUMBER_MOST) * unit_ms;
}

void options_read(int argc, char **argv)
{
    static const struct option options[] = { { "minutes", required_argument, NULL, 'm' },
                                             { "seconds", required_argument, NULL, 's' },
                                             { "seed", required_argument, NULL, 'e' },
                                             { NULL, 0, NULL, 0 } };
    const char *given = getenv("UDPBATCH_SEED");
    int option;

    run.span_ms = MINUTES_USUAL * MINUTE_MS;
    run.seed = (uint64_t)time(NULL);
    if (given != NULL && given[0] != '\0')
        run.seed = read_number(given, 0, UINT64_MAX);
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
        if (option == 'e')
            run.seed = read_number(optarg, 0, UINT64_MAX);
        else if (option == 'm' || option == 's')
            read_span(optarg, option == 'm' ? MINUTE_MS : SECOND_MS);
        else
            refuse();
    if (optind < argc)
        refuse();
}
