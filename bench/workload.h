/* workload.h: what is sent in one call: W1 to W8, named, with a parameter each. */
#ifndef WORKLOAD_H
#define WORKLOAD_H

#include "cli.h"
#include "complain.h"

/* Which payload goes to which target. */
enum form {
    FORM_FAN_OUT,  /* each payload to each target, target by target */
    FORM_SCATTER,  /* payload i to target i */
    FORM_BROADCAST /* payload i: if even to the first target, if odd to one of its own */
};

/* A row of the table of workloads. */
struct shape {
    const char *name;       /* "W1" */
    const char *where_from; /* which programs send so */
    const char *parameter;  /* what the number behind the colon is */
    size_t least, usual, most;
    enum form form;
    size_t payloads, targets; /* of a fan-out; 0: the parameter */
    size_t bytes;             /* of a payload */
    size_t first_bytes;       /* of those of the first half, if they differ; else 0 */
    bool spoils;              /* another shape, of which the parameter is the part that is bad */
    bool pressed; /* a socket that does not wait, with a small buffer, before a slow queue */
};

/* A workload as asked for: "W1", "W1:200", "W7:10:W2". */
struct workload_spec {
    char name[32];
    const struct shape *shape;
    const struct shape *base; /* that lays out the packets: the same, or the one that is spoilt */
    size_t parameter;
    const char *curve; /* the shape's name if it is a point of a range, "W1:1..1024"; else NULL */
};

struct workload_specs {
    struct workload_spec *list;
    size_t count;
};

/* The row of that index; NULL at the end. */
const struct shape *workload_shape(size_t index);

/* Adds what the text asks for: workloads with commas between them. A range stands for each power
 * of two in it, and its ends. */
bool workload_add(struct workload_specs *specs, const char *text, struct reason *reason);

/* Whether there is a range of that workload; NULL: of any. */
bool workload_has_curve(const struct workload_specs *specs, const char *name);

void workload_specs_free(struct workload_specs *specs);

/* How many targets, receivers that is, it has. */
size_t workload_targets(const struct workload_spec *spec);

/* Whether one receiver gets it all. */
bool workload_is_for_one(const struct workload_spec *spec);

bool workload_has_one_payload(const struct workload_spec *spec);

/* The addresses that cannot be sent to, and the errno that each kind earns. */
enum { BAD_KINDS_MAX = 4 };
struct bad_targets {
    union udpbatch_addr addresses[BAD_KINDS_MAX];
    const char *names[BAD_KINDS_MAX]; /* "EACCES" */
    size_t count;
};

/* One call's packets, and the memory that they point into. */
struct workload {
    struct udpbatch_packet *packets;
    size_t n;
    size_t payload_count;
    size_t target_count;
    size_t bad;     /* packets to bad targets */
    uint64_t bytes; /* of payload, of the packets to good targets */
    size_t least_bytes, most_bytes;
    unsigned char *payloads;
    const struct bad_targets *bad_targets; /* the caller's */
};

struct layout {
    size_t bytes;    /* of each payload; 0: as the workload has it */
    bool contiguous; /* payloads side by side in memory */
};

/* Builds it, to targets[0 .. target_count), which are used in turn if the workload has more. They
 * and the bad ones are pointed at. Returns false if there is no memory. */
bool workload_build(struct workload *workload, const struct workload_spec *spec,
                    const struct layout *layout, const union udpbatch_addr *targets,
                    size_t target_count, const struct bad_targets *bad);
void workload_free(struct workload *workload);

/* "32 payloads of 1228 bytes to 64 targets" */
enum { WORKLOAD_TEXT = 160 };
void workload_describe(const struct workload *workload, const struct workload_spec *spec,
                       char text[WORKLOAD_TEXT]);

/* Whether the packet is to one of the bad targets. */
bool workload_is_bad(const struct workload *workload, const struct udpbatch_packet *packet);

/* Each payload begins with its number, so that a socket filter can tell it (big endian). */
enum { PAYLOAD_NUMBER_BYTES = 4, PAYLOAD_LEAST = 8 };
uint32_t workload_payload_number(const struct udpbatch_packet *packet);

#endif
