/* place.h: where the packets go: receivers on loopback, across a pair of network namespaces, or
 * addresses of the user's own. */
#ifndef PLACE_H
#define PLACE_H

#include "cli.h"
#include "complain.h"
#include "netns.h"
#include "receivers.h"
#include "result.h"
#include "targets.h"
#include "workload.h"

enum place_kind { PLACE_LOOPBACK, PLACE_NETNS, PLACE_ADDRESS };

struct place {
    enum place_kind kind;
    struct netns netns;
    const struct targets *to; /* the user's own addresses, where nobody receives; else NULL */
    struct bad_targets bad;   /* of the workload that it is prepared for */
    struct where where;
};

/* Not open: place_close does nothing to it. */
#define PLACE_CLOSED                                                                               \
    {                                                                                              \
        .netns = NETNS_CLOSED                                                                      \
    }

struct place_settings {
    bool netns, offload_off;
    enum direction direction; /* of what is done there */
    const struct targets *to; /* retained; all of one family */
    size_t bytes;             /* of a payload; 0: those of the workloads, none above 1232 */
};

bool place_open(struct place *place, const struct place_settings *settings, struct reason *reason);
void place_close(struct place *place);

/* Makes the place what a workload needs: bad targets, a slow queue. Then puts it back. */
bool place_prepare(struct place *place, const struct workload_spec *spec, struct reason *reason);
void place_restore(struct place *place, const struct workload_spec *spec);

/* An address to which packets go there, for trying an engine; the port is not one of a receiver. */
union udpbatch_addr place_sample(const struct place *place);

/* A socket to send from; for a workload under pressure, one that does not wait. -1: the reason. */
int place_socket(const struct place *place, const struct workload_spec *spec,
                 struct reason *reason);

/* Receivers for so many targets, of a place that has them. */
bool place_listen(const struct place *place, struct receivers *receivers, size_t count,
                  struct reason *reason);

/* Whether what arrives is dropped as early as can be, so that sending alone is measured. */
bool place_drop(const struct place *place, const struct receivers *receivers, bool drop,
                struct reason *reason);

/* What has arrived so far, dropped or not. */
struct arrived {
    bool known;
    bool in_bytes; /* of payload; else in packets */
    uint64_t amount;
};
struct arrived place_arrived(const struct place *place, const struct receivers *receivers);

#endif
