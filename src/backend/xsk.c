/* xsk.c: an AF_XDP socket that only sends, by the kernel's own interface. */
#include "xsk.h"

#if UB_HAVE_XDP

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* All frames together: of 8 MiB, which may be locked by default (RLIMIT_MEMLOCK), a sender is to
 * take a quarter at most. */
enum { FRAMES_SIZE = 2 << 20 };

/* What the kernel takes per wake-up where it cannot be told (TX_BATCH_SIZE of net/xdp/xsk.c). */
enum { BUDGET_DEFAULT = 32 };

/* Socket option since Linux 6.17, whose name older headers lack. */
enum { MAX_TX_SKB_BUDGET = 9 };

/* Added to a descriptor's address it makes that of no frame: the kernel passes by such a
 * descriptor, and counts it. Some kernels then say that they are done with it. */
#define CANCELLED ((uint64_t)FRAMES_SIZE)

#define NOT_PASSED UINT32_MAX

/* A closed socket's queue and locked memory are given back by a worker of the kernel's
 * (xp_release_deferred): so long after. */
enum { RELEASE_TRIES = 50, RELEASE_PAUSE_NS = 4 * 1000 * 1000 };

/* A queue that takes nothing, so many times in a row, is full or stopped. */
enum { TRIES = 4 };

static uint32_t frame_count(const struct ub_xsk *xsk)
{
    return FRAMES_SIZE / xsk->frame_size;
}

/* ---- Rings ----------------------------------------------------------------------------------- */

static uint32_t load(const uint32_t *index)
{
    return __atomic_load_n(index, __ATOMIC_ACQUIRE);
}

static void store(uint32_t *index, uint32_t value)
{
    __atomic_store_n(index, value, __ATOMIC_RELEASE);
}

static struct xdp_desc *descriptor(const struct ub_xsk *xsk, uint32_t index)
{
    return (struct xdp_desc *)xsk->tx.entries + (index & (frame_count(xsk) - 1));
}

static bool is_full(const struct ub_xsk *xsk)
{
    return xsk->produced - load(xsk->tx.consumer) == frame_count(xsk);
}

/* Takes back the frames that the device is done with. */
static void reap(struct ub_xsk *xsk)
{
    const uint64_t *addresses = xsk->completion.entries;
    uint32_t next = *xsk->completion.consumer, end = load(xsk->completion.producer);

    for (; next != end; next++) {
        uint64_t address = addresses[next & (frame_count(xsk) - 1)];
        if (address < CANCELLED)
            xsk->spare[xsk->spare_count++] = (uint32_t)(address / xsk->frame_size);
    }
    store(xsk->completion.consumer, next);
}

/* Takes back the frames of the last `count` descriptors before `end`. */
static void take_back(struct ub_xsk *xsk, uint32_t count, uint32_t end)
{
    for (uint32_t i = 1; i <= count; i++) {
        uint64_t address = descriptor(xsk, end - i)->addr & ~CANCELLED;
        xsk->spare[xsk->spare_count++] = (uint32_t)(address / xsk->frame_size);
    }
}

/* ---- Open and close -------------------------------------------------------------------------- */

static int set(const struct ub_xsk *xsk, int name, const void *value, socklen_t len)
{
    return setsockopt(xsk->fd, SOL_XDP, name, value, len) == 0 ? 0 : -errno;
}

static int set_number(const struct ub_xsk *xsk, int name, uint32_t number)
{
    return set(xsk, name, &number, sizeof number);
}

static int open_socket(struct ub_xsk *xsk)
{
    xsk->fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (xsk->fd >= 0)
        return 0;
    return errno == EAFNOSUPPORT ? -ENOSYS : -errno;
}

/* A child that a signal handler forks off amid a call may go on with it, as its parent does: so it
 * is to have nothing of what they would both write into. */
static int keep_from_children(void *memory, size_t size)
{
    return madvise(memory, size, MADV_DONTFORK) == 0 ? 0 : -errno;
}

/* Shared, though with nobody: of private memory a fork just before this would make copies, and the
 * kernel goes on with the pages that it knows. */
static int make_frames(struct ub_xsk *xsk)
{
    struct xdp_umem_reg area = { .len = FRAMES_SIZE, .chunk_size = xsk->frame_size };
    void *memory =
        mmap(NULL, FRAMES_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED)
        return -errno;
    xsk->frames = memory;
    area.addr = (uintptr_t)memory;
    xsk->spare = malloc(frame_count(xsk) * sizeof *xsk->spare);
    if (xsk->spare == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < frame_count(xsk); i++)
        xsk->spare[i] = frame_count(xsk) - 1 - i;
    xsk->spare_count = frame_count(xsk);
    int error = keep_from_children(memory, FRAMES_SIZE);
    return error < 0 ? error : set(xsk, XDP_UMEM_REG, &area, sizeof area);
}

static int map_ring(const struct ub_xsk *xsk, struct ub_xsk_ring *ring,
                    const struct xdp_ring_offset *offset, uint64_t page, size_t entry_size)
{
    ring->map_size = (size_t)offset->desc + frame_count(xsk) * entry_size;
    void *map = mmap(NULL, ring->map_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
                     xsk->fd, (off_t)page);
    if (map == MAP_FAILED)
        return -errno;
    unsigned char *bytes = ring->map = map;
    ring->producer = (uint32_t *)(void *)(bytes + offset->producer);
    ring->consumer = (uint32_t *)(void *)(bytes + offset->consumer);
    ring->flags = (uint32_t *)(void *)(bytes + offset->flags);
    ring->entries = bytes + offset->desc;
    return keep_from_children(map, ring->map_size);
}

/* The kernel wants a ring of frames to receive into, too, if only a short one. */
static int make_rings(struct ub_xsk *xsk)
{
    struct xdp_mmap_offsets offsets;
    socklen_t len = sizeof offsets;
    int error = set_number(xsk, XDP_UMEM_FILL_RING, 1);

    if (error == 0)
        error = set_number(xsk, XDP_UMEM_COMPLETION_RING, frame_count(xsk));
    if (error == 0)
        error = set_number(xsk, XDP_TX_RING, frame_count(xsk));
    if (error < 0)
        return error;
    if (getsockopt(xsk->fd, SOL_XDP, XDP_MMAP_OFFSETS, &offsets, &len) < 0)
        return -errno;
    if (len != sizeof offsets) /* a kernel before 5.4, without wake-up flags */
        return -ENOSYS;
    error = map_ring(xsk, &xsk->tx, &offsets.tx, XDP_PGOFF_TX_RING, sizeof(struct xdp_desc));
    return error < 0 ? error
                     : map_ring(xsk, &xsk->completion, &offsets.cr, XDP_UMEM_PGOFF_COMPLETION_RING,
                                sizeof(uint64_t));
}

/* In copy mode a frame on its way is a buffer of the socket's, and there are to be as many of these
 * as of frames. Without CAP_NET_ADMIN there may be fewer. */
static void widen(struct ub_xsk *xsk)
{
    int size = 2 * FRAMES_SIZE;

    if (setsockopt(xsk->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) < 0)
        setsockopt(xsk->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    xsk->budget = frame_count(xsk);
    if (set_number(xsk, MAX_TX_SKB_BUDGET, xsk->budget) < 0)
        xsk->budget = BUDGET_DEFAULT;
}

/* Without a copy only if it is asked for: many drivers then fill the receive queue of that number
 * from this socket's memory, too, though nobody receives by it, and the host hears nothing there.
 */
static int bind_to(struct ub_xsk *xsk, const struct ub_xsk_config *config)
{
    const uint16_t mode = config->mode == UDPBATCH_XDP_ZERO_COPY ? XDP_ZEROCOPY : XDP_COPY;
    struct sockaddr_xdp queue = { .sxdp_family = AF_XDP,
                                  .sxdp_flags = (uint16_t)(mode | XDP_USE_NEED_WAKEUP),
                                  .sxdp_ifindex = config->interface_index,
                                  .sxdp_queue_id = config->queue };

    xsk->zero_copy = mode == XDP_ZEROCOPY;
    if (bind(xsk->fd, (struct sockaddr *)&queue, sizeof queue) == 0)
        return 0;
    if (errno == EINVAL) /* or a driver's, of its rings, where there is no copy */
        return xsk->zero_copy ? -EOPNOTSUPP : -ECHRNG;
    return -errno;
}

static int wake(const struct ub_xsk *xsk)
{
    return sendto(xsk->fd, NULL, 0, MSG_DONTWAIT, NULL, 0) < 0 ? -errno : 0;
}

/* Whether the kernel has looked at the ring before it gave this error. */
static bool has_looked(int error)
{
    return error == EAGAIN || error == EBUSY || error == ENOBUFS || error == ENOMEM ||
           error == EOVERFLOW;
}

/* A filter of system calls that came later may refuse to tell. */
static bool count_invalid(struct ub_xsk *xsk, uint64_t *count)
{
    struct xdp_statistics statistics = { 0 };
    socklen_t len = sizeof statistics;

    xsk->is_told = getsockopt(xsk->fd, SOL_XDP, XDP_STATISTICS, &statistics, &len) == 0;
    *count = statistics.tx_invalid_descs;
    return xsk->is_told;
}

/* Makes the kernel pass by the invalid descriptors that are all that is left in the ring: since 6.6
 * it takes a wake-up for each, and before 6.17 one more until it tells so. Their frames are
 * nobody's again. Returns how many they were, or NOT_PASSED if the kernel looks after the device no
 * more, or does not tell: until it does, the ring is not used. */
static uint32_t pass_by(struct ub_xsk *xsk, uint64_t *system_calls)
{
    const uint32_t end = *xsk->tx.producer;
    uint32_t tries = end - load(xsk->tx.consumer) + 2;
    uint64_t count;
    int error = 0;

    for (; load(xsk->tx.consumer) != end && tries > 0 && (error == 0 || has_looked(error));
         tries--) {
        ++*system_calls;
        error = -wake(xsk);
    }
    xsk->is_clean = load(xsk->tx.consumer) == end && count_invalid(xsk, &count);
    if (!xsk->is_clean)
        return NOT_PASSED;
    uint32_t passed = (uint32_t)(count - xsk->invalid_count);
    xsk->invalid_count = count;
    take_back(xsk, passed, end);
    return passed;
}

/* Drivers without a program loaded refuse to be woken up for frames that are not copied, though
 * they let bind succeed; and a queue may be there to receive only. So a wake-up is tried, with a
 * descriptor of nothing. */
static int try_out(struct ub_xsk *xsk)
{
    uint64_t system_calls = 0;

    ub_xsk_put(xsk, 0);
    descriptor(xsk, 0)->addr |= CANCELLED;
    store(xsk->tx.producer, xsk->produced);
    int error = wake(xsk);
    if (xsk->zero_copy) {
        take_back(xsk, 1, xsk->produced);
        if (error == 0 || error == -EAGAIN || error == -EBUSY)
            return 0;
        return error == -ENETDOWN ? error : -EOPNOTSUPP;
    }
    if (error < 0)
        return error;
    return pass_by(xsk, &system_calls) == 1 ? 0 : -ECHRNG;
}

static int open_once(struct ub_xsk *xsk, const struct ub_xsk_config *config)
{
    *xsk = (struct ub_xsk){ .fd = -1, .frame_size = config->frame_size, .is_clean = true };
    int error = open_socket(xsk);
    if (error == 0)
        error = make_frames(xsk);
    if (error == 0)
        error = make_rings(xsk);
    if (error == 0)
        error = bind_to(xsk, config);
    if (error == 0)
        error = try_out(xsk);
    if (error < 0)
        ub_xsk_close(xsk);
    else
        widen(xsk);
    return error;
}

/* By waiting for the kernel to give back what a socket had that was closed before. */
static bool may_pass(int error)
{
    return error == -EBUSY || error == -ENOBUFS;
}

/* The whole of it, whatever signals come. */
static void pause_for_release(void)
{
    struct timespec pause = { .tv_nsec = RELEASE_PAUSE_NS };
    while (nanosleep(&pause, &pause) < 0 && errno == EINTR)
        continue;
}

int ub_xsk_open(struct ub_xsk *xsk, const struct ub_xsk_config *config)
{
    int error = open_once(xsk, config);

    for (int i = 0; i < RELEASE_TRIES && may_pass(error); i++) {
        pause_for_release();
        error = open_once(xsk, config);
    }
    return error;
}

void ub_xsk_disown(struct ub_xsk *xsk)
{
    xsk->tx.map = xsk->completion.map = NULL;
    xsk->frames = NULL;
}

static void unmap(struct ub_xsk_ring *ring)
{
    if (ring->map != NULL)
        munmap(ring->map, ring->map_size);
}

void ub_xsk_close(struct ub_xsk *xsk)
{
    unmap(&xsk->tx);
    unmap(&xsk->completion);
    if (xsk->fd >= 0)
        close(xsk->fd);
    if (xsk->frames != NULL)
        munmap(xsk->frames, FRAMES_SIZE);
    free(xsk->spare); /* NOLINT(clang-analyzer-unix.Malloc): which is forgotten below */
    *xsk = (struct ub_xsk){ .fd = -1 };
}

/* ---- Sending --------------------------------------------------------------------------------- */

unsigned char *ub_xsk_frame(struct ub_xsk *xsk)
{
    if (xsk->spare_count == 0)
        reap(xsk);
    if (xsk->spare_count == 0 || is_full(xsk))
        return NULL;
    return xsk->frames + (size_t)xsk->spare[xsk->spare_count - 1] * xsk->frame_size;
}

void ub_xsk_put(struct ub_xsk *xsk, uint32_t len)
{
    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it takes what was closed for this */
    uint32_t frame = xsk->spare[--xsk->spare_count];
    *descriptor(xsk, xsk->produced++) =
        (struct xdp_desc){ .addr = (uint64_t)frame * xsk->frame_size, .len = len };
}

/* Cancels what the kernel has not taken of the last `count` descriptors, and returns how many of
 * them it took. The kernel keeps a copy of the producer's index, so that it cannot be set back, and
 * before 6.17 it does not tell at once what it has consumed. But it runs only while it is called:
 * so all are cancelled, which those that have left do not feel, and the kernel counts the others.
 * If it went down meanwhile, all count as taken: frames that a device had then are lost as well. */
static uint32_t cancel(struct ub_xsk *xsk, uint32_t count, bool has_run, uint64_t *system_calls)
{
    for (uint32_t i = *xsk->tx.producer - count; i != *xsk->tx.producer; i++)
        descriptor(xsk, i)->addr |= CANCELLED;
    uint32_t passed = pass_by(xsk, system_calls);
    if (passed != NOT_PASSED)
        return count - passed;
    return has_run ? count : 0;
}

/* If the kernel has looked at the ring, but would not tell what of it was cancelled, nothing is: as
 * without a copy, what has not left does so by a later wake-up, what is behind it is to follow it,
 * and all count as taken, one that the device dropped too. */
static bool has_to_stay(struct ub_xsk *xsk, bool has_run)
{
    uint64_t count;
    return has_run && !count_invalid(xsk, &count);
}

/* Hands over the next `count` descriptors, which are no more than one wake-up takes. Returns how
 * many were taken; *error is why not all. */
static uint32_t hand_over(struct ub_xsk *xsk, uint32_t count, int *error, uint64_t *system_calls)
{
    const uint32_t end = *xsk->tx.producer + count;
    bool has_run = false;
    int tries = 0;

    store(xsk->tx.producer, end);
    do {
        uint32_t before = load(xsk->tx.consumer);
        ++*system_calls;
        *error = -wake(xsk);
        has_run |= has_looked(*error);
        reap(xsk);
        tries = load(xsk->tx.consumer) != before ? 0 : tries + 1;
    } while ((*error == EAGAIN || *error == EINTR) && tries < TRIES);
    if (*error == 0 && load(xsk->tx.consumer) == end)
        return count;
    if (*error == 0)
        *error = EIO; /* it did not look */
    if (has_to_stay(xsk, has_run)) {
        *error = 0;
        return count;
    }
    uint32_t taken = cancel(xsk, count, has_run, system_calls);
    return *error == EBUSY && taken > 0 ? taken - 1 : taken; /* the last of them was dropped */
}

/* Frames that are copied leave while the kernel is called. What was not handed over, the kernel has
 * not seen. */
static uint32_t submit_copies(struct ub_xsk *xsk, int *error, uint64_t *system_calls)
{
    const uint32_t count = xsk->produced - *xsk->tx.producer;
    uint32_t seen = 0, taken = 0;

    if (!xsk->is_clean && pass_by(xsk, system_calls) == NOT_PASSED)
        *error = ENETDOWN;
    while (seen < count && *error == 0) {
        uint32_t rest = count - seen, part = rest < xsk->budget ? rest : xsk->budget;
        taken += hand_over(xsk, part, error, system_calls);
        seen += part;
    }
    take_back(xsk, count - seen, xsk->produced);
    xsk->produced = *xsk->tx.producer;
    return taken;
}

/* Frames that the device reads by itself cannot be had back. */
static uint32_t submit_shared(struct ub_xsk *xsk, int *error, uint64_t *system_calls)
{
    const uint32_t count = xsk->produced - *xsk->tx.producer;

    store(xsk->tx.producer, xsk->produced);
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* the driver sets the flag, then looks once more */
    for (int i = 0; i < TRIES && (load(xsk->tx.flags) & XDP_RING_NEED_WAKEUP) != 0; i++) {
        ++*system_calls;
        *error = -wake(xsk);
        if (*error != EAGAIN && *error != EBUSY && *error != EINTR)
            break;
    }
    reap(xsk);
    return count;
}

size_t ub_xsk_submit(struct ub_xsk *xsk, int *error, uint64_t *system_calls)
{
    *error = 0;
    return xsk->zero_copy ? submit_shared(xsk, error, system_calls)
                          : submit_copies(xsk, error, system_calls);
}

uint32_t ub_xsk_outstanding(struct ub_xsk *xsk)
{
    uint64_t system_calls = 0;

    if (!xsk->is_clean)
        pass_by(xsk, &system_calls);
    reap(xsk);
    return frame_count(xsk) - xsk->spare_count;
}

int ub_xsk_wake(const struct ub_xsk *xsk)
{
    return wake(xsk);
}

void ub_xsk_catch_up(struct ub_xsk *xsk, uint64_t *system_calls)
{
    const uint32_t end = *xsk->tx.producer;
    uint32_t at = load(xsk->tx.consumer);
    int tries = 0;

    while (!xsk->zero_copy && xsk->is_clean && at != end && tries < TRIES) {
        uint32_t before = at;
        ++*system_calls;
        wake(xsk);
        at = load(xsk->tx.consumer);
        tries = at != before ? 0 : tries + 1;
    }
}

/* Where frames are not copied, a driver may not need to be woken up at all. */
static bool needs_wake_up(const struct ub_xsk *xsk)
{
    return !xsk->zero_copy || (load(xsk->tx.flags) & XDP_RING_NEED_WAKEUP) != 0;
}

bool ub_xsk_is_stuck(const struct ub_xsk *xsk, int error)
{
    bool is_refused = error != 0 && error != EINTR && !has_looked(error);

    if (error == ENETDOWN || error == ENXIO || error == EBADF)
        return true;
    if (is_refused && needs_wake_up(xsk) && load(xsk->tx.consumer) != *xsk->tx.producer)
        return true;
    return !xsk->is_clean && !xsk->is_told;
}

#endif
