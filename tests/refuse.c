/* refuse.c: runs a command whose kernel refuses system calls, as older kernels and sandboxes do.
 *
 *     refuse CALL[:LEVEL:OPTION]=ERROR ... -- [COMMAND [ARGUMENT ...]]
 *
 * For instance `refuse sendmmsg=ENOSYS setsockopt:SOL_UDP:UDP_GRO=ENOPROTOOPT -- program`. Where a
 * filter of system calls cannot be had (seccomp(2)) it ends with 77 and says why; whether it can is
 * asked without a command. */
#define _GNU_SOURCE
#include "architecture.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { EXIT_USAGE = 2, EXIT_SKIP = 77, RULES = 16, STEPS_OF_RULE = 7, WORD = 32 };

/* There libc asks for options by socketcall(2), whose arguments a filter cannot see. */
#if defined(__i386__)
#define SEES_OPTIONS false
#else
#define SEES_OPTIONS true
#endif

/* The kernel's way to recvmmsg where its time and libc's are of 64 bits, and that of a word not. */
#ifdef SYS_recvmmsg_time64
enum { RECVMMSG_TIME64 = SYS_recvmmsg_time64 };
#else
enum { RECVMMSG_TIME64 = SYS_recvmmsg };
#endif

static const struct word {
    const char *name;
    uint32_t value;
} words[] = {
    { "sendmmsg", SYS_sendmmsg },
    { "recvmmsg", SYS_recvmmsg },
    { "recvmmsg_time64", RECVMMSG_TIME64 },
    { "setsockopt", SYS_setsockopt },
    { "getsockopt", SYS_getsockopt },
    { "SOL_SOCKET", SOL_SOCKET },
    { "SO_RXQ_OVFL", SO_RXQ_OVFL },
    { "SOL_UDP", 17 }, /* linux/udp.h */
    { "UDP_SEGMENT", 103 },
    { "UDP_GRO", 104 },
    { "EPERM", EPERM },
    { "ENOSYS", ENOSYS },
    { "ENOPROTOOPT", ENOPROTOOPT },
    { NULL, 0 },
};

struct rule {
    uint32_t call;
    bool has_option;
    uint32_t level;
    uint32_t option;
    uint32_t error;
};

static bool is_name(const char *text, size_t len, const char *name)
{
    return strlen(name) == len && memcmp(text, name, len) == 0;
}

/* The number of the word in front of `end`; *text goes on behind it. */
static bool read_word(const char **text, char end, uint32_t *value)
{
    const size_t len = strcspn(*text, ":=");
    const struct word *word = words;

    while (word->name != NULL && !is_name(*text, len, word->name))
        word++;
    if (word->name == NULL || (*text)[len] != end)
        return false;
    *text += len + (end != '\0');
    *value = word->value;
    return true;
}

static bool read_rule(const char *text, struct rule *rule)
{
    const char *const colon = strchr(text, ':');

    rule->has_option = colon != NULL;
    if (!read_word(&text, colon != NULL ? ':' : '=', &rule->call))
        return false;
    if (rule->has_option &&
        !(read_word(&text, ':', &rule->level) && read_word(&text, '=', &rule->option)))
        return false;
    return read_word(&text, '\0', &rule->error);
}

/* Where the filter finds the low half of an argument. */
static uint32_t low_half(size_t argument)
{
    const uint16_t one = 1;
    const bool is_little = *(const unsigned char *)&one == 1;

    return (uint32_t)(offsetof(struct seccomp_data, args) + argument * sizeof(uint64_t) +
                      (is_little ? 0 : sizeof(uint32_t)));
}

static struct sock_filter load(uint32_t offset)
{
    return (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset);
}

/* How many steps to skip if it is, and if it is not. */
static struct sock_filter equal(uint32_t value, size_t if_it_is, size_t if_not)
{
    return (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, (uint8_t)if_it_is,
                                        (uint8_t)if_not);
}

static struct sock_filter answer(uint32_t what)
{
    return (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, what);
}

/* Returns the number of steps; those behind them are the next rule's. */
static size_t write_rule(struct sock_filter *steps, const struct rule *rule)
{
    const size_t count = rule->has_option ? STEPS_OF_RULE : STEPS_OF_RULE - 4;
    size_t n = 0;

    steps[n++] = load(offsetof(struct seccomp_data, nr));
    steps[n] = equal(rule->call, 0, count - n - 1);
    n++;
    if (rule->has_option) {
        steps[n++] = load(low_half(1));
        steps[n] = equal(rule->level, 0, count - n - 1);
        n++;
        steps[n++] = load(low_half(2));
        steps[n] = equal(rule->option, 0, count - n - 1);
        n++;
    }
    steps[n++] = answer(SECCOMP_RET_ERRNO | rule->error);
    return n;
}

static bool refuse(const struct rule *rules, size_t count)
{
    struct sock_filter steps[RULES * STEPS_OF_RULE + 4];
    struct sock_fprog program = { .filter = steps };
    size_t n = 0;

    steps[n++] = load(offsetof(struct seccomp_data, arch));
    steps[n++] = equal(ARCHITECTURE, 1, 0);
    steps[n++] = answer(SECCOMP_RET_KILL_PROCESS); /* the numbers would mean other calls */
    for (size_t i = 0; i < count; i++)
        n += write_rule(&steps[n], &rules[i]);
    steps[n++] = answer(SECCOMP_RET_ALLOW);
    program.len = (unsigned short)n;
    return ARCHITECTURE != 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static void need_to_see(const struct rule *rule)
{
    if (SEES_OPTIONS || (rule->call != SYS_setsockopt && rule->call != SYS_getsockopt))
        return;
    puts("cannot run here: a filter does not see options, socketcall(2) asks for them");
    exit(EXIT_SKIP);
}

int main(int argc, char **argv)
{
    struct rule rules[RULES];
    size_t count = 0;
    int i = 1;

    for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (count == RULES || !read_rule(argv[i], &rules[count])) {
            fprintf(stderr, "refuse: not understood, or too many: %s\n", argv[i]);
            return EXIT_USAGE;
        }
        need_to_see(&rules[count]);
        count++;
    }
    if (count == 0 || i == argc) {
        fputs("usage: refuse CALL[:LEVEL:OPTION]=ERROR ... -- [COMMAND]\n", stderr);
        return EXIT_USAGE;
    }
    if (!refuse(rules, count)) {
        printf("cannot run here: no filter of system calls: %s\n", strerror(errno));
        return EXIT_SKIP;
    }
    if (argv[i + 1] == NULL)
        return EXIT_SUCCESS;
    execvp(argv[i + 1], &argv[i + 1]);
    fprintf(stderr, "refuse: %s: %s\n", argv[i + 1], strerror(errno));
    return EXIT_USAGE;
}
