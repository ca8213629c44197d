/* own_process.c: what tests of their own process share. */
#define _GNU_SOURCE
#include "own_process.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>

void leave(bool is_well)
{
    _exit(is_well ? EXIT_SUCCESS : EXIT_FAILURE);
}

void expect_well(pid_t child)
{
    int status;

    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

void fork_one_that_leaves(void)
{
    int status = EXIT_FAILURE;
    pid_t child = fork();

    if (child == 0)
        leave(true);
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
        abort();
}

size_t count_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    size_t count = 0;

    while (folder != NULL && readdir(folder) != NULL)
        count++;
    if (folder != NULL)
        closedir(folder);
    return count;
}

/* Kilobytes of addresses in use. */
static unsigned long address_space(void)
{
    FILE *file = fopen("/proc/self/status", "re");
    unsigned long size = 0;
    char line[256];

    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        sscanf(line, "VmSize: %lu", &size);
    if (file != NULL)
        fclose(file);
    return size;
}

static void limit_addresses(rlim_t bytes)
{
    const struct rlimit limit = { bytes, RLIM_INFINITY };
    setrlimit(RLIMIT_AS, &limit);
}

/* What the allocator has left is had by this process for good. */
static void use_up_memory(void)
{
    limit_addresses(1);
    for (size_t size = 1 << 20; size > 64; size /= 2) {
        void *volatile taken;
        do
            taken = malloc(size);
        while (taken != NULL);
    }
    limit_addresses(RLIM_INFINITY);
}

bool opens_with_little_memory(int (*open_and_close)(void), unsigned step_kb)
{
    enum { STEPS = 512 };
    unsigned failed = 0;

    use_up_memory();
    const unsigned long own_kb = address_space();
    const size_t descriptors = count_descriptors();
    for (unsigned long step = 0; step < STEPS; step++, failed++) {
        limit_addresses((rlim_t)(own_kb + step * step_kb) * 1024);
        int error = open_and_close();
        limit_addresses(RLIM_INFINITY);
        if (error != ENOMEM)
            return error == 0 && failed > 1 && count_descriptors() == descriptors;
    }
    return false;
}
