/* file_source.c: a file or standard input, cut into payloads. */
#include "file_source.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "system.h"

/* Room for the longest line and its newline; and for reads that cost little. */
enum { BUFFER_SIZE = 1 << 20 };

static struct file_source *file_of(struct source *source)
{
    return (struct file_source *)source;
}

/* A named pipe is opened without waiting for its writer: fill does that, interruptibly. */
static bool open_file(struct file_source *file, const char *name, struct reason *reason)
{
    bool standard = name == NULL || strcmp(name, "-") == 0;
    struct stat status;

    file->source.name = standard ? "standard input" : name;
    file->fd = standard ? STDIN_FILENO : file_open_to_read(name);
    if (file->fd < 0 || fstat(file->fd, &status) < 0)
        return reason_give(reason, "cannot read %s: %s", file->source.name, words_of_error(errno));
    if (!file_is_readable(file->fd))
        return reason_give(reason, "cannot read %s: %s", file->source.name, words_of_error(EBADF));
    if (S_ISDIR(status.st_mode))
        return reason_give(reason, "cannot read %s: %s", file->source.name, words_of_error(EISDIR));
    off_t at = S_ISREG(status.st_mode) ? lseek(file->fd, 0, SEEK_CUR) : -1;
    file->size_at_open = status.st_size;
    if (at >= 0 && at < status.st_size)
        file->source.length = (uint64_t)(status.st_size - at);
    return true;
}

static void move_to_front(struct file_source *file)
{
    memmove(file->buffer, file->buffer + file->begin, file->end - file->begin);
    file->end -= file->begin;
    file->begin = 0;
}

static bool is_passing(int error)
{
    return error == EINTR || error == EAGAIN || error == EWOULDBLOCK;
}

/* Not by the bytes that were read: some files of the kernel's are larger than that. */
static bool has_shrunk(const struct file_source *file)
{
    struct stat status;
    return file->source.length > 0 && fstat(file->fd, &status) == 0 &&
           status.st_size < file->size_at_open;
}

static void fill(struct source *source, int timeout_ms)
{
    struct file_source *file = file_of(source);

    move_to_front(file);
    if (!file_wait_to_read(file->fd, timeout_ms))
        return;
    ssize_t count = file_read(file->fd, file->buffer + file->end, BUFFER_SIZE - file->end);
    if (count > 0)
        file->end += (size_t)count;
    else if (count < 0 && !is_passing(errno))
        source->error = errno;
    else if (count == 0) {
        source->ended = true;
        source->shrunk = has_shrunk(file);
    }
}

static size_t buffered(const struct file_source *file)
{
    return file->end - file->begin;
}

/* Cuts a payload off, and `extra` bytes that end it. */
static void take(struct file_source *file, size_t len, size_t extra,
                 struct udpbatch_packet *payload)
{
    *payload = (struct udpbatch_packet){ .data = file->buffer + file->begin, .len = (uint32_t)len };
    file->begin += len + extra;
    file->source.taken += len + extra;
    file->source.count++;
}

static bool cut_line(struct file_source *file, struct udpbatch_packet *payload)
{
    const unsigned char *line = file->buffer + file->begin;
    const unsigned char *newline = memchr(line, '\n', buffered(file));
    size_t len = newline != NULL ? (size_t)(newline - line) : buffered(file);

    if (len > PAYLOAD_MAX)
        file->source.error = EMSGSIZE;
    if (file->source.error != 0)
        return false;
    if (newline == NULL && (len == 0 || !file->source.ended))
        return false;
    take(file, len, newline != NULL, payload);
    return true;
}

static bool cut_piece(struct file_source *file, struct udpbatch_packet *payload)
{
    size_t len = buffered(file) < file->source.size ? buffered(file) : file->source.size;

    if (len == 0 || (len < file->source.size && !file->source.ended))
        return false;
    take(file, len, 0, payload);
    return true;
}

static size_t cut(struct source *source, struct udpbatch_packet *payloads, size_t n)
{
    struct file_source *file = file_of(source);
    bool (*cut_one)(struct file_source *, struct udpbatch_packet *) =
        file->lines ? cut_line : cut_piece;
    size_t i = 0;
    while (i < n && cut_one(file, &payloads[i]))
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

static uint64_t left(const struct source *source)
{
    const struct file_source *file = (const struct file_source *)source;
    if (file->lines)
        return lines_in(file->buffer + file->begin, buffered(file));
    bool known = source->length > source->taken + buffered(file) && !source->ended;
    uint64_t bytes = known ? source->length - source->taken : buffered(file);
    return (bytes + source->size - 1) / source->size;
}

static void explain(const struct source *source, struct reason *reason)
{
    if (source->error == EMSGSIZE)
        reason_give(reason, "%s: line %" PRIu64 " is longer than %d bytes", source->name,
                    source->count + 1, PAYLOAD_MAX);
    else
        reason_give(reason, "cannot read %s: %s", source->name, words_of_error(source->error));
}

static void close_file(struct source *source)
{
    struct file_source *file = file_of(source);
    free(file->buffer);
    if (file->fd > STDIN_FILENO)
        close(file->fd);
}

static const struct source_kind kind = {
    .fill = fill, .cut = cut, .left = left, .explain = explain, .close = close_file
};

bool file_source_open(struct file_source *file, const char *name, bool lines, size_t size,
                      struct reason *reason)
{
    *file = (struct file_source){ .source = { .kind = &kind, .size = lines ? 0 : size },
                                  .fd = -1,
                                  .lines = lines };
    if (!open_file(file, name, reason))
        return false;
    file->buffer = malloc(BUFFER_SIZE);
    return file->buffer != NULL || reason_give(reason, "%s", words_of_error(ENOMEM));
}
