/* send_options.h: what `udpbatch send` can be told. */
#ifndef SEND_OPTIONS_H
#define SEND_OPTIONS_H

#include "options.h"
#include "targets.h"
#include "units.h"

struct send_settings {
    struct common_settings common;
    struct targets targets;
    const char *targets_file;
    const char *file;
    uint64_t size; /* 0: not given */
    struct rate rate;
    struct udpbatch_meta meta; /* of every datagram */
    const char *interface;     /* NULL: not given */
    uint64_t queue;
    enum udpbatch_xdp_mode xdp_mode;
    const char *xdp_option; /* one of the two above that was given; else NULL */
    bool broadcast;
};

/* What the table calls. */
int send_run(int argc, char **argv);

#endif
