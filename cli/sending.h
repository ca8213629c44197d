/* sending.h: one run of `udpbatch send`, from its begin to its end. */
#ifndef SENDING_H
#define SENDING_H

#include "cli.h"
#include "progress.h"
#include "report_send.h"
#include "send_options.h"
#include "send_source.h"
#include "ticker.h"
#include "transfer.h"

struct sending {
    /* Given by the caller, and closed by it. */
    const struct send_settings *settings;
    union send_source source;
    struct refusals refusals;
    struct transfer transfer; /* with a sender */

    uint64_t begun_ns, now_ns;
    double cpu_before;
    uint64_t deadline_ns; /* UINT64_MAX: none */
    bool time_is_up;      /* which is as good an end as that of the source */
    int flush_error;      /* 0 or -errno */

    /* What is told while it goes on. */
    struct progress progress;
    struct ticker ticker;
    struct udpbatch_sender_stats told; /* when the last interval ended */
    bool is_mute;                      /* something could not be told for want of memory */
};

/* Sends until the source ends or fails, the time is up, or an interrupt comes. */
void sending_run(struct sending *sending);

/* What has become of it, at the end or so far. */
void sending_measure(const struct sending *sending, bool ended, struct send_result *result);

#endif
