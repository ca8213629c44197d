/* soak.h: what the parts of the soak share.
 *
 * Workers send at near by each way, receivers at far take note of every datagram, and in phases of
 * change the network between them is changed all the while. The ledger has what became of each
 * datagram. Between the phases there is quiet, and nothing is left open.
 */
#ifndef SOAK_H
#define SOAK_H

#include "../two_hosts.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    WAYS_MOST = 8,
    CALL_MOST = 512, /* packets in one call */
    WINDOW = 800,    /* frames under way at most: a queue of the kernel's takes 1000 */
    LEN_LONGEST = 3000,
    FIRST_ADDRESS = 10, /* those behind far that are sent to */
    ADDRESSES = 240,
    RECEIVERS = 4,
    META_RECEIVERS = 2 /* the first ones tell where a datagram was sent to */
};

/* Random numbers of a thread's own. */
struct dice {
    uint64_t state;
};
unsigned roll(struct dice *dice, unsigned limit); /* 0 .. limit - 1 */
bool roll_one_in(struct dice *dice, unsigned n);

/* What does not hold: it is said, and the soak has failed. */
void fault(const char *format, ...) __attribute__((format(printf, 1, 2)));
extern atomic_uint fault_count;

extern atomic_bool is_interrupted; /* by Ctrl-C */
extern atomic_bool is_over;        /* the phase: workers end */
extern atomic_bool changes_are_over;
extern bool is_calm; /* the phase: nothing may be lost */
void pause_us(unsigned us);

/* What the process has. */
struct footprint {
    size_t resident_kib, heap_bytes;
    unsigned descriptors, locked_kib, shared_mappings;
};

/* The whole. */
extern struct run {
    uint64_t seed;
    int64_t begun_ms, span_ms;
    unsigned phases;
    struct footprint first, last; /* nothing is open */
} run;

/* Takes what was asked for; ends the program if that is nonsense. */
void options_read(int argc, char **argv);

void report_line(void);
void report_table(void);

/* ---- Workers --------------------------------------------------------------------------------- */

/* A way to send, and what was done by it. */
struct way_total {
    const char *name;
    const char *backend; /* NULL: level 1 */
    uint64_t sent, refused, unsent, arrived, nowhere;
    uint64_t lost_in_change, lost_in_calm;
    atomic_ullong opens, failed_opens, network_errors;
};

extern struct way_total ways[WAYS_MOST];
extern unsigned way_count;

struct worker {
    unsigned way; /* of ways[]; and its stream in the ledger */
    struct dice dice;
    pthread_t thread;
};

void *work(void *worker);

/* ---- The network ----------------------------------------------------------------------------- */

extern atomic_ullong route_changes, flaps;

const char *network_make(void); /* NULL, or what is missing */
void network_restore(void);     /* all as at first, and ready */
void *network_change(
    void *dice); /* until the phase is over; the first change is made in any case */
/* What the queues of all processors have dropped, of all namespaces'. */
uint64_t network_drops(void);

/* ---- Receivers ------------------------------------------------------------------------------- */

extern uint16_t receiver_ports[RECEIVERS];
extern atomic_ullong receiver_opens, late_arrivals, fences_seen;

extern unsigned window; /* frames under way at most: as many as a receiver's buffer takes */

void receivers_open(void);
void *receive_until_over(void *unused);
extern atomic_bool receiving_is_over;
void receivers_close(void);

/* All that was sent before has arrived, or never will. */
bool fence_all(void);

/* ---- The process in quiet -------------------------------------------------------------------- */

struct footprint footprint_now(void);

/* Sees to it that what is locked is counted, and against a limit. */
void locked_make_counted(void);
unsigned locked_kib(void);

/* Makes the heap one of which all can be counted; may start the program anew. */
void heap_make_plain(char **argv);
bool heap_can_be_told(void);
size_t heap_in_use(void);

/* Says what is more than at first. */
void footprint_compare(const struct footprint *first, const struct footprint *now);

#endif
