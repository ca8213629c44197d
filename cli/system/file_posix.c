/* file_posix.c: files and pipes (POSIX). */
#include "system.h"

#ifndef _WIN32

#include <fcntl.h>
#include <poll.h>

int file_open_to_read(const char *name)
{
    return open(name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
}

int file_open_to_write(const char *name)
{
    return open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
}

bool file_is_readable(int fd)
{
    return (fcntl(fd, F_GETFL) & O_ACCMODE) != O_WRONLY;
}

bool file_can_block(int fd)
{
    struct stat status;
    if (fstat(fd, &status) < 0)
        return false;
    return S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode) || terminal_is(fd);
}

static bool wait_for(int fd, short events, int timeout_ms)
{
    struct pollfd wait = { .fd = fd, .events = events };
    int ready = poll(&wait, 1, timeout_ms);
    return ready > 0 || (ready < 0 && errno != EINTR); /* what is wrong the call itself will tell */
}

bool file_wait_to_read(int fd, int timeout_ms)
{
    return wait_for(fd, POLLIN, timeout_ms);
}

bool file_wait_to_write(int fd, int timeout_ms)
{
    return wait_for(fd, POLLOUT, timeout_ms);
}

ssize_t file_read(int fd, void *bytes, size_t size)
{
    return read(fd, bytes, size);
}

ssize_t file_write(int fd, const void *bytes, size_t size)
{
    return write(fd, bytes, size);
}

#endif
