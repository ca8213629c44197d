/* options.h: what is asked for. */
#ifndef FAULTS_OPTIONS_H
#define FAULTS_OPTIONS_H

#include <stdint.h>

extern struct wanted {
    const char *backend, *error;
    int call; /* -1: all */
    uint64_t cell, every, packets, seed;
} wanted;

/* Ends the program if one is bad. */
void read_options(int argc, char **argv);
int complain(const char *what, const char *argument); /* returns the exit status for that */

#endif
