/* uring.c: io_uring, and which of its ways to send the kernel knows. */
#include "question.h"

#if ON_LINUX

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Of asm/unistd.h and linux/io_uring.h, which older headers do not have. The numbers of the calls
 * are those of all architectures but alpha. */
enum {
    CALL_SETUP = 425,
    CALL_REGISTER = 427,
    REGISTER_PROBE = 8,
    OPERATION_SENDMSG = 9,
    OPERATION_SENDMSG_ZC = 48,
    OPERATION_IS_SUPPORTED = 1,
    OPERATIONS = 256,
};

struct setup {
    uint32_t parameters[30];
};

struct operations {
    uint8_t last, count;
    uint16_t reserved;
    uint32_t reserved_too[3];
    struct {
        uint8_t number, reserved;
        uint16_t flags;
        uint32_t reserved_too;
    } list[OPERATIONS];
};

/* With errno set on failure. */
static int open_ring(void)
{
    struct setup setup = { { 0 } };
    return (int)syscall(CALL_SETUP, 1, &setup);
}

/* kernel.io_uring_disabled, from 6.6 on; 0 if it cannot be read. */
static int read_switch(void)
{
    int value = 0;
    FILE *file = fopen("/proc/sys/kernel/io_uring_disabled", "re");
    if (file == NULL)
        return 0;
    if (fscanf(file, "%d", &value) != 1)
        value = 0;
    fclose(file);
    return value;
}

static void refuse_permission(struct answer *answer)
{
    int value = read_switch();
    if (value == 0) {
        answer_no(answer, "not permitted: a seccomp filter refuses it, as those of containers do");
        return;
    }
    answer_number(answer, "io_uring_disabled", (uint64_t)value);
    answer_no(answer,
              value == 1 ? "kernel.io_uring_disabled is 1: only for CAP_SYS_ADMIN and the group of"
                           " kernel.io_uring_group"
                         : "kernel.io_uring_disabled is %d: for nobody",
              value);
    answer_remedy(answer, "sysctl -w kernel.io_uring_disabled=0");
}

static void refuse(struct answer *answer, int error)
{
    switch (error) {
    case EPERM:
        refuse_permission(answer);
        break;
    case ENOMEM: /* its rings may be held against RLIMIT_MEMLOCK */
        answer_no(answer, "io_uring_setup(2): no memory, or more than may be locked");
        answer_remedy(answer, "ulimit -l unlimited");
        break;
    case EMFILE:
    case ENFILE:
        answer_fail(answer, "io_uring_setup(2)", error);
        break;
    default:
        answer_refused(answer, "io_uring_setup(2)", error);
    }
}

void ask_uring(const struct subject *subject, struct answer *answer)
{
    int ring = open_ring();

    (void)subject;
    if (ring < 0) {
        refuse(answer, errno);
        return;
    }
    close(ring);
    answer_yes(answer, "a ring can be made");
}

/* ---- Operations ------------------------------------------------------------------------------ */

/* Kernels before 5.6 do not tell, and refuse. */
static bool knows(int ring, int operation)
{
    struct operations operations = { 0 };
    return syscall(CALL_REGISTER, ring, REGISTER_PROBE, &operations, OPERATIONS) == 0 &&
           operation <= operations.last &&
           (operations.list[operation].flags & OPERATION_IS_SUPPORTED) != 0;
}

static void ask_operation(int operation, const char *name, struct answer *answer)
{
    int ring = open_ring();

    if (ring < 0) {
        answer_no(answer, "there is no ring, see io_uring");
        return;
    }
    if (knows(ring, operation))
        answer_yes(answer, "the kernel says that it has IORING_OP_%s", name);
    else
        answer_no(answer, "this kernel does not have IORING_OP_%s", name);
    close(ring);
}

void ask_uring_sendmsg(const struct subject *subject, struct answer *answer)
{
    (void)subject;
    ask_operation(OPERATION_SENDMSG, "SENDMSG", answer);
}

void ask_uring_zerocopy(const struct subject *subject, struct answer *answer)
{
    (void)subject;
    ask_operation(OPERATION_SENDMSG_ZC, "SENDMSG_ZC", answer);
}

#endif
