/* quiet.c: what the process has while nothing is open. */
#define _GNU_SOURCE
#include "soak.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

enum { RESIDENT_SLACK_KIB = 2048 }; /* the kernel counts pages of each processor in bundles */

static unsigned count_descriptors(void)
{
    unsigned count = 0;
    DIR *folder = opendir("/proc/self/fd");

    while (folder != NULL && readdir(folder) != NULL)
        count++;
    if (folder != NULL)
        closedir(folder);
    return count;
}

static size_t read_resident_kib(void)
{
    char line[256];
    size_t kib = 0;
    FILE *file = fopen("/proc/self/status", "re");

    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        sscanf(line, "VmRSS: %zu", &kib);
    if (file != NULL)
        fclose(file);
    return kib;
}

/* The rings of AF_XDP, and the frames. */
static unsigned count_shared_mappings(void)
{
    char line[512];
    unsigned count = 0;
    FILE *file = fopen("/proc/self/maps", "re");

    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        count += strstr(line, "socket:") != NULL || strstr(line, "/dev/zero") != NULL;
    if (file != NULL)
        fclose(file);
    return count;
}

static bool has_way(const char *backend)
{
    for (unsigned i = 0; i < way_count; i++)
        if (ways[i].backend != NULL && strcmp(ways[i].backend, backend) == 0)
            return true;
    return false;
}

struct footprint footprint_now(void)
{
    struct footprint footprint = { .descriptors = count_descriptors(),
                                   .shared_mappings = count_shared_mappings(),
                                   .locked_kib = has_way("xdp") ? locked_kib() : 0,
                                   .resident_kib = read_resident_kib() };
    footprint.heap_bytes =
        heap_in_use(); /* the last, as the others leave something in its stores */
    return footprint;
}

void footprint_compare(const struct footprint *first, const struct footprint *now)
{
    if (now->descriptors != first->descriptors)
        fault("%u descriptors are open in place of %u", now->descriptors, first->descriptors);
    if (now->shared_mappings != 0)
        fault("%u rings or areas of frames are mapped, with nothing open", now->shared_mappings);
    if (now->locked_kib > first->locked_kib)
        fault("%u KiB are locked, after %u", now->locked_kib, first->locked_kib);
    if (!heap_can_be_told())
        return;
    if (now->heap_bytes != first->heap_bytes)
        fault("%zu bytes of the heap are in use in place of %zu", now->heap_bytes,
              first->heap_bytes);
    if (now->resident_kib > first->resident_kib + RESIDENT_SLACK_KIB)
        fault("%zu KiB are resident, after %zu", now->resident_kib, first->resident_kib);
}
