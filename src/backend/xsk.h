/* xsk.h: an AF_XDP socket that only sends: frames in memory shared with the kernel, and rings of
 * them (Documentation/networking/af_xdp.rst of Linux). */
#ifndef UB_XSK_H
#define UB_XSK_H

#include "../internal.h"

struct ub_xsk_config {
    uint32_t interface_index, queue;
    enum udpbatch_xdp_mode mode;
    uint32_t frame_size; /* 2048 or 4096 */
};

/* A ring of the kernel's: single producer, single consumer, indices that run on and wrap. */
struct ub_xsk_ring {
    void *map;
    size_t map_size;
    uint32_t *producer, *consumer, *flags;
    void *entries; /* struct xdp_desc, or uint64_t */
};

struct ub_xsk {
    int fd;
    bool zero_copy;
    unsigned char *frames;
    uint32_t frame_size;
    struct ub_xsk_ring tx, completion;
    uint32_t produced; /* into tx; what is not handed over yet is behind *tx.producer */
    uint32_t budget;   /* of descriptors that one wake-up takes at most */
    uint32_t *spare;   /* frames, by number, that are nobody's: a stack, the warmest on top */
    uint32_t spare_count;
    bool is_clean;          /* no cancelled descriptors are left in tx */
    bool is_told;           /* the kernel told how many it passed by when last asked */
    uint64_t invalid_count; /* of descriptors, as the kernel counted them when last asked */
};

/* Returns 0 or -errno, as udpbatch_sender_open says of "xdp". */
int ub_xsk_open(struct ub_xsk *xsk, const struct ub_xsk_config *config);
void ub_xsk_close(struct ub_xsk *xsk);
/* Before close, in a process that was forked off: it has neither rings nor frames, and may have
 * other things at their addresses. Nothing else is to be called there. */
void ub_xsk_disown(struct ub_xsk *xsk);

/* A frame to be written, NULL if the device has them all; and puts what was written, `len` bytes,
 * into the ring. */
unsigned char *ub_xsk_frame(struct ub_xsk *xsk);
void ub_xsk_put(struct ub_xsk *xsk, uint32_t len);

/* Hands over all that was put since the last call, and wakes the kernel up. Returns how many it
 * took, in order; the others will never leave, and *error says why, an errno: EBUSY if the device
 * dropped the first of them. Where frames are not copied it takes all of them, and *error says that
 * the driver cannot go on; it takes all where the kernel does not tell what it left, too. */
size_t ub_xsk_submit(struct ub_xsk *xsk, int *error, uint64_t *system_calls);

/* How many the device has not done with yet. */
uint32_t ub_xsk_outstanding(struct ub_xsk *xsk);
/* Where frames are copied: has the kernel look at those that it did not tell of, as far as it goes.
 */
void ub_xsk_catch_up(struct ub_xsk *xsk, uint64_t *system_calls);
/* Wakes the driver up, which may need it to go on; 0 or -errno. */
int ub_xsk_wake(const struct ub_xsk *xsk);
/* Whether there is no use in waiting for what is outstanding, after a wake-up with this errno. */
bool ub_xsk_is_stuck(const struct ub_xsk *xsk, int error);

#endif
