/* call_filter.c: a kernel that knows few system calls, as a container's seccomp profile has it. */
#define _GNU_SOURCE
#include "call_filter.h"

#include "architecture.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

enum { STEPS_OF_CALL = 2 };

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

static bool allow(const struct call_filter *filter, uint32_t otherwise)
{
    struct sock_filter steps[FILTER_CALLS * STEPS_OF_CALL + 5];
    struct sock_fprog program = { .filter = steps };
    size_t n = 0;

    steps[n++] = load(offsetof(struct seccomp_data, arch));
    steps[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0);
    steps[n++] = answer(SECCOMP_RET_KILL_PROCESS); /* the numbers would mean other calls */
    steps[n++] = load(offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < filter->count; i++) {
        steps[n++] = equal(filter->calls[i]);
        steps[n++] = answer(SECCOMP_RET_ALLOW);
    }
    steps[n++] = answer(otherwise);
    program.len = (unsigned short)n;
    return ARCHITECTURE != 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

char **call_filter_read(struct call_filter *filter, char **arguments)
{
    if (*arguments == NULL)
        return NULL;
    filter->count = 0;
    filter->kills = strcmp(*arguments, "kill") == 0;
    if (!filter->kills && strcmp(*arguments, "errno") != 0)
        return NULL;
    while (*++arguments != NULL && strcmp(*arguments, "--") != 0)
        if (filter->count == FILTER_CALLS ||
            !read_number(*arguments, &filter->calls[filter->count++]))
            return NULL;
    return *arguments != NULL ? arguments + 1 : NULL;
}

bool call_filter_set(const struct call_filter *filter, bool is_meant)
{
    const uint32_t otherwise = filter->kills ? SECCOMP_RET_KILL_PROCESS : SECCOMP_RET_ERRNO | EPERM;

    if (allow(filter, is_meant ? otherwise : SECCOMP_RET_ALLOW))
        return true;
    printf("cannot run here: no filter of system calls: %s\n", strerror(errno));
    return false;
}
