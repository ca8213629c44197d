/* file_windows.c: files and pipes (Windows): as bytes, without the newlines of its own. */
#include "system.h"

#ifdef _WIN32

#include <fcntl.h>
#include <io.h>
#include <windows.h>

int file_open_to_read(const char *name)
{
    return _open(name, _O_RDONLY | _O_BINARY | _O_NOINHERIT);
}

int file_open_to_write(const char *name)
{
    return _open(name, _O_WRONLY | _O_CREAT | _O_TRUNC | _O_BINARY | _O_NOINHERIT,
                 _S_IREAD | _S_IWRITE);
}

/* Nobody tells; the read will. */
bool file_is_readable(int fd)
{
    (void)fd;
    return true;
}

/* Nobody tells whether a write would wait. One that does is ended by the second Ctrl-C. */
bool file_can_block(int fd)
{
    (void)fd;
    return false;
}

/* The end of a pipe is a failure, and something to read. */
static bool has_something(HANDLE pipe)
{
    DWORD bytes;
    return !PeekNamedPipe(pipe, NULL, 0, NULL, &bytes, NULL) || bytes > 0;
}

/* A pipe can be asked, but not waited for. Of all else a read does not wait, or as at a terminal
 * ends with Ctrl-C. */
bool file_wait_to_read(int fd, int timeout_ms)
{
    const HANDLE handle = (HANDLE)_get_osfhandle(fd);
    const uint64_t end_ms = GetTickCount64() + (uint64_t)timeout_ms;

    if (GetFileType(handle) != FILE_TYPE_PIPE)
        return true;
    for (; !has_something(handle); Sleep(1))
        if (GetTickCount64() >= end_ms)
            return false;
    return true;
}

bool file_wait_to_write(int fd, int timeout_ms)
{
    (void)fd;
    (void)timeout_ms;
    return true;
}

static unsigned at_most_an_int(size_t size)
{
    return size < INT_MAX ? (unsigned)size : INT_MAX;
}

ssize_t file_read(int fd, void *bytes, size_t size)
{
    return _read(fd, bytes, at_most_an_int(size));
}

/* The C library has no word of its own for a pipe that nobody reads any more. */
ssize_t file_write(int fd, const void *bytes, size_t size)
{
    const int len = _write(fd, bytes, at_most_an_int(size));
    const DWORD error = GetLastError();
    if (len < 0 && (error == ERROR_NO_DATA || error == ERROR_BROKEN_PIPE))
        errno = EPIPE;
    return len;
}

#endif
