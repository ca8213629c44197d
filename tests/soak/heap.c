/* heap.c: how much of the heap is in use, where the C library tells. */
#define _GNU_SOURCE
#include "soak.h"

#ifdef __GLIBC__

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char IS_PLAIN[] = "SOAK_HAS_A_PLAIN_HEAP";

/* Sanitizers have allocators of their own, and keep what is freed. */
bool heap_can_be_told(void)
{
    return !SANITIZED && getenv(IS_PLAIN) != NULL;
}

size_t heap_in_use(void)
{
    struct mallinfo2 info = mallinfo2();
    malloc_trim(0);
    return info.uordblks + info.hblkhd;
}

/* What the user has there is kept; of two settings the last holds. */
static void ask_for_no_stores(void)
{
    const char *given = getenv("GLIBC_TUNABLES");
    char text[4096];

    snprintf(text, sizeof text, "%s%sglibc.malloc.tcache_count=0", given != NULL ? given : "",
             given != NULL ? ":" : "");
    setenv("GLIBC_TUNABLES", text, 1);
}

/* One heap for all threads, and what is freed is free at once and not kept for its thread; the
 * latter is settled when the program starts. */
void heap_make_plain(char **argv)
{
    char program[4096];
    ssize_t len = readlink("/proc/self/exe", program, sizeof program - 1);

    mallopt(M_ARENA_MAX, 1);
    if (getenv(IS_PLAIN) != NULL || len < 0)
        return;
    program[len] = '\0';
    ask_for_no_stores();
    setenv(IS_PLAIN, "yes", 1);
    execv(program, argv);
    unsetenv(IS_PLAIN);
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
