/* memory_file.c: what a target reads is a file by a name, in memory. */
#define _GNU_SOURCE
#include "memory_file.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

const char *memory_file(const void *bytes, size_t len)
{
    static char name[40];
    static int fd = -1;

    if (fd < 0) {
        fd = memfd_create("input", MFD_CLOEXEC);
        require(fd >= 0);
        snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    }
    require(ftruncate(fd, 0) == 0);
    require(pwrite(fd, bytes, len, 0) == (ssize_t)len);
    return name;
}
