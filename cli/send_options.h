/* send_options.h: what `udpbatch send` can be told. */
#ifndef SEND_OPTIONS_H
#define SEND_OPTIONS_H

#include "address_map.h"
#include "options.h"
#include "targets.h"
#include "units.h"

/* What is 0 or NULL was not given. */
struct send_settings {
    struct common_settings common; /* count and seconds are of numbered packets */
    struct targets targets;
    const char *targets_file;

    const char *file;
    uint64_t size;
    double speed;
    struct address_map map;

    struct rate rate;
    uint64_t burst;            /* packets or bytes, as the rate */
    struct udpbatch_meta meta; /* of every datagram */
    const char *interface;
    uint64_t queue;
    enum udpbatch_xdp_mode xdp_mode;
    const char *xdp_option; /* one of the two above that was given */
    bool broadcast;
};

/* What the table calls. */
int send_run(int argc, char **argv);

#endif
