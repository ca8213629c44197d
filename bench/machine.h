/* machine.h: what the figures were measured on. */
#ifndef MACHINE_H
#define MACHINE_H

#include "cli.h"

struct machine {
    char kernel[160]; /* "Linux 6.1.0-18-amd64 x86_64" */
    char cpu[160];    /* "AMD EPYC 7B13"; empty if the system does not say */
    long cpus;        /* online */
};

void machine_describe(struct machine *machine);

#endif
