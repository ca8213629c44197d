/* test_xsk.c: the socket of AF_XDP against kernels in memory: what leaves is what is said to have
 * left, whatever they do. */
#include "fake_xsk_kernel.h"

#include "chance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

enum { INTERFACE = 7, QUEUE = 3, ROUNDS = 100000 };

static struct ub_xsk xsk;
static struct ub_xsk_config config;
static uint32_t next_number;
static uint32_t cancelled; /* descriptors that were in the ring at the end of the last submit */
static char scene[200];    /* for those who read of a failure */

static void check_manners(void)
{
    if (fake.strange != NULL)
        fail_msg("%s (%s)", fake.strange, scene);
}

static int open_on(const struct fake_kernel *kernel, enum udpbatch_xdp_mode mode,
                   uint32_t frame_size)
{
    fake_begin(kernel);
    config = (struct ub_xsk_config){
        .interface_index = INTERFACE, .queue = QUEUE, .mode = mode, .frame_size = frame_size
    };
    return ub_xsk_open(&xsk, &config);
}

/* What is left behind by a socket that is closed, or was not opened: nothing. */
static void check_nothing_stays(void)
{
    assert_int_equal(fake.opened, fake.closed);
    assert_int_equal(fake.maps, 0);
    check_manners();
}

static void close_it(void)
{
    ub_xsk_close(&xsk);
    check_nothing_stays();
}

/* ---- Kernels --------------------------------------------------------------------------------- */

enum { KERNELS = 3 * 3 * 2 * 2 * 2 };

static struct fake_kernel kernel_number(unsigned i)
{
    return (struct fake_kernel){ .publishing = (enum fake_publishing)(i % 3),
                                 .completing = (enum fake_completing)(i / 3 % 3),
                                 .passes_one = i / 9 % 2 != 0,
                                 .completes_invalid = i / 18 % 2 != 0,
                                 .has_budget = i / 36 % 2 != 0 };
}

/* With indices that are about to wrap, and nothing in the rings. */
static void begin_counting(void)
{
    assert_int_equal(ub_xsk_outstanding(&xsk), 0);
    fake_move_indices(&xsk, UINT32_MAX - xsk.produced - 10);
    fake_forget();
    cancelled = 0;
}

static void open_on_number(unsigned i)
{
    const struct fake_kernel kernel = kernel_number(i);

    assert_int_equal(open_on(&kernel, UDPBATCH_XDP_COPY, i % 2 != 0 ? 2048 : 4096), 0);
    begin_counting();
}

/* ---- One submit ------------------------------------------------------------------------------ */

/* The device has all frames, or they are in the ring without a purpose. */
static void check_that_it_is_full(uint32_t put)
{
    if (cancelled == 0 && fake_held() + fake_in_ring() + put < fake_frames())
        fail_msg("no frame for number %u: the kernel has %u (%s)", put, fake_held(), scene);
}

/* Numbers go on from next_number. Returns how many there was room for. */
static uint32_t put_frames(uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t len = 8 + below(config.frame_size - 7);
        unsigned char *frame = ub_xsk_frame(&xsk);
        if (frame == NULL) {
            check_that_it_is_full(i);
            return i;
        }
        if (fake_holds(frame))
            fail_msg("a frame is given out that the kernel still has (%s)", scene);
        fake_write_frame(frame, next_number + i, len);
        ub_xsk_put(&xsk, len);
    }
    return n;
}

/* Exactly the first of those that were put, in order, have left since fake_forget. */
static void check_left(uint32_t first, uint32_t count)
{
    if (fake.left_count != count)
        fail_msg("%u frames have left and not %u (%s)", fake.left_count, count, scene);
    for (uint32_t i = 0; i < count; i++)
        if (fake.left[i] != first + i)
            fail_msg("frame %u has left in place of %u (%s)", fake.left[i], first + i, scene);
    check_manners();
}

/* A kernel that goes down in the middle tells no more how far it came: more may count as taken than
 * have left, as what a device has that goes down is lost as well. */
static void check_taken(uint32_t first, uint32_t put, uint32_t taken)
{
    bool is_exact = !fake.was_told.went_down;

    if (taken > put || taken < fake.left_count)
        fail_msg("%u taken of %u, %u have left (%s)", taken, put, fake.left_count, scene);
    check_left(first, is_exact ? taken : fake.left_count);
}

/* The error is one that the kernel gave, and the one about a frame that was dropped before any. If
 * it does not get past what was in the ring before, it is down. */
static void check_error(int error, uint32_t put, uint32_t taken, uint32_t in_ring)
{
    const struct fake_told *told = &fake.was_told;
    bool was_told = error == told->error || (error == EAGAIN && told->again > 1) ||
                    (error == EIO && told->nothing > 0) ||
                    (error == ENETDOWN && in_ring > 0 && taken == 0);

    if ((error == 0 && taken < put) || (error != 0 && !was_told) ||
        (error != 0 && taken == put && !told->went_down) ||
        (error == EBUSY) != (fake.dropped_count > 0))
        fail_msg("error %d where %u of %u were taken (%s)", error, taken, put, scene);
}

/* Each frame is on its way, or anybody's. While there are descriptors in the ring without a
 * purpose, more may be counted. */
static void check_outstanding(void)
{
    uint32_t outstanding = ub_xsk_outstanding(&xsk), held = fake_held();
    if (outstanding < held || (outstanding > held && cancelled == 0))
        fail_msg("%u are outstanding, the kernel has %u (%s)", outstanding, held, scene);
}

/* Returns how many were taken. */
static uint32_t submit(uint32_t n, int *error)
{
    uint64_t system_calls = 0;
    uint32_t in_ring = cancelled, first = next_number, put = put_frames(n);

    next_number += put;
    fake_forget();
    size_t taken = ub_xsk_submit(&xsk, error, &system_calls);
    cancelled = fake_in_ring();
    check_taken(first, put, (uint32_t)taken);
    if (put > 0)
        check_error(*error, put, (uint32_t)taken, in_ring);
    check_outstanding();
    if (fake.calls[FAKE_WAKE] > 2 * (put + in_ring) + 16 || system_calls > fake.calls[FAKE_WAKE])
        fail_msg("%u wake-ups for %u frames and %u others, %u told of (%s)", fake.calls[FAKE_WAKE],
                 put, in_ring, (unsigned)system_calls, scene);
    return (uint32_t)taken;
}

/* With a kernel that has no objections any more all frames leave, as soon as it has passed by what
 * is in the ring. */
static void submit_all(uint32_t n)
{
    int error;

    fake_play(NULL, 0, false);
    if (cancelled > 0 && ub_xsk_frame(&xsk) == NULL)
        submit(0, &error);
    if (submit(n, &error) != n)
        fail_msg("of %u frames not all have left, for error %d (%s)", n, error, scene);
}

/* What was cancelled does not leave later, and no frame is lost. */
static void check_all_frames_are_there(void)
{
    fake_complete(UINT32_MAX);
    submit_all(1);
    fake_forget();
    assert_int_equal(ub_xsk_wake(&xsk), 0);
    check_left(0, 0);
    fake_complete(UINT32_MAX);
    assert_int_equal(ub_xsk_outstanding(&xsk), 0);
    submit_all(fake_frames());
    fake_complete(UINT32_MAX);
    assert_int_equal(ub_xsk_outstanding(&xsk), 0);
    check_manners();
}

/* ---- Scripts --------------------------------------------------------------------------------- */

static const int errors[] = { 0, EAGAIN, EBUSY, ENOMEM, ENOBUFS, ENETDOWN, ENXIO, FAKE_LOOKS_AWAY };

enum { ERRORS = COUNT_OF(errors), FEW = 4 };

static void set_scene(unsigned kernel, uint32_t n, const struct fake_step *steps, size_t count,
                      bool for_good)
{
    int at = snprintf(scene, sizeof scene, "kernel %u, %u frames:", kernel, n);
    for (size_t i = 0; i < count && (size_t)at < sizeof scene; i++)
        at += snprintf(scene + at, sizeof scene - (size_t)at, " %u then %d,", steps[i].takes,
                       steps[i].error);
    if (for_good && (size_t)at < sizeof scene)
        snprintf(scene + at, sizeof scene - (size_t)at, " for good");
}

/* Returns how many were taken. */
static uint32_t play(unsigned kernel, uint32_t n, const struct fake_step *steps, size_t count,
                     bool for_good)
{
    int error;

    set_scene(kernel, n, steps, count, for_good);
    fake_play(steps, count, for_good);
    uint32_t taken = submit(n, &error);
    submit_all(1);
    fake_complete(UINT32_MAX);
    return taken;
}

static struct fake_step step_number(unsigned i)
{
    return (struct fake_step){ .takes = i / ERRORS, .error = errors[i % ERRORS] };
}

static void all_scripts_of_two_steps_are_told_exactly(void **state)
{
    (void)state;
    for (unsigned kernel = 0; kernel < KERNELS; kernel++) {
        open_on_number(kernel);
        for (unsigned script = 0; script < ERRORS * FEW * ERRORS * FEW; script++) {
            const struct fake_step steps[] = { step_number(script / (ERRORS * FEW)),
                                               step_number(script % (ERRORS * FEW)) };
            for (uint32_t n = 0; n <= FEW; n++) {
                play(kernel, n, steps, 2, false);
                play(kernel, n, steps, 2, true);
            }
        }
        check_all_frames_are_there();
        close_it();
    }
}

/* More than the kernel takes per wake-up, in some and in others. */
static void scripts_at_the_edge_of_a_wake_up_are_told_exactly(void **state)
{
    static const uint32_t counts[] = { 31, 32, 33, 63, 64, 65, 100 };
    static const unsigned takes[] = { 0, 1, 30, 31, 32, 33, 63, 64 };
    (void)state;
    for (unsigned kernel = 0; kernel < KERNELS; kernel++) {
        open_on_number(kernel);
        for (unsigned i = 0; i < COUNT_OF(counts) * COUNT_OF(takes) * ERRORS * 3; i++) {
            struct fake_step steps[3] = { { 0 } };
            unsigned at = i % 3, error = i / 3 % ERRORS;
            steps[at].error = errors[error];
            steps[at].takes = takes[i / (3 * ERRORS) % COUNT_OF(takes)];
            uint32_t n = counts[i / (3 * ERRORS * COUNT_OF(takes))];
            play(kernel, n, steps, at + 1, false);
            play(kernel, n, steps, at + 1, true);
        }
        check_all_frames_are_there();
        close_it();
    }
}

static void a_kernel_that_is_busy_for_a_while_gets_all_frames(void **state)
{
    (void)state;
    for (unsigned kernel = 0; kernel < KERNELS; kernel++) {
        open_on_number(kernel);
        for (unsigned takes = 0; takes < FEW; takes++)
            for (unsigned times = 1; times < 4; times++) {
                struct fake_step steps[3] = { { takes, EAGAIN }, { 0, EAGAIN }, { 0, EAGAIN } };
                assert_int_equal(play(kernel, FEW, steps, times, false), FEW);
            }
        close_it();
    }
}

static void an_error_comes_with_all_that_left_before_it(void **state)
{
    (void)state;
    for (unsigned kernel = 0; kernel < KERNELS; kernel++) {
        open_on_number(kernel);
        for (unsigned i = 1; i < ERRORS; i++)
            for (unsigned takes = 0; takes < FEW; takes++) {
                const struct fake_step steps[] = { { takes, errors[i] } };
                int error, expected = errors[i] == FAKE_LOOKS_AWAY ? EIO : errors[i];
                bool is_before = expected == ENETDOWN || expected == ENXIO || expected == EIO;

                set_scene(kernel, FEW, steps, 1, true);
                fake_play(steps, 1, true);
                uint32_t taken = submit(FEW, &error);
                assert_int_equal(error, expected == EAGAIN && takes > 0 ? error : expected);
                if (is_before)
                    assert_int_equal(taken, 0);
                else if (expected != EAGAIN)
                    assert_int_equal(taken, takes);
                submit_all(FEW);
                fake_complete(UINT32_MAX);
            }
        close_it();
    }
}

/* A device that was down and is up again still has to pass by what it did not take. */
static void what_was_cancelled_is_not_waited_for(void **state)
{
    const struct fake_step down = { .error = ENETDOWN };
    int error;

    (void)state;
    for (unsigned kernel = 0; kernel < KERNELS; kernel++) {
        open_on_number(kernel);
        set_scene(kernel, 20, &down, 1, true);
        fake_play(&down, 1, true);
        assert_int_equal(submit(20, &error), 0);
        fake_play(NULL, 0, false);
        for (unsigned i = 0; i < 30 && ub_xsk_outstanding(&xsk) > 0; i++)
            ub_xsk_wake(&xsk);
        assert_int_equal(ub_xsk_outstanding(&xsk), 0);
        check_left(0, 0);
        close_it();
    }
}

/* ---- Filters of system calls that came later ------------------------------------------------- */

enum { FOR_GOOD = 1 << 30 };

static void refuse(enum fake_call call, int error)
{
    fake.errors[call] = error;
    fake.times[call] = FOR_GOOD;
}

/* Returns how many were taken of a few. */
static uint32_t offer_few(int *error)
{
    uint64_t system_calls = 0;

    next_number += put_frames(FEW);
    return (uint32_t)ub_xsk_submit(&xsk, error, &system_calls);
}

/* On a kernel that meets this, and does not tell what it passed by. */
static uint32_t offer_untold(unsigned kernel, const struct fake_step *step)
{
    int error;

    open_on_number(kernel);
    set_scene(kernel, FEW, step, 1, true);
    refuse(FAKE_STATISTICS, EPERM);
    fake_play(step, 1, true);
    uint32_t taken = offer_few(&error);
    assert_true(error != 0 || taken == FEW);
    fake_play(NULL, 0, false);
    return taken;
}

/* As a flush does. */
static void wake_up_some_times(void)
{
    for (unsigned i = 0; i < 3 * FEW; i++) {
        ub_xsk_wake(&xsk);
        fake_complete(UINT32_MAX);
    }
}

/* What the kernel did not tell of leaves by the next call, whatever that sends, and so in order. */
static void what_cannot_be_told_leaves_before_what_comes_later(void **state)
{
    static const int looked[] = { EAGAIN, ENOMEM, ENOBUFS };
    uint64_t system_calls = 0;

    (void)state;
    for (unsigned i = 0; i < KERNELS * COUNT_OF(looked) * FEW; i++) {
        const struct fake_step step = { .takes = i % FEW, .error = looked[i / FEW % 3] };
        uint32_t first = next_number;

        assert_int_equal(offer_untold(i / FEW / 3, &step), FEW);
        ub_xsk_catch_up(&xsk, &system_calls);
        check_left(first, FEW);
        ub_xsk_catch_up(&xsk, &system_calls); /* of nothing */
        check_left(first, FEW);
        fake_complete(UINT32_MAX);
        close_it();
    }
}

/* Whose last wake-up fails before the kernel looks. */
static void what_cannot_be_told_is_not_taken_back_by_a_later_failure(void **state)
{
    static const struct fake_step looked = { .error = ENOBUFS }, away = { .error = ENETDOWN };
    int error;

    (void)state;
    for (unsigned kernel = 0; kernel < KERNELS; kernel++) {
        uint32_t first = next_number;

        assert_int_equal(offer_untold(kernel, &looked), FEW);
        fake_play(&away, 1, true);
        assert_int_equal(offer_few(&error), 0);
        assert_int_equal(error, ENETDOWN);
        fake_play(NULL, 0, false);
        wake_up_some_times();
        check_left(first, FEW);
        close_it();
    }
}

static void what_cannot_be_told_is_sent_and_leaves(void **state)
{
    static const int looked[] = { EAGAIN, EBUSY, ENOMEM, ENOBUFS };

    (void)state;
    for (unsigned i = 0; i < KERNELS * COUNT_OF(looked) * FEW; i++) {
        const struct fake_step step = { .takes = i % FEW, .error = looked[i / FEW % 4] };
        uint32_t first = next_number;

        assert_int_equal(offer_untold(i / FEW / 4, &step), FEW);
        wake_up_some_times();
        if (step.error != EBUSY)
            check_left(first, FEW);
        assert_int_equal(fake.left_count + fake.dropped_count, FEW);
        assert_false(ub_xsk_is_stuck(&xsk, 0));
        assert_int_equal(ub_xsk_outstanding(&xsk), 0);
        submit_all(1);
        close_it();
    }
}

static void what_certainly_has_not_left_never_does(void **state)
{
    static const int unseen[] = { ENETDOWN, ENXIO, FAKE_LOOKS_AWAY };
    int error;

    (void)state;
    for (unsigned i = 0; i < KERNELS * COUNT_OF(unseen); i++) {
        const struct fake_step step = { .error = unseen[i % 3] };

        assert_int_equal(offer_untold(i / 3, &step), 0);
        wake_up_some_times();
        assert_int_equal(offer_few(&error), 0); /* whose the frames are is not known */
        assert_int_equal(error, ENETDOWN);
        wake_up_some_times();
        check_left(0, 0);
        assert_true(ub_xsk_outstanding(&xsk) > 0);
        assert_true(ub_xsk_is_stuck(&xsk, 0));
        close_it();
    }
}

static void wake_ups_that_are_refused_are_the_end_of_what_is_in_the_ring(void **state)
{
    int error;

    (void)state;
    open_on_number(0);
    submit_all(FEW);
    refuse(FAKE_WAKE, EPERM);
    assert_false(ub_xsk_is_stuck(&xsk, EPERM)); /* the device has them */
    assert_true(ub_xsk_is_stuck(&xsk, ENETDOWN));
    assert_true(ub_xsk_is_stuck(&xsk, ENXIO));
    assert_true(ub_xsk_is_stuck(&xsk, EBADF));
    assert_int_equal(offer_few(&error), 0);
    assert_int_equal(error, EPERM);
    assert_true(ub_xsk_is_stuck(&xsk, EPERM));
    assert_false(ub_xsk_is_stuck(&xsk, EAGAIN));
    assert_false(ub_xsk_is_stuck(&xsk, EINTR));
    close_it();
}

/* ---- Chance ---------------------------------------------------------------------------------- */

static uint32_t some_count(void)
{
    if (one_in(200))
        return FAKE_FRAMES;
    return one_in(10) ? below(200) : below(12);
}

static struct fake_step some_step(uint32_t n)
{
    struct fake_step step = { .takes = one_in(2) ? below(3) : below(n + 1) };
    step.error = one_in(2) ? EAGAIN : errors[below(ERRORS)];
    return step;
}

static void play_anything(unsigned kernel)
{
    struct fake_step steps[8];
    uint32_t n = some_count();
    size_t count = one_in(4) ? 0 : 1 + below(COUNT_OF(steps));
    bool for_good = one_in(6) && count > 0;
    int error;

    for (size_t i = 0; i < count; i++)
        steps[i] = some_step(n);
    set_scene(kernel, n, steps, count, for_good);
    fake_play(steps, count, for_good);
    submit(n, &error);
    if (!one_in(3))
        fake_complete(one_in(3) ? UINT32_MAX : below(n + 2));
    if (one_in(50)) {
        fake_forget();
        ub_xsk_wake(&xsk);
        check_left(0, 0);
    }
}

static void random_scripts_are_told_exactly(void **state)
{
    (void)state;
    for (unsigned round = 0; round < ROUNDS;) {
        unsigned kernel = below(KERNELS);
        open_on_number(kernel);
        for (unsigned end = round + 1 + below(2000); round < end; round++)
            play_anything(kernel);
        check_all_frames_are_there();
        close_it();
    }
}

static void none_is_lost_over_many_calls(void **state)
{
    (void)state;
    for (unsigned kernel = 0; kernel < KERNELS; kernel++) {
        open_on_number(kernel);
        snprintf(scene, sizeof scene, "kernel %u", kernel);
        for (unsigned call = 0; call < 10000; call++) {
            submit_all(1 + call % 5);
            fake_complete(call % 3 == 0 ? UINT32_MAX : 1);
        }
        check_all_frames_are_there();
        close_it();
    }
}

/* ---- Without a copy -------------------------------------------------------------------------- */

static void open_without_copy(enum fake_completing completing)
{
    const struct fake_kernel kernel = { .has_zero_copy = true, .completing = completing };

    assert_int_equal(open_on(&kernel, UDPBATCH_XDP_ZERO_COPY, 2048), 0);
    assert_true(xsk.zero_copy);
    fake_run_driver(UINT32_MAX);
    begin_counting();
    snprintf(scene, sizeof scene, "without a copy");
}

static uint32_t put_and_submit(uint32_t n, int *error, uint64_t *system_calls)
{
    uint32_t put = put_frames(n);
    next_number += put;
    assert_int_equal(ub_xsk_submit(&xsk, error, system_calls), put);
    return put;
}

static void frames_that_are_not_copied_are_all_taken_at_once(void **state)
{
    uint64_t system_calls = 0;
    uint32_t first = next_number;
    int error;

    (void)state;
    open_without_copy(FAKE_COMPLETES_LATE);
    assert_int_equal(put_and_submit(5, &error, &system_calls), 5);
    assert_int_equal(error, 0);
    check_left(0, 0);
    assert_int_equal(ub_xsk_outstanding(&xsk), 5);
    fake_run_driver(2);
    check_left(first, 2);
    assert_int_equal(ub_xsk_outstanding(&xsk), 5);
    fake_run_driver(UINT32_MAX);
    check_left(first, 5);
    fake_complete(4);
    assert_int_equal(ub_xsk_outstanding(&xsk), 1);
    fake_complete(1);
    assert_int_equal(ub_xsk_outstanding(&xsk), 0);
    close_it();
}

static void a_driver_is_woken_up_only_if_it_asks_for_it(void **state)
{
    uint64_t system_calls = 0;
    int error;

    (void)state;
    open_without_copy(FAKE_COMPLETES_AT_ONCE);
    put_and_submit(1, &error, &system_calls);
    assert_int_equal(system_calls, 1);
    assert_int_equal(fake.calls[FAKE_WAKE], 1);
    fake_want_wake_up(false);
    put_and_submit(1, &error, &system_calls);
    assert_int_equal(system_calls, 1);
    assert_int_equal(fake.calls[FAKE_WAKE], 1);
    close_it();
}

static void the_error_of_a_driver_takes_nothing_back(void **state)
{
    static const int wakes[] = { ENETDOWN, ENXIO, EAGAIN, EBUSY, ENOBUFS, EINVAL };
    uint64_t system_calls = 0;
    int error;

    (void)state;
    open_without_copy(FAKE_COMPLETES_AT_ONCE);
    for (size_t i = 0; i < COUNT_OF(wakes); i++) {
        const struct fake_step step = { .error = wakes[i] };
        uint32_t first = next_number;
        fake_play(&step, 1, true);
        put_and_submit(3, &error, &system_calls);
        assert_int_equal(error, wakes[i]);
        assert_int_equal(ub_xsk_wake(&xsk), -wakes[i]);
        assert_int_equal(ub_xsk_outstanding(&xsk), 3);
        fake_forget();
        fake_run_driver(UINT32_MAX);
        check_left(first, 3);
        assert_int_equal(ub_xsk_outstanding(&xsk), 0);
    }
    close_it();
}

static void a_driver_that_takes_nothing_leaves_no_frames(void **state)
{
    uint64_t system_calls = 0;
    int error;

    (void)state;
    open_without_copy(FAKE_COMPLETES_LATE);
    assert_int_equal(put_and_submit(FAKE_FRAMES, &error, &system_calls), fake_frames());
    assert_null(ub_xsk_frame(&xsk));
    fake_run_driver(UINT32_MAX);
    assert_null(ub_xsk_frame(&xsk));
    fake_complete(1);
    assert_non_null(ub_xsk_frame(&xsk));
    close_it();
}

static void drivers_take_all_frames_once_and_in_order(void **state)
{
    uint64_t system_calls = 0;
    int error;

    (void)state;
    for (enum fake_completing completing = 0; completing <= FAKE_COMPLETES_ANYHOW; completing++) {
        open_without_copy(completing);
        uint32_t first = next_number;
        for (unsigned round = 0; round < ROUNDS / 5; round++) {
            put_and_submit(some_count(), &error, &system_calls);
            fake_run_driver(one_in(3) ? UINT32_MAX : below(20));
            fake_complete(one_in(3) ? UINT32_MAX : below(20));
            check_left(first, fake.left_count);
            first += fake.left_count;
            fake_forget();
        }
        fake_run_driver(UINT32_MAX);
        check_left(first, next_number - first);
        fake_complete(UINT32_MAX);
        assert_int_equal(ub_xsk_outstanding(&xsk), 0);
        close_it();
    }
}

/* ---- Open ------------------------------------------------------------------------------------ */

static const struct fake_kernel new_kernel = { .publishing = FAKE_PUBLISHES_ALWAYS,
                                               .passes_one = true,
                                               .completes_invalid = true,
                                               .has_budget = true };

static int open_where(const struct fake_kernel *kernel, enum udpbatch_xdp_mode mode,
                      enum fake_call call, int error, unsigned times)
{
    fake_begin(kernel);
    fake.errors[call] = error;
    fake.times[call] = times;
    config.mode = mode;
    return ub_xsk_open(&xsk, &config);
}

static void all_kernels_and_both_sizes_of_frames_are_opened(void **state)
{
    (void)state;
    for (unsigned i = 0; i < KERNELS; i++)
        for (uint32_t size = 2048; size <= 4096; size *= 2) {
            const struct fake_kernel kernel = kernel_number(i);
            snprintf(scene, sizeof scene, "kernel %u", i);
            assert_int_equal(open_on(&kernel, UDPBATCH_XDP_COPY, size), 0);
            assert_int_equal(fake.interface_index, INTERFACE);
            assert_int_equal(fake.queue, QUEUE);
            assert_int_equal(fake.opened, 1);
            assert_int_equal(fake.maps, 3);
            assert_false(xsk.zero_copy);
            submit_all(fake_frames());
            close_it();
        }
}

static void each_call_that_fails_on_opening_is_told_and_leaves_nothing(void **state)
{
    static const struct {
        enum fake_call call;
        int error, told;
        bool may_pass; /* so it is tried again */
    } failures[] = {
        { FAKE_SOCKET, EPERM, EPERM, false },       { FAKE_SOCKET, EAFNOSUPPORT, ENOSYS, false },
        { FAKE_SOCKET, EMFILE, EMFILE, false },     { FAKE_SOCKET, ENOMEM, ENOMEM, false },
        { FAKE_MAP_FRAMES, ENOMEM, ENOMEM, false }, { FAKE_MALLOC, ENOMEM, ENOMEM, false },
        { FAKE_REGISTER, ENOBUFS, ENOBUFS, true },  { FAKE_REGISTER, ENOMEM, ENOMEM, false },
        { FAKE_FILL_RING, ENOMEM, ENOMEM, false },  { FAKE_COMPLETION_RING, ENOMEM, ENOMEM, false },
        { FAKE_TX_RING, ENOMEM, ENOMEM, false },    { FAKE_OFFSETS, EINVAL, EINVAL, false },
        { FAKE_MAP_TX, ENOMEM, ENOMEM, false },     { FAKE_MAP_COMPLETION, ENOMEM, ENOMEM, false },
        { FAKE_BIND, ENODEV, ENODEV, false },       { FAKE_BIND, EINVAL, ECHRNG, false },
        { FAKE_BIND, EBUSY, EBUSY, true },          { FAKE_BIND, EPERM, EPERM, false },
        { FAKE_BIND, ENETDOWN, ENETDOWN, false },   { FAKE_BIND, EOPNOTSUPP, EOPNOTSUPP, false },
        { FAKE_WAKE, ENETDOWN, ENETDOWN, false },   { FAKE_KEEP, EPERM, EPERM, false },
    };
    (void)state;
    config.frame_size = 2048;
    for (size_t i = 0; i < COUNT_OF(failures); i++) {
        snprintf(scene, sizeof scene, "call %d fails with %d", failures[i].call, failures[i].error);
        for (enum udpbatch_xdp_mode mode = UDPBATCH_XDP_AUTO; mode <= UDPBATCH_XDP_COPY; mode++) {
            int error =
                open_where(&new_kernel, mode, failures[i].call, failures[i].error, FOR_GOOD);
            if (error != -failures[i].told)
                fail_msg("told %d (%s)", error, scene);
            assert_int_equal(fake.pauses > 0, failures[i].may_pass);
            check_nothing_stays();
        }
    }
}

/* What a socket had that was just closed is given back a little later. */
static void what_is_given_back_in_a_while_is_waited_for(void **state)
{
    static const struct {
        enum fake_call call;
        int error;
    } failures[] = { { FAKE_BIND, EBUSY }, { FAKE_REGISTER, ENOBUFS } };
    (void)state;
    config.frame_size = 2048;
    for (size_t i = 0; i < COUNT_OF(failures); i++) {
        enum fake_call call = failures[i].call;
        assert_int_equal(open_where(&new_kernel, UDPBATCH_XDP_COPY, call, failures[i].error, 3), 0);
        assert_int_equal(fake.pauses, 3);
        close_it();
        assert_int_equal(
            open_where(&new_kernel, UDPBATCH_XDP_COPY, call, failures[i].error, FOR_GOOD),
            -failures[i].error);
        assert_true(fake.pauses >= 10 && fake.pauses <= 100);
        check_nothing_stays();
    }
}

static void signals_do_not_shorten_that_wait(void **state)
{
    long undisturbed_ns;

    (void)state;
    config.frame_size = 2048;
    open_where(&new_kernel, UDPBATCH_XDP_COPY, FAKE_BIND, EBUSY, FOR_GOOD);
    undisturbed_ns = fake.paused_ns;
    fake_begin(&new_kernel);
    fake.errors[FAKE_PAUSE] = EINTR;
    fake.times[FAKE_PAUSE] = 500;
    fake.errors[FAKE_BIND] = EBUSY;
    fake.times[FAKE_BIND] = FOR_GOOD;
    assert_int_equal(ub_xsk_open(&xsk, &config), -EBUSY);
    assert_int_equal(fake.times[FAKE_PAUSE], 0);
    assert_int_equal(fake.paused_ns, undisturbed_ns);
    check_nothing_stays();
}

static void a_device_that_has_no_such_queue_to_send_by_is_refused(void **state)
{
    const struct fake_kernel kernel = { .lacks_queue = true };

    (void)state;
    assert_int_equal(open_on(&kernel, UDPBATCH_XDP_COPY, 2048), -ECHRNG);
    check_nothing_stays();
}

static void a_kernel_without_wake_up_flags_is_refused(void **state)
{
    const struct fake_kernel kernel = { .lacks_flags = true };

    (void)state;
    assert_int_equal(open_on(&kernel, UDPBATCH_XDP_COPY, 2048), -ENOSYS);
    check_nothing_stays();
}

static void a_small_buffer_of_the_socket_is_no_reason_to_refuse(void **state)
{
    (void)state;
    config.frame_size = 2048;
    assert_int_equal(open_where(&new_kernel, UDPBATCH_XDP_COPY, FAKE_SNDBUFFORCE, EPERM, 1), 0);
    assert_int_equal(fake.calls[FAKE_SNDBUF], 1);
    close_it();
}

static void a_driver_that_needs_copies_refuses_to_do_without(void **state)
{
    (void)state;
    assert_int_equal(open_on(&new_kernel, UDPBATCH_XDP_ZERO_COPY, 2048), -EOPNOTSUPP);
    check_nothing_stays();
}

static void copies_are_made_unless_that_is_forbidden(void **state)
{
    const struct fake_kernel kernel = { .has_zero_copy = true };

    (void)state;
    for (enum udpbatch_xdp_mode mode = UDPBATCH_XDP_AUTO; mode <= UDPBATCH_XDP_ZERO_COPY; mode++) {
        assert_int_equal(open_on(&kernel, mode, 2048), 0);
        assert_int_equal(xsk.zero_copy, mode == UDPBATCH_XDP_ZERO_COPY);
        assert_int_equal(fake.opened, 1);
        close_it();
    }
}

/* Drivers that let bind succeed without a copy, and then refuse to send so. */
static void a_driver_that_refuses_to_be_woken_up_refuses_the_mode(void **state)
{
    const struct fake_kernel kernel = { .has_zero_copy = true };
    static const struct {
        int error, told;
    } refusals[] = { { ENXIO, EOPNOTSUPP }, { EINVAL, EOPNOTSUPP }, { ENETDOWN, ENETDOWN } };

    (void)state;
    config.frame_size = 2048;
    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        int error = refusals[i].error;
        assert_int_equal(open_where(&kernel, UDPBATCH_XDP_ZERO_COPY, FAKE_WAKE, error, 1),
                         -refusals[i].told);
        check_nothing_stays();
    }
}

static void a_driver_that_is_busy_when_it_is_tried_out_is_taken(void **state)
{
    const struct fake_kernel kernel = { .has_zero_copy = true };
    static const int busy[] = { EAGAIN, EBUSY };

    (void)state;
    config.frame_size = 2048;
    for (size_t i = 0; i < COUNT_OF(busy); i++) {
        assert_int_equal(open_where(&kernel, UDPBATCH_XDP_ZERO_COPY, FAKE_WAKE, busy[i], 1), 0);
        assert_true(xsk.zero_copy);
        close_it();
    }
}

static void what_was_never_opened_can_be_closed(void **state)
{
    (void)state;
    fake_begin(&new_kernel);
    xsk = (struct ub_xsk){ .fd = -1 };
    close_it();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_kernels_and_both_sizes_of_frames_are_opened),
        cmocka_unit_test(each_call_that_fails_on_opening_is_told_and_leaves_nothing),
        cmocka_unit_test(what_is_given_back_in_a_while_is_waited_for),
        cmocka_unit_test(signals_do_not_shorten_that_wait),
        cmocka_unit_test(a_device_that_has_no_such_queue_to_send_by_is_refused),
        cmocka_unit_test(a_kernel_without_wake_up_flags_is_refused),
        cmocka_unit_test(a_small_buffer_of_the_socket_is_no_reason_to_refuse),
        cmocka_unit_test(a_driver_that_needs_copies_refuses_to_do_without),
        cmocka_unit_test(copies_are_made_unless_that_is_forbidden),
        cmocka_unit_test(a_driver_that_refuses_to_be_woken_up_refuses_the_mode),
        cmocka_unit_test(a_driver_that_is_busy_when_it_is_tried_out_is_taken),
        cmocka_unit_test(what_was_never_opened_can_be_closed),
        cmocka_unit_test(an_error_comes_with_all_that_left_before_it),
        cmocka_unit_test(a_kernel_that_is_busy_for_a_while_gets_all_frames),
        cmocka_unit_test(all_scripts_of_two_steps_are_told_exactly),
        cmocka_unit_test(scripts_at_the_edge_of_a_wake_up_are_told_exactly),
        cmocka_unit_test(what_was_cancelled_is_not_waited_for),
        cmocka_unit_test(what_cannot_be_told_is_sent_and_leaves),
        cmocka_unit_test(what_cannot_be_told_leaves_before_what_comes_later),
        cmocka_unit_test(what_cannot_be_told_is_not_taken_back_by_a_later_failure),
        cmocka_unit_test(what_certainly_has_not_left_never_does),
        cmocka_unit_test(wake_ups_that_are_refused_are_the_end_of_what_is_in_the_ring),
        cmocka_unit_test(random_scripts_are_told_exactly),
        cmocka_unit_test(none_is_lost_over_many_calls),
        cmocka_unit_test(frames_that_are_not_copied_are_all_taken_at_once),
        cmocka_unit_test(a_driver_is_woken_up_only_if_it_asks_for_it),
        cmocka_unit_test(the_error_of_a_driver_takes_nothing_back),
        cmocka_unit_test(a_driver_that_takes_nothing_leaves_no_frames),
        cmocka_unit_test(drivers_take_all_frames_once_and_in_order),
    };
    chance_begin();
    return cmocka_run_group_tests_name("xsk", tests, NULL, NULL) == 0 ? 0 : 1;
}
