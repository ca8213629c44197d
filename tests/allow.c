/* allow.c: runs a command whose kernel knows few system calls, as a container's seccomp profile has
 * it.
 *
 *     allow errno|kill NUMBER ... -- [COMMAND [ARGUMENT ...]]
 *
 * Any other call fails by EPERM, or ends the process by SIGSYS. Where a filter of system calls
 * cannot be had (seccomp(2)) it ends with 77 and says why; whether it can is asked without a
 * command. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { EXIT_USAGE = 2, EXIT_SKIP = 77, CALLS = 256, STEPS_OF_CALL = 2 };

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__i386__)
#define ARCHITECTURE AUDIT_ARCH_I386
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#elif defined(__s390x__)
#define ARCHITECTURE AUDIT_ARCH_S390X
#else
#define ARCHITECTURE 0 /* refused below */
#endif

static bool read_number(const char *text, uint32_t *number)
{
    char *end;
    const unsigned long value = strtoul(text, &end, 10);

    *number = (uint32_t)value;
    return end != text && *end == '\0' && value < UINT32_MAX;
}

static struct sock_filter load(uint32_t offset)
{
    return (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset);
}

/* The next step if it is, else the one behind that. */
static struct sock_filter equal(uint32_t value)
{
    return (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
}

static struct sock_filter answer(uint32_t what)
{
    return (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, what);
}

static bool allow(const uint32_t *calls, size_t count, uint32_t otherwise)
{
    struct sock_filter steps[CALLS * STEPS_OF_CALL + 5];
    struct sock_fprog program = { .filter = steps };
    size_t n = 0;

    steps[n++] = load(offsetof(struct seccomp_data, arch));
    steps[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0);
    steps[n++] = answer(SECCOMP_RET_KILL_PROCESS); /* the numbers would mean other calls */
    steps[n++] = load(offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < count; i++) {
        steps[n++] = equal(calls[i]);
        steps[n++] = answer(SECCOMP_RET_ALLOW);
    }
    steps[n++] = answer(otherwise);
    program.len = (unsigned short)n;
    return ARCHITECTURE != 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static int usage(void)
{
    fputs("usage: allow errno|kill NUMBER ... -- [COMMAND]\n", stderr);
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    const bool kills = argc > 1 && strcmp(argv[1], "kill") == 0;
    const uint32_t otherwise = kills ? SECCOMP_RET_KILL_PROCESS : SECCOMP_RET_ERRNO | EPERM;
    uint32_t calls[CALLS];
    size_t count = 0;
    int i = 2;

    if (argc < 2 || (!kills && strcmp(argv[1], "errno") != 0))
        return usage();
    for (; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (count == CALLS || !read_number(argv[i], &calls[count++]))
            return usage();
    if (i == argc)
        return usage();
    const bool asks = argv[i + 1] == NULL;
    if (!allow(calls, count, asks ? SECCOMP_RET_ALLOW : otherwise)) {
        printf("cannot run here: no filter of system calls: %s\n", strerror(errno));
        return EXIT_SKIP;
    }
    if (asks)
        return EXIT_SUCCESS;
    execv(argv[i + 1], &argv[i + 1]);
    fprintf(stderr, "allow: %s: %s\n", argv[i + 1], strerror(errno));
    return EXIT_USAGE;
}
