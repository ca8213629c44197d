/* xdp.c: packets past the network stack, by AF_XDP, and all that cannot go that way by the socket.
 *
 * Trains are the socket's: one walk through the stack for all of their packets. A packet by itself
 * becomes a frame in the device's ring. The plan's trains are put in order so that those of the
 * ring come first; trains to one destination all go one way, so that none overtakes another. */
#include "xdp.h"

#if UB_HAVE_XDP

#include <stdlib.h>
#include <sys/mman.h>

/* One byte is needed, and a page is what there is. */
enum { PAGE_PART = 1 };

/* So many frames are written, then handed over, and free again: they stay in the processor's cache,
 * and a system call is shared by enough. */
enum { FRAMES_AT_ONCE = 128 };

/* ---- Open and close -------------------------------------------------------------------------- */

static void close_xdp(struct ub_engine *engine)
{
    struct ub_xdp *xdp = engine->own;

    if (xdp->is_ours != NULL && !*xdp->is_ours)
        ub_xsk_disown(&xdp->xsk);
    else if (xdp->is_ours != NULL && xdp->xsk.tx.map != NULL)
        ub_xsk_catch_up(&xdp->xsk, &engine->stats.system_calls);
    if (xdp->is_ours != NULL)
        munmap(xdp->is_ours, PAGE_PART);
    ub_xsk_close(&xdp->xsk);
    ub_ways_close(&xdp->ways);
    free(xdp->way_of);
    free(xdp->aside);
    free(xdp);
}

/* A child has neither the rings nor the frames (xsk.c), and so has to know that it is one. */
static int make_mark(struct ub_xdp *xdp)
{
    void *mark = mmap(NULL, PAGE_PART, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (mark == MAP_FAILED)
        return -errno;
    xdp->is_ours = mark;
    *xdp->is_ours = 1;
    return madvise(mark, PAGE_PART, MADV_WIPEONFORK) == 0 ? 0 : -errno;
}

/* A frame is half a page, or a whole one if the device sends more. */
static uint32_t frame_size_for(uint32_t mtu)
{
    return mtu + UB_FRAME_ETHERNET <= 2048 ? 2048 : 4096;
}

static int open_parts(struct ub_engine *engine, struct ub_xdp *xdp,
                      const struct udpbatch_sender_options *options)
{
    struct ub_xsk_config config = { .queue = options->xdp_queue, .mode = options->xdp_mode };
    int error = ub_ways_open(&xdp->ways, engine->fd, options->xdp_interface);

    if (error == 0)
        error = make_mark(xdp);
    if (error < 0)
        return error;
    xdp->way_of = calloc(engine->plan.capacity, sizeof(struct ub_way *));
    xdp->aside = calloc(engine->plan.capacity, sizeof(struct ub_train));
    if (xdp->way_of == NULL || xdp->aside == NULL)
        return -ENOMEM;
    config.interface_index = xdp->ways.link.index;
    config.frame_size = xdp->ways.frame_size = frame_size_for(xdp->ways.link.mtu);
    return ub_xsk_open(&xdp->xsk, &config);
}

static int open_xdp(struct ub_engine *engine, const struct udpbatch_sender_options *options)
{
    struct ub_xdp *xdp = calloc(1, sizeof *xdp);
    if (xdp == NULL)
        return -ENOMEM;
    xdp->xsk.fd = xdp->ways.questions = xdp->ways.changes = -1;
    engine->own = xdp;
    int error = open_parts(engine, xdp, options);
    if (error < 0) {
        close_xdp(engine);
        engine->own = NULL;
        return error;
    }
    engine->stats.xdp_mode = xdp->xsk.zero_copy ? UDPBATCH_XDP_ZERO_COPY : UDPBATCH_XDP_COPY;
    engine->stats.xdp_queue = options->xdp_queue;
    xdp->id = (uint16_t)ub_clock_ns(); /* other senders to the same host begin elsewhere */
    return 0;
}

static void prepare_socket(struct ub_engine *engine)
{
    const struct ub_xdp *xdp = engine->own;
    if (ub_backend_socket->prepare != NULL)
        ub_backend_socket->prepare(engine, xdp->border);
}

static bool has_single_packets(const struct ub_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        if (plan->trains[i].count == 1)
            return true;
    return false;
}

static void xdp_prepare(struct ub_engine *engine, size_t from)
{
    struct ub_xdp *xdp = engine->own;
    struct ub_plan *plan = &engine->plan;

    assert(from == 0);
    (void)from;
    if (*xdp->is_ours)
        ub_xsk_catch_up(&xdp->xsk, &engine->stats.system_calls);
    ub_ways_begin(&xdp->ways, *xdp->is_ours && has_single_packets(plan));
    xdp->border = ub_xdp_choose(xdp, plan);
    if (xdp->border < plan->count)
        prepare_socket(engine);
}

/* ---- By the ring ----------------------------------------------------------------------------- */

static uint16_t sum_of_piece(struct ub_xdp *xdp, const struct udpbatch_piece *piece)
{
    uint64_t mixed = ((uintptr_t)piece->data ^ piece->len) * UINT64_C(0x9e3779b97f4a7c15);
    struct ub_sum *sum = &xdp->sums[mixed >> 58];
    static_assert(UB_SUMS == 1 << (64 - 58), "as many as these bits tell apart");

    if (sum->data != piece->data || sum->len != piece->len || sum->plan != xdp->ways.plan)
        *sum = (struct ub_sum){ .data = piece->data,
                                .len = piece->len,
                                .plan = xdp->ways.plan,
                                .value = ub_frame_sum(piece, 1) };
    return sum->value;
}

static uint16_t sum_of(struct ub_xdp *xdp, const struct ub_train *train)
{
    uint16_t sum = 0;
    size_t behind = 0;

    for (uint32_t i = 0; i < train->piece_count; i++) {
        sum = ub_frame_join(sum, sum_of_piece(xdp, &train->pieces[i]), behind);
        behind += train->pieces[i].len;
    }
    return sum;
}

static size_t write_frame(struct ub_xdp *xdp, const struct ub_train *train,
                          const struct ub_way *way, unsigned char *frame)
{
    struct ub_frame_datagram datagram = {
        .pieces = train->pieces,
        .piece_count = train->piece_count,
        .len = train->bytes,
        .sum = sum_of(xdp, train),
        .tos = ub_xdp_tos(xdp, train, way->headers.is_in4),
        .ttl = ub_xdp_ttl(xdp, train, way->headers.is_in4),
        .forbids_fragments = xdp->ways.origin.forbids_fragments,
    };

    if (!datagram.forbids_fragments) /* only such packets need one of their own (RFC 6864) */
        datagram.id = xdp->id++;
    return ub_frame_write(frame, &way->headers, &datagram);
}

/* The trains from there on take the socket. */
static void move_border(struct ub_engine *engine, size_t border, enum udpbatch_detour detour)
{
    struct ub_xdp *xdp = engine->own;

    for (size_t i = border; i < xdp->border; i++)
        ub_xdp_take_socket(xdp, &engine->plan.trains[i], detour);
    xdp->border = border;
    prepare_socket(engine);
}

/* Sends trains[from .. border) as far as the ring has room. Returns how many have left; if they are
 * not all, the others take the socket from now on. */
static size_t send_frames(struct ub_engine *engine, size_t from)
{
    struct ub_xdp *xdp = engine->own;
    size_t end = from;
    unsigned char *frame = NULL;
    int error;

    while (end < xdp->border && end - from < FRAMES_AT_ONCE &&
           (frame = ub_xsk_frame(&xdp->xsk)) != NULL) {
        size_t len = write_frame(xdp, &engine->plan.trains[end], xdp->way_of[end], frame);
        ub_xsk_put(&xdp->xsk, (uint32_t)len);
        end++;
    }
    size_t count = ub_xsk_submit(&xdp->xsk, &error, &engine->stats.system_calls);
    engine->stats.xdp_packets += count;
    if (count < end - from || error != 0)
        move_border(engine, from + count,
                    error == EAGAIN ? UDPBATCH_DETOUR_RING : UDPBATCH_DETOUR_LINK);
    else if (count == 0)
        move_border(engine, from, UDPBATCH_DETOUR_RING);
    return count;
}

/* ---- By the socket --------------------------------------------------------------------------- */

static size_t send_by_socket(struct ub_engine *engine, size_t from)
{
    size_t count = ub_backend_socket->submit(engine, from);

    for (size_t i = from; i < from + count; i++)
        engine->stats.detours[engine->plan.trains[i].way] += engine->plan.trains[i].count;
    return count;
}

static size_t xdp_submit(struct ub_engine *engine, size_t from)
{
    const struct ub_xdp *xdp = engine->own;
    size_t count = from < xdp->border ? send_frames(engine, from) : 0;

    return count > 0 ? count : send_by_socket(engine, from);
}

/* ---- Flush ----------------------------------------------------------------------------------- */

/* No event tells of completions: pauses between looks, doubled up to the last. */
enum { PAUSE_FIRST_NS = 20 * 1000, PAUSE_LAST_NS = 1000 * 1000 };

/* Waits a little for completions. Returns 0 or -errno. */
static int pause_flush(struct ub_xdp *xdp, int64_t until_ns, int64_t *pause_ns)
{
    int64_t left_ns = until_ns - ub_clock_ns();

    ub_ways_look_at_link(&xdp->ways);
    if (!xdp->ways.link.is_up)
        return -ENETDOWN;
    if (left_ns <= 0)
        return -ETIMEDOUT;
    if (ub_xsk_is_stuck(&xdp->xsk, -ub_xsk_wake(&xdp->xsk)))
        return -ENETDOWN;
    int64_t sleep_ns = *pause_ns < left_ns ? *pause_ns : left_ns;
    if (*pause_ns < PAUSE_LAST_NS)
        *pause_ns *= 2;
    return ub_sleep_ns(sleep_ns);
}

static int flush(struct ub_engine *engine, int timeout_ms)
{
    struct ub_xdp *xdp = engine->own;
    int64_t until_ns = timeout_ms >= 0 ? ub_clock_ns() + timeout_ms * INT64_C(1000000) : INT64_MAX;
    int64_t pause_ns = PAUSE_FIRST_NS;
    int error = 0;

    while (error == 0 && *xdp->is_ours && ub_xsk_outstanding(&xdp->xsk) > 0)
        error = pause_flush(xdp, until_ns, &pause_ns);
    return error;
}

const struct ub_backend ub_backend_xdp = {
    .name = "xdp",
    .open = open_xdp,
    .close = close_xdp,
    .prepare = xdp_prepare,
    .submit = xdp_submit,
    .flush = flush,
};

#endif
