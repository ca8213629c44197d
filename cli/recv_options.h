/* recv_options.h: what `udpbatch recv` can be told. */
#ifndef RECV_OPTIONS_H
#define RECV_OPTIONS_H

#include "options.h"

struct recv_settings {
    struct common_settings common;
    union udpbatch_addr address; /* of family 0: not given */
    bool dual;
    uint64_t count;               /* 0: no limit */
    double seconds;               /* 0: no limit */
    uint64_t buffer;              /* 0: the system's default */
    double interval;              /* 0: none */
    const char *output, *capture; /* files; NULL: not given */
};

/* Whether what was asked for goes together. */
bool recv_options_check(const struct recv_settings *settings, struct reason *reason);

/* What the table calls. */
int recv_run(int argc, char **argv);

#endif
