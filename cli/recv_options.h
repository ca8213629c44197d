/* recv_options.h: what `udpbatch recv` can be told. */
#ifndef RECV_OPTIONS_H
#define RECV_OPTIONS_H

#include "options.h"

struct recv_settings {
    struct common_settings common;
    union udpbatch_addr address; /* of family 0: not given */
    bool dual;
    uint64_t buffer;    /* 0: the system's default */
    const char *output; /* a file; NULL: not given */
};

/* What the table calls. */
int recv_run(int argc, char **argv);

#endif
