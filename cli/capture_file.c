/* capture_file.c: a file or pipe for libpcap to read, of which a wait can be given up. */
#include "capture_file.h"

#ifdef HAVE_LIBPCAP

#include <errno.h>
#include <string.h>

#include "interrupt.h"
#include "system.h"

bool capture_file_is_given_up(const struct capture_file *file)
{
    return file->wait_begins != NULL ? atomic_load(&file->given_up) : interrupted();
}

static bool wait_for_bytes(struct capture_file *file)
{
    if (file_wait_to_read(file->fd, 0))
        return true;
    if (file->wait_begins != NULL)
        file->wait_begins(file->that);
    while (!file_wait_to_read(file->fd, TICK_MS))
        if (capture_file_is_given_up(file))
            return false;
    return true;
}

static bool is_passing(int error)
{
    return error == EINTR || error == EAGAIN || error == EWOULDBLOCK;
}

static ssize_t read_some(void *cookie, char *bytes, size_t size)
{
    struct capture_file *file = cookie;
    ssize_t count;

    do {
        if (!wait_for_bytes(file)) {
            errno = EINTR;
            return -1;
        }
        count = file_read(file->fd, bytes, size);
    } while (count < 0 && is_passing(errno));
    if (count > 0)
        file->taken += (uint64_t)count;
    return count;
}

/* Only says where it is, for ftello. */
static int tell(void *cookie, off_t *offset, int from)
{
    const struct capture_file *file = cookie;

    if (from != SEEK_CUR || *offset != 0) {
        errno = ESPIPE;
        return -1;
    }
    *offset = (off_t)file->taken;
    return 0;
}

static int close_file(void *cookie)
{
    const struct capture_file *file = cookie;
    return file->fd > STDIN_FILENO ? close(file->fd) : 0;
}

/* A named pipe is opened without waiting for its writer: reading does that. */
static bool open_descriptor(struct capture_file *file, const char *name, struct reason *reason)
{
    const bool standard = strcmp(name, "-") == 0;
    struct stat status;

    file->name = standard ? "standard input" : name;
    file->fd = standard ? STDIN_FILENO : file_open_to_read(name);
    if (file->fd < 0 || fstat(file->fd, &status) < 0)
        return reason_give(reason, "cannot read %s: %s", file->name, words_of_error(errno));
    const off_t at = S_ISREG(status.st_mode) ? lseek(file->fd, 0, SEEK_CUR) : -1;
    if (at >= 0 && at < status.st_size)
        file->length = (uint64_t)(status.st_size - at);
    return true;
}

bool capture_file_open(struct capture_file *file, const char *name, struct reason *reason)
{
    const cookie_io_functions_t functions = { .read = read_some,
                                              .seek = tell,
                                              .close = close_file };

    if (!open_descriptor(file, name, reason)) {
        close_file(file);
        return false;
    }
    file->stream = fopencookie(file, "r", functions);
    if (file->stream == NULL) {
        close_file(file);
        return reason_give(reason, "%s", words_of_error(ENOMEM));
    }
    setvbuf(file->stream, file->buffer, _IOFBF, sizeof file->buffer);
    return true;
}

uint64_t capture_file_position(const struct capture_file *file)
{
    return (uint64_t)ftello(file->stream);
}

#endif
