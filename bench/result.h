/* result.h: what a run has measured, for all that show it. Plain data, owned by the run. */
#ifndef RESULT_H
#define RESULT_H

#include "cli.h"
#include "device.h"
#include "engine.h"
#include "machine.h"

/* Over the rounds. `known` is false, and the rest 0, if there is no such figure. */
struct spread {
    double min, median, max;
    bool known;
};

enum { RESULT_TEXT = 160 };

/* One engine at one workload. */
struct engine_result {
    const struct engine *engine;
    char fault[RESULT_TEXT]; /* why it has no figures; empty: it has them */
    char uses[32];           /* its back end, or the version of its library; may be empty */
    struct spread packets_per_second;
    struct spread cpu_ns_per_packet;   /* of the whole process, the kernel's part included */
    struct spread ratio_to_baseline;   /* of the packets/s, taken round by round */
    double syscalls_per_packet;        /* below 0: not known */
    uint64_t call_p50_ns, call_p99_ns; /* time to send, or to receive, the whole workload once */
    uint64_t packets;                  /* sent or refused, or received, in all timed rounds, as */
    uint64_t refused, lost;            /* are these two */
    bool lost_known;                   /* whether all rounds could tell what arrived */
};

/* One workload, with its engines, in the order of asking. */
struct workload_result {
    char name[32];          /* as asked for: "W6", "W1:200" */
    char what[RESULT_TEXT]; /* "32 payloads of 1228 bytes to 64 targets" */
    size_t packets;         /* per call */
    size_t payloads, targets;
    size_t bad;                     /* packets per call that cannot be sent */
    size_t least_bytes, most_bytes; /* of a payload */
    const char *curve;              /* a point of this curve ("W3"), not of the bars; else NULL */
    size_t parameter;               /* where on the curve */
    const char *axis;               /* what the parameter is: "targets" */
    size_t rounds;                  /* complete ones */
    size_t engine_count;
    struct engine_result engines[ENGINES_MAX];
};

/* Where the packets went. */
struct where {
    const char *kind;           /* "loopback", "netns" or "address" */
    char what[2 * RESULT_TEXT]; /* the same in a sentence */
    struct device device;       /* that they left by */
    bool offload_off;           /* switched off by this run, at the device */
};

/* An engine that would take part, but cannot. */
struct left_out {
    const struct engine *engine;
    char reason[RESULT_TEXT];
};

struct report {
    enum direction direction;
    struct machine machine;
    struct where where;
    bool contiguous;
    size_t rounds;  /* asked for */
    double seconds; /* of a round */
    size_t count;
    struct workload_result *workloads;
    size_t left_out_count;
    struct left_out left_out[ENGINES_MAX];
    bool interrupted;
    bool optimised; /* how this program was built: figures of others mean little */
};

#endif
