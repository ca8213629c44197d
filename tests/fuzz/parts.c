/* parts.c: files and pipes that give and take a part at a time. */
#include "parts.h"

#include <sys/types.h>

static size_t most;

ssize_t __real_file_read(int fd, void *bytes, size_t size);
ssize_t __wrap_file_read(int fd, void *bytes, size_t size);
ssize_t __real_file_write(int fd, const void *bytes, size_t size);
ssize_t __wrap_file_write(int fd, const void *bytes, size_t size);

void parts_limit(size_t limit)
{
    most = limit;
}

static size_t part_of(size_t size)
{
    return most == 0 || size < most ? size : most;
}

ssize_t __wrap_file_read(int fd, void *bytes, size_t size)
{
    return __real_file_read(fd, bytes, part_of(size));
}

/* All is written in less than a few hundred parts. */
ssize_t __wrap_file_write(int fd, const void *bytes, size_t size)
{
    const size_t least = size / 64, part = part_of(size);
    return __real_file_write(fd, bytes, part > least ? part : least);
}
