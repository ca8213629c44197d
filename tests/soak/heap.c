/* heap.c: how much of the heap is in use, where the C library tells. */
#define _GNU_SOURCE
#include "soak.h"

#ifdef __GLIBC__

#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

/* Sanitizers have allocators of their own, and keep what is freed. */
bool heap_can_be_told(void)
{
    return !SANITIZED;
}

size_t heap_in_use(void)
{
    struct mallinfo2 info = mallinfo2();
    malloc_trim(0);
    return info.uordblks + info.hblkhd;
}

/* One heap for all threads, and what is freed is free at once and not kept for its thread; the
 * latter is settled when the program starts. */
void heap_make_plain(char **argv)
{
    char program[4096];
    ssize_t len = readlink("/proc/self/exe", program, sizeof program - 1);

    mallopt(M_ARENA_MAX, 1);
    if (getenv("GLIBC_TUNABLES") != NULL || len < 0)
        return;
    program[len] = '\0';
    setenv("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0", 1);
    execv(program, argv);
}

#else

bool heap_can_be_told(void)
{
    return false;
}

size_t heap_in_use(void)
{
    return 0;
}

void heap_make_plain(char **argv)
{
    (void)argv;
}

#endif
