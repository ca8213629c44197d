/* source.c: a file or standard input, cut into payloads. */
#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Room for the longest line and its newline; and for reads that cost little. */
enum { BUFFER_SIZE = 1 << 20 };

/* A named pipe is opened without waiting for its writer: source_fill does that, interruptibly. */
static bool open_file(struct source *source, const char *name, struct reason *reason)
{
    bool standard = name == NULL || strcmp(name, "-") == 0;
    struct stat status;

    source->name = standard ? "standard input" : name;
    source->fd = standard ? STDIN_FILENO : open(name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (source->fd < 0 || fstat(source->fd, &status) < 0)
        return reason_give(reason, "cannot read %s: %s", source->name, strerror(errno));
    if ((fcntl(source->fd, F_GETFL) & O_ACCMODE) == O_WRONLY)
        return reason_give(reason, "cannot read %s: %s", source->name, strerror(EBADF));
    if (S_ISDIR(status.st_mode))
        return reason_give(reason, "cannot read %s: %s", source->name, strerror(EISDIR));
    off_t at = S_ISREG(status.st_mode) ? lseek(source->fd, 0, SEEK_CUR) : -1;
    source->size_at_open = status.st_size;
    if (at >= 0 && at < status.st_size)
        source->length = (uint64_t)(status.st_size - at);
    return true;
}

bool source_open(struct source *source, const char *name, bool lines, size_t size,
                 struct reason *reason)
{
    *source = (struct source){ .fd = -1, .lines = lines, .size = size };
    if (!open_file(source, name, reason))
        return false;
    source->buffer = malloc(BUFFER_SIZE);
    return source->buffer != NULL || reason_give(reason, "%s", strerror(ENOMEM));
}

static void move_to_front(struct source *source)
{
    memmove(source->buffer, source->buffer + source->begin, source->end - source->begin);
    source->end -= source->begin;
    source->begin = 0;
}

static bool is_passing(int error)
{
    return error == EINTR || error == EAGAIN || error == EWOULDBLOCK;
}

/* Not by the bytes that were read: some files of the kernel's are larger than that. */
static bool has_shrunk(const struct source *source)
{
    struct stat status;
    return source->length > 0 && fstat(source->fd, &status) == 0 &&
           status.st_size < source->size_at_open;
}

void source_fill(struct source *source, int timeout_ms)
{
    struct pollfd wait = { .fd = source->fd, .events = POLLIN };

    move_to_front(source);
    if (poll(&wait, 1, timeout_ms) <= 0)
        return;
    ssize_t count = read(source->fd, source->buffer + source->end, BUFFER_SIZE - source->end);
    if (count > 0)
        source->end += (size_t)count;
    else if (count < 0 && !is_passing(errno))
        source->error = errno;
    else if (count == 0) {
        source->ended = true;
        source->shrunk = has_shrunk(source);
    }
}

static size_t buffered(const struct source *source)
{
    return source->end - source->begin;
}

/* Cuts a payload off, and `extra` bytes that end it. */
static void take(struct source *source, size_t len, size_t extra, struct udpbatch_packet *payload)
{
    *payload =
        (struct udpbatch_packet){ .data = source->buffer + source->begin, .len = (uint32_t)len };
    source->begin += len + extra;
    source->taken += len + extra;
    source->count++;
}

static bool cut_line(struct source *source, struct udpbatch_packet *payload)
{
    const unsigned char *line = source->buffer + source->begin;
    const unsigned char *newline = memchr(line, '\n', buffered(source));
    size_t len = newline != NULL ? (size_t)(newline - line) : buffered(source);

    if (len > PAYLOAD_MAX)
        source->error = EMSGSIZE;
    if (source->error != 0)
        return false;
    if (newline == NULL && (len == 0 || !source->ended))
        return false;
    take(source, len, newline != NULL, payload);
    return true;
}

static bool cut_piece(struct source *source, struct udpbatch_packet *payload)
{
    size_t len = buffered(source) < source->size ? buffered(source) : source->size;

    if (len == 0 || (len < source->size && !source->ended))
        return false;
    take(source, len, 0, payload);
    return true;
}

size_t source_cut(struct source *source, struct udpbatch_packet *payloads, size_t n)
{
    bool (*cut)(struct source *, struct udpbatch_packet *) = source->lines ? cut_line : cut_piece;
    size_t i = 0;
    while (i < n && cut(source, &payloads[i]))
        i++;
    return i;
}

static uint64_t lines_in(const unsigned char *text, size_t len)
{
    uint64_t lines = 0;
    for (size_t i = 0; i < len; i++)
        lines += text[i] == '\n';
    return lines + (len > 0 && text[len - 1] != '\n');
}

uint64_t source_left(const struct source *source)
{
    if (source->lines)
        return lines_in(source->buffer + source->begin, buffered(source));
    bool known = source->length > source->taken + buffered(source) && !source->ended;
    uint64_t bytes = known ? source->length - source->taken : buffered(source);
    return (bytes + source->size - 1) / source->size;
}

void source_explain(const struct source *source, struct reason *reason)
{
    if (source->error == EMSGSIZE)
        reason_give(reason, "%s: line %" PRIu64 " is longer than %d bytes", source->name,
                    source->count + 1, PAYLOAD_MAX);
    else
        reason_give(reason, "cannot read %s: %s", source->name, strerror(source->error));
}

void source_close(struct source *source)
{
    free(source->buffer);
    if (source->fd > STDIN_FILENO)
        close(source->fd);
}
