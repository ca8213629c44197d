/* fake_xsk_kernel.c: sockets of AF_XDP in memory that send by a script. */
#include "fake_xsk_kernel.h"

#include "chance.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* Where things are in a ring, which is for the kernel to say; not where Linux has them. */
enum { PRODUCER_AT = 64, CONSUMER_AT = 0, FLAGS_AT = 132, ENTRIES_AT = 320 };

enum { DEFAULT_BUDGET = 32, BUDGET_OPTION = 9, OPTIONS_KNOWN = 3, MAPS_MOST = 8, CLOSED = -1 };

enum { WAKES_MOST = 1000 * 1000 }; /* between two submits */

struct ring {
    uint32_t size;
    unsigned char *map;
    uint32_t producer, consumer; /* the kernel's copies */
};

struct held {
    uint64_t address;
    uint32_t number, len;
};

struct fake fake;

static struct {
    struct fake_kernel kernel;
    const struct fake_step *steps;
    size_t step_count, next_step;
    bool for_good;
} script;

static struct {
    int fd;
    bool is_bound, is_zero_copy;
    unsigned char *frames;
    uint64_t frames_len;
    uint32_t chunk, budget, fill_size;
    struct ring tx, completion;
    uint64_t invalid_count;
    uint32_t unpublished; /* frames taken since the consumer's index was published */
    bool has_stopped;     /* before the end of the ring, as far as it tells */
    struct held held[FAKE_FRAMES];
    uint32_t held_count;
    bool is_held[FAKE_FRAMES];
} xsk = { .fd = CLOSED };

static struct {
    void *at;
    size_t len;
} maps[MAPS_MOST];

int __real_socket(int family, int type, int protocol);
int __wrap_socket(int family, int type, int protocol);
int __real_close(int fd);
int __wrap_close(int fd);
int __real_bind(int fd, const struct sockaddr *addr, socklen_t len);
int __wrap_bind(int fd, const struct sockaddr *addr, socklen_t len);
int __real_setsockopt(int fd, int level, int name, const void *value, socklen_t len);
int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t len);
int __real_getsockopt(int fd, int level, int name, void *value, socklen_t *len);
int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *len);
void *__real_mmap(void *at, size_t len, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap(void *at, size_t len, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap64(void *at, size_t len, int protection, int flags, int fd, off_t offset);
int __real_munmap(void *at, size_t len);
int __wrap_munmap(void *at, size_t len);
int __wrap_madvise(void *at, size_t len, int advice);
ssize_t __real_sendto(int fd, const void *data, size_t len, int flags, const struct sockaddr *to,
                      socklen_t to_len);
ssize_t __wrap_sendto(int fd, const void *data, size_t len, int flags, const struct sockaddr *to,
                      socklen_t to_len);
int __wrap_nanosleep(const struct timespec *pause, struct timespec *rest);
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

/* ---- The script ------------------------------------------------------------------------------ */

void fake_begin(const struct fake_kernel *kernel)
{
    fake = (struct fake){ 0 };
    script.kernel = *kernel;
    fake_play(NULL, 0, false);
    xsk.fd = CLOSED;
}

void fake_play(const struct fake_step *steps, size_t count, bool for_good)
{
    script.steps = steps;
    script.step_count = count;
    script.next_step = 0;
    script.for_good = for_good;
}

void fake_forget(void)
{
    fake.left_count = fake.dropped_count = 0;
    fake.was_told = (struct fake_told){ 0 };
    fake.calls[FAKE_WAKE] = 0;
    xsk.has_stopped = false;
}

static struct fake_step next_step(void)
{
    if (script.kernel.lacks_queue)
        return (struct fake_step){ .error = FAKE_LOOKS_AWAY };
    if (script.next_step < script.step_count)
        return script.steps[script.next_step++];
    return script.for_good ? script.steps[script.step_count - 1] : (struct fake_step){ 0 };
}

static bool fails(enum fake_call call)
{
    fake.calls[call]++;
    if (fake.errors[call] == 0 || fake.times[call] == 0)
        return false;
    fake.times[call]--;
    errno = fake.errors[call];
    return true;
}

static int answer(int error)
{
    errno = error;
    return error == 0 ? 0 : -1;
}

/* ---- Rings ----------------------------------------------------------------------------------- */

static uint32_t *index_at(const struct ring *ring, size_t at)
{
    return (uint32_t *)(void *)(ring->map + at);
}

static void set_index(const struct ring *ring, size_t at, uint32_t value)
{
    __atomic_store_n(index_at(ring, at), value, __ATOMIC_RELEASE);
}

static uint32_t get_index(const struct ring *ring, size_t at)
{
    return __atomic_load_n(index_at(ring, at), __ATOMIC_ACQUIRE);
}

static void publish(void)
{
    set_index(&xsk.tx, CONSUMER_AT, xsk.tx.consumer);
    xsk.unpublished = 0;
}

static void look_at_producer(void)
{
    uint32_t producer = get_index(&xsk.tx, PRODUCER_AT);
    if (producer - xsk.tx.consumer > xsk.tx.size || producer - xsk.tx.producer > xsk.tx.size)
        fake.strange = "the producer's index is set back, or beyond the ring's end";
    xsk.tx.producer = producer;
}

static bool is_valid(const struct xdp_desc *descriptor)
{
    uint64_t last = descriptor->addr + descriptor->len - (descriptor->len != 0);
    return (descriptor->options & ~(uint32_t)OPTIONS_KNOWN) == 0 &&
           descriptor->addr < xsk.frames_len && descriptor->addr / xsk.chunk == last / xsk.chunk;
}

static void complete(uint64_t address)
{
    uint64_t *addresses = (uint64_t *)(void *)(xsk.completion.map + ENTRIES_AT);
    addresses[xsk.completion.producer++ & (xsk.completion.size - 1)] = address;
    set_index(&xsk.completion, PRODUCER_AT, xsk.completion.producer);
}

static bool may_complete_another(void)
{
    uint32_t pending = xsk.completion.producer - get_index(&xsk.completion, CONSUMER_AT);
    return pending + xsk.held_count < xsk.completion.size;
}

static const struct xdp_desc *next_descriptor(void)
{
    const struct xdp_desc *descriptors = (const void *)(xsk.tx.map + ENTRIES_AT);
    return &descriptors[xsk.tx.consumer & (xsk.tx.size - 1)];
}

static void pass_by(void)
{
    if (script.kernel.completes_invalid && may_complete_another())
        complete(next_descriptor()->addr);
    xsk.tx.consumer++;
}

/* xskq_cons_peek_desc: NULL: there is none, or one that is not valid. */
static const struct xdp_desc *peek(void)
{
    if (xsk.tx.producer == xsk.tx.consumer) {
        publish();
        look_at_producer();
    }
    while (xsk.tx.consumer != xsk.tx.producer) {
        const struct xdp_desc *descriptor = next_descriptor();
        if (is_valid(descriptor))
            return descriptor;
        xsk.invalid_count++;
        if (script.kernel.passes_one)
            return NULL;
        pass_by();
    }
    return NULL;
}

/* ---- Frames ---------------------------------------------------------------------------------- */

void fake_write_frame(unsigned char *frame, uint32_t number, uint32_t len)
{
    memcpy(frame + len - sizeof number, &number, sizeof number);
    memcpy(frame, &number, sizeof number);
}

static uint32_t number_of(uint64_t address, uint32_t len)
{
    uint32_t first, last;
    memcpy(&first, xsk.frames + address, sizeof first);
    memcpy(&last, xsk.frames + address + len - sizeof last, sizeof last);
    if (first != last)
        fake.strange = "a frame leaves that is not as it was written";
    return first;
}

static bool *held_mark(uint64_t address)
{
    return &xsk.is_held[address / xsk.chunk];
}

bool fake_holds(const unsigned char *frame)
{
    return *held_mark((uint64_t)(frame - xsk.frames));
}

static void take(const struct xdp_desc *descriptor)
{
    struct held held = { .address = descriptor->addr,
                         .number = number_of(descriptor->addr, descriptor->len),
                         .len = descriptor->len };

    if (*held_mark(held.address))
        fake.strange = "a frame was put that the kernel still has";
    *held_mark(held.address) = true;
    xsk.held[xsk.held_count++] = held;
    fake.left[fake.left_count++ % FAKE_LOG] = held.number;
    xsk.tx.consumer++;
    xsk.unpublished++;
}

static void drop(const struct xdp_desc *descriptor)
{
    fake.dropped_count++;
    complete(descriptor->addr);
    xsk.tx.consumer++;
}

uint32_t fake_held(void)
{
    return xsk.held_count;
}

uint32_t fake_frames(void)
{
    return (uint32_t)(xsk.frames_len / xsk.chunk);
}

uint32_t fake_in_ring(void)
{
    return get_index(&xsk.tx, PRODUCER_AT) - get_index(&xsk.tx, CONSUMER_AT);
}

void fake_complete(uint32_t count)
{
    for (; count > 0 && xsk.held_count > 0; count--) {
        bool anyhow = script.kernel.completing == FAKE_COMPLETES_ANYHOW;
        uint32_t i = anyhow ? below(xsk.held_count) : 0;
        struct held held = xsk.held[i];
        xsk.held_count--;
        memmove(&xsk.held[i], &xsk.held[i + 1], (xsk.held_count - i) * sizeof held);
        if (number_of(held.address, held.len) != held.number)
            fake.strange = "a frame was overwritten that the kernel still had";
        *held_mark(held.address) = false;
        complete(held.address);
    }
}

/* ---- Wake-ups -------------------------------------------------------------------------------- */

/* __xsk_generic_xmit, from its loop on. */
static int transmit(const struct fake_step *step)
{
    const struct xdp_desc *descriptor;
    uint32_t taken = 0;
    int error = 0;

    while (error == 0 && (descriptor = peek()) != NULL) {
        bool is_met = step->error != 0 && taken == step->takes;
        if (taken == xsk.budget || !may_complete_another()) {
            error = EAGAIN;
        } else if (is_met) {
            error = step->error;
            if (error == EBUSY)
                drop(descriptor);
        } else {
            take(descriptor);
            taken++;
        }
    }
    if (error == 0 && xsk.tx.consumer != xsk.tx.producer)
        pass_by();
    if (script.kernel.publishing == FAKE_PUBLISHES_ALWAYS ||
        (script.kernel.publishing == FAKE_PUBLISHES_WHAT_IS_SENT && taken > 0))
        publish();
    if (script.kernel.completing == FAKE_COMPLETES_AT_ONCE)
        fake_complete(UINT32_MAX);
    return error;
}

static bool is_before_the_ring(int error)
{
    return error == ENETDOWN || error == ENXIO || error == FAKE_LOOKS_AWAY;
}

/* Of frames taken that it does not tell about, and a ring that it does not look at any more, no
 * sender can know how many have left: so it looks once more. */
static int wake_up(void)
{
    struct fake_step step = next_step();

    if (xsk.is_zero_copy)
        return step.error;
    if (is_before_the_ring(step.error) && xsk.unpublished == 0) {
        fake.was_told.went_down |= xsk.has_stopped;
        return step.error == FAKE_LOOKS_AWAY ? 0 : step.error;
    }
    if (is_before_the_ring(step.error))
        step.error = 0;
    int error = transmit(&step);
    xsk.has_stopped = fake_in_ring() > 0;
    return error;
}

static void note_told(int error)
{
    struct fake_told *told = &fake.was_told;

    if (error == EAGAIN)
        told->again++;
    else if (error != 0 && told->error == 0)
        told->error = error;
    told->nothing += error == 0;
}

ssize_t __wrap_sendto(int fd, const void *data, size_t len, int flags, const struct sockaddr *to,
                      socklen_t to_len)
{
    if (fd != xsk.fd)
        return __real_sendto(fd, data, len, flags, to, to_len);
    if (fails(FAKE_WAKE))
        return -1;
    if (fake.calls[FAKE_WAKE] > WAKES_MOST)
        fail_msg("the kernel is woken up for ever");
    if (flags != MSG_DONTWAIT || len != 0 || to != NULL)
        fake.strange = "a wake-up that waits, or has data";
    int error = wake_up();
    note_told(error);
    return answer(error);
}

void fake_run_driver(uint32_t count)
{
    for (; count > 0; count--) {
        const struct xdp_desc *descriptor = peek(); /* which may have passed by others */
        if (descriptor != NULL && may_complete_another())
            take(descriptor);
        else if (descriptor == NULL && xsk.tx.consumer != xsk.tx.producer)
            pass_by();
        else
            break;
    }
    publish();
    if (script.kernel.completing == FAKE_COMPLETES_AT_ONCE)
        fake_complete(UINT32_MAX);
}

void fake_want_wake_up(bool wanted)
{
    set_index(&xsk.tx, FLAGS_AT, wanted ? XDP_RING_NEED_WAKEUP : 0);
}

static void move(struct ring *ring, uint32_t by)
{
    ring->producer += by;
    ring->consumer += by;
    set_index(ring, PRODUCER_AT, get_index(ring, PRODUCER_AT) + by);
    set_index(ring, CONSUMER_AT, get_index(ring, CONSUMER_AT) + by);
}

void fake_move_indices(struct ub_xsk *theirs, uint32_t by)
{
    theirs->produced += by;
    move(&xsk.tx, by);
    move(&xsk.completion, by);
}

/* ---- Open and close -------------------------------------------------------------------------- */

int __wrap_socket(int family, int type, int protocol)
{
    if (family != AF_XDP)
        return __real_socket(family, type, protocol);
    if (fails(FAKE_SOCKET))
        return -1;
    if (xsk.fd != CLOSED)
        fake.strange = "a second socket beside the first";
    memset(&xsk, 0, sizeof xsk);
    xsk.fd = open("/dev/null", O_RDWR | O_CLOEXEC); /* so that the number is this one's alone */
    xsk.budget = DEFAULT_BUDGET;
    fake.opened++;
    return xsk.fd;
}

int __wrap_close(int fd)
{
    if (fd == xsk.fd && fd != CLOSED) {
        fake.closed++;
        xsk.fd = CLOSED;
    }
    return __real_close(fd);
}

static int take_frames(const struct xdp_umem_reg *area)
{
    if (fails(FAKE_REGISTER))
        return -1;
    xsk.frames = (unsigned char *)(uintptr_t)area->addr;
    xsk.frames_len = area->len;
    xsk.chunk = area->chunk_size;
    return answer(area->chunk_size == 2048 || area->chunk_size == 4096 ? 0 : EINVAL);
}

static int size_ring(enum fake_call call, uint32_t *size, const void *value)
{
    if (fails(call))
        return -1;
    memcpy(size, value, sizeof *size);
    bool is_power_of_two = *size != 0 && (*size & (*size - 1)) == 0;
    return answer(is_power_of_two && !xsk.is_bound ? 0 : EINVAL);
}

static int set_budget(const void *value)
{
    if (!script.kernel.has_budget)
        return answer(ENOPROTOOPT);
    memcpy(&xsk.budget, value, sizeof xsk.budget);
    return answer(xsk.budget >= DEFAULT_BUDGET && xsk.budget <= xsk.tx.size ? 0 : EACCES);
}

static int set_buffer(int name)
{
    return fails(name == SO_SNDBUF ? FAKE_SNDBUF : FAKE_SNDBUFFORCE) ? -1 : 0;
}

int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
    if (fd != xsk.fd || fd == CLOSED)
        return __real_setsockopt(fd, level, name, value, len);
    if (level == SOL_SOCKET)
        return set_buffer(name);
    switch (name) {
    case XDP_UMEM_REG:
        return take_frames(value);
    case XDP_UMEM_FILL_RING:
        return size_ring(FAKE_FILL_RING, &xsk.fill_size, value);
    case XDP_UMEM_COMPLETION_RING:
        return size_ring(FAKE_COMPLETION_RING, &xsk.completion.size, value);
    case XDP_TX_RING:
        return size_ring(FAKE_TX_RING, &xsk.tx.size, value);
    case BUDGET_OPTION:
        return set_budget(value);
    default:
        return answer(ENOPROTOOPT);
    }
}

static int tell_offsets(struct xdp_mmap_offsets *offsets, socklen_t *len)
{
    const struct xdp_ring_offset ring = {
        .producer = PRODUCER_AT, .consumer = CONSUMER_AT, .desc = ENTRIES_AT, .flags = FLAGS_AT
    };

    if (fails(FAKE_OFFSETS))
        return -1;
    *offsets = (struct xdp_mmap_offsets){ .rx = ring, .tx = ring, .fr = ring, .cr = ring };
    if (script.kernel.lacks_flags)
        *len = 4 * 3 * sizeof(uint64_t);
    return 0;
}

int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
    if (fd != xsk.fd || fd == CLOSED)
        return __real_getsockopt(fd, level, name, value, len);
    if (name == XDP_MMAP_OFFSETS)
        return tell_offsets(value, len);
    if (name != XDP_STATISTICS)
        return answer(ENOPROTOOPT);
    if (fails(FAKE_STATISTICS))
        return -1;
    struct xdp_statistics statistics = { .tx_invalid_descs = xsk.invalid_count };
    memcpy(value, &statistics, *len < sizeof statistics ? *len : sizeof statistics);
    return 0;
}

int __wrap_bind(int fd, const struct sockaddr *addr, socklen_t len)
{
    struct sockaddr_xdp queue;

    if (fd != xsk.fd || fd == CLOSED)
        return __real_bind(fd, addr, len);
    memcpy(&queue, addr, sizeof queue);
    fake.interface_index = queue.sxdp_ifindex;
    fake.queue = queue.sxdp_queue_id;
    if (fails(FAKE_BIND))
        return -1;
    if (queue.sxdp_flags != (XDP_COPY | XDP_USE_NEED_WAKEUP) &&
        queue.sxdp_flags != (XDP_ZEROCOPY | XDP_USE_NEED_WAKEUP))
        fake.strange = "neither mode is asked for";
    if (xsk.fill_size == 0 || xsk.completion.size == 0 || xsk.tx.size == 0 || xsk.chunk == 0)
        fake.strange = "not all is there that bind needs";
    xsk.is_zero_copy = (queue.sxdp_flags & XDP_ZEROCOPY) != 0;
    if (xsk.is_zero_copy && !script.kernel.has_zero_copy)
        return answer(EOPNOTSUPP);
    xsk.is_bound = true;
    return 0;
}

/* ---- Memory ---------------------------------------------------------------------------------- */

static enum fake_call call_of(int fd, off_t offset)
{
    if (fd < 0)
        return FAKE_MAP_FRAMES;
    return (uint64_t)offset == XDP_PGOFF_TX_RING ? FAKE_MAP_TX : FAKE_MAP_COMPLETION;
}

static struct ring *ring_of(enum fake_call call, size_t len)
{
    struct ring *ring = call == FAKE_MAP_TX ? &xsk.tx : &xsk.completion;
    size_t entry = call == FAKE_MAP_TX ? sizeof(struct xdp_desc) : sizeof(uint64_t);
    if (len != ENTRIES_AT + ring->size * entry)
        fake.strange = "a ring is mapped that is shorter or longer than it was made";
    return ring;
}

/* Rings are memory of the process, as are frames. */
void *__wrap_mmap(void *at, size_t len, int protection, int flags, int fd, off_t offset)
{
    enum fake_call call = call_of(fd, offset);

    if (fd >= 0 && fd != xsk.fd)
        return __real_mmap(at, len, protection, flags, fd, offset);
    if (fails(call))
        return MAP_FAILED;
    void *map = __real_mmap(NULL, len, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    maps[fake.maps].at = map;
    maps[fake.maps++].len = len;
    if (call == FAKE_MAP_FRAMES)
        return map;
    ring_of(call, len)->map = map;
    if (call == FAKE_MAP_TX)
        fake_want_wake_up(true);
    return map;
}

/* What glibc calls it where offsets have 64 bits. */
void *__wrap_mmap64(void *at, size_t len, int protection, int flags, int fd, off_t offset)
{
    return __wrap_mmap(at, len, protection, flags, fd, offset);
}

int __wrap_munmap(void *at, size_t len)
{
    for (unsigned i = 0; i < fake.maps; i++)
        if (maps[i].at == at && maps[i].len == len) {
            maps[i] = maps[--fake.maps];
            return __real_munmap(at, len);
        }
    fake.strange = "memory is unmapped that was not mapped so";
    return answer(EINVAL);
}

int __wrap_madvise(void *at, size_t len, int advice)
{
    (void)at;
    (void)len;
    if (advice != MADV_DONTFORK)
        fake.strange = "memory is advised of something else";
    return fails(FAKE_KEEP) ? -1 : 0;
}

int __wrap_nanosleep(const struct timespec *pause, struct timespec *rest)
{
    const long asked_ns = pause->tv_nsec;

    if (pause->tv_sec != 0 || asked_ns <= 0)
        fake.strange = "a pause of a second or more, or of nothing";
    fake.pauses++;
    if (!fails(FAKE_PAUSE)) {
        fake.paused_ns += asked_ns;
        return 0;
    }
    fake.paused_ns += asked_ns / 2;
    if (rest != NULL)
        *rest = (struct timespec){ .tv_nsec = asked_ns - asked_ns / 2 };
    return -1;
}

void *__wrap_malloc(size_t size)
{
    return fails(FAKE_MALLOC) ? NULL : __real_malloc(size);
}
