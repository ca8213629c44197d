/* fake_xsk_kernel.h: sockets of AF_XDP in memory that send by a script, and otherwise as Linux
 * does.
 *
 * A program linked with --wrap of socket, setsockopt, getsockopt, bind, mmap, munmap, sendto,
 * close, nanosleep and malloc opens them. There is one at a time. What is modelled, in
 * net/xdp of Linux:
 *
 * - xsk_queue.h: the kernel has copies of the indices of the ring, and looks at the producer's only
 *   when it has come to the end of what it knows of. When it publishes the consumer's, and what it
 *   does of descriptors that are not valid, differs between versions.
 * - xsk.c, __xsk_generic_xmit: frames that are copied leave while the kernel is called.
 * - Drivers without copy take frames when they like to.
 */
#ifndef FAKE_XSK_KERNEL_H
#define FAKE_XSK_KERNEL_H

#include "backend/xsk.h"

enum { FAKE_FRAMES = 2048 /* at most */, FAKE_LOG = 1 << 13 };

/* When the others get to see how far the kernel has come in the ring. */
enum fake_publishing {
    FAKE_PUBLISHES_AT_THE_END,   /* when it looks at a ring that is empty (before 6.17) */
    FAKE_PUBLISHES_WHAT_IS_SENT, /* after wake-ups that sent something, too */
    FAKE_PUBLISHES_ALWAYS
};

enum fake_completing { FAKE_COMPLETES_AT_ONCE, FAKE_COMPLETES_LATE, FAKE_COMPLETES_ANYHOW };

struct fake_kernel {
    enum fake_publishing publishing;
    enum fake_completing completing;
    bool passes_one;        /* a descriptor that is not valid ends the wake-up (since 6.6) */
    bool completes_invalid; /* says of such a descriptor that it is done with it */
    bool has_budget;        /* XDP_MAX_TX_SKB_BUDGET (since 6.17) */
    bool has_zero_copy;
    bool lacks_flags; /* in the offsets of the rings (before 5.4) */
    bool lacks_queue; /* to send by: wake-ups return and do nothing */
};

/* What a wake-up meets, after it has taken so many frames. ENETDOWN and ENXIO come before the ring
 * is looked at; with EBUSY the device drops the next frame; with all others it stays. */
struct fake_step {
    unsigned takes;
    int error; /* 0: nothing; FAKE_LOOKS_AWAY */
};
enum { FAKE_LOOKS_AWAY = -1 }; /* it does nothing, and says that all is well */

enum fake_call {
    FAKE_SOCKET,
    FAKE_REGISTER,
    FAKE_FILL_RING,
    FAKE_COMPLETION_RING,
    FAKE_TX_RING,
    FAKE_OFFSETS,
    FAKE_BIND,
    FAKE_WAKE,
    FAKE_MAP_FRAMES,
    FAKE_MAP_TX,
    FAKE_MAP_COMPLETION,
    FAKE_KEEP, /* from children */
    FAKE_SNDBUFFORCE,
    FAKE_SNDBUF,
    FAKE_MALLOC,
    FAKE_STATISTICS,
    FAKE_PAUSE, /* by a signal, when half of it is over */
    FAKE_CALLS
};

/* What wake-ups returned. */
struct fake_told {
    unsigned nothing, again; /* 0, and EAGAIN */
    int error;               /* the first other one */
    bool went_down; /* it had not told of all to the ring's end, and did not look at it any more */
};

/* What has happened, to be read; and which calls are to fail, to be set. */
struct fake {
    int errors[FAKE_CALLS];     /* 0: it does not fail */
    unsigned times[FAKE_CALLS]; /* that it fails, then no more */

    unsigned calls[FAKE_CALLS];
    unsigned opened, closed, maps, pauses;
    long paused_ns;
    uint32_t interface_index, queue; /* that were bound to */
    const char *strange;             /* something that no sender may do; NULL: nothing */

    /* Since fake_forget: */
    uint32_t left[FAKE_LOG]; /* numbers of the frames that have left, in order */
    uint32_t left_count, dropped_count;
    struct fake_told was_told;
};
extern struct fake fake;

/* Forgets all that was. */
void fake_begin(const struct fake_kernel *kernel);

/* What the next wake-ups meet; those behind them meet nothing, or what the last does for good. */
void fake_play(const struct fake_step *steps, size_t count, bool for_good);

/* Counts anew what leaves, and wake-ups. */
void fake_forget(void);

/* The kernel is done with so many of the frames that it has. */
void fake_complete(uint32_t count);
uint32_t fake_frames(void);  /* how many there are */
uint32_t fake_held(void);    /* how many it is not done with */
uint32_t fake_in_ring(void); /* descriptors that it has not told to have consumed */

/* A driver without copy takes so many descriptors, or all there are. */
void fake_run_driver(uint32_t count);
void fake_want_wake_up(bool wanted);

/* Moves all indices on, of both sides. Nothing may be in the rings. */
void fake_move_indices(struct ub_xsk *xsk, uint32_t by);

/* A frame of the test's: its number, and bytes that tell when it is overwritten. */
void fake_write_frame(unsigned char *frame, uint32_t number, uint32_t len);
/* Whether the kernel is not done with that frame. */
bool fake_holds(const unsigned char *frame);

#endif
