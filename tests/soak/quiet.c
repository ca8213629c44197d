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

static void read_status(struct footprint *footprint)
{
    char line[256];
    FILE *file = fopen("/proc/self/status", "re");

    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        sscanf(line, "VmRSS: %zu", &footprint->resident_kib);
        sscanf(line, "VmLck: %u", &footprint->locked_kib);
        sscanf(line, "VmPin: %u", &footprint->pinned_kib);
    }
    if (file != NULL)
        fclose(file);
}

/* The rings of AF_XDP, which the process's own counts of locked pages know nothing of. */
static unsigned count_socket_mappings(void)
{
    char line[512];
    unsigned count = 0;
    FILE *file = fopen("/proc/self/maps", "re");

    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        count += strstr(line, "socket:") != NULL;
    if (file != NULL)
        fclose(file);
    return count;
}

struct footprint footprint_now(void)
{
    struct footprint footprint = { .descriptors = count_descriptors(),
                                   .socket_mappings = count_socket_mappings() };
    read_status(&footprint);
    footprint.heap_bytes =
        heap_in_use(); /* the last, as the others leave something in its stores */
    return footprint;
}

void footprint_compare(const struct footprint *first, const struct footprint *now)
{
    if (now->descriptors != first->descriptors)
        fault("%u descriptors are open in place of %u", now->descriptors, first->descriptors);
    if (now->locked_kib != 0 || now->pinned_kib != 0 || now->socket_mappings != 0)
        fault("%u KiB are locked, %u KiB pinned, and %u rings of sockets mapped, with nothing open",
              now->locked_kib, now->pinned_kib, now->socket_mappings);
    if (!heap_can_be_told())
        return;
    if (now->heap_bytes != first->heap_bytes)
        fault("%zu bytes of the heap are in use in place of %zu", now->heap_bytes,
              first->heap_bytes);
    if (now->resident_kib > first->resident_kib + RESIDENT_SLACK_KIB)
        fault("%zu KiB are resident, after %zu", now->resident_kib, first->resident_kib);
}
