/* sink.c: where received payloads are written, one after the other. */
#include "sink.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "interrupt.h"

/* The longest payload, and its newline. */
enum { SLOT = 65535 + 1 };

static bool can_block(int fd)
{
    struct stat status;
    if (fstat(fd, &status) < 0)
        return false;
    return S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode) || isatty(fd) != 0;
}

bool sink_open(struct sink *sink, const char *name, bool lines, struct reason *reason)
{
    bool standard = name == NULL || strcmp(name, "-") == 0;

    *sink = (struct sink){ .name = standard ? "standard output" : name, .lines = lines };
    sink->fd =
        standard ? STDOUT_FILENO : open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (sink->fd < 0)
        return reason_give(reason, "cannot write %s: %s", name, strerror(errno));
    sink->can_block = can_block(sink->fd);
    sink->buffer = malloc((size_t)SINK_PACKETS * SLOT);
    return sink->buffer != NULL || reason_give(reason, "%s", strerror(ENOMEM));
}

/* Lays the payloads side by side. Returns how many bytes that is. */
static size_t gather(struct sink *sink, const struct udpbatch_received *packets, size_t n)
{
    unsigned char *end = sink->buffer;
    for (size_t i = 0; i < n; i++) {
        if (packets[i].len > 0)
            memcpy(end, packets[i].data, packets[i].len);
        end += packets[i].len;
        if (sink->lines)
            *end++ = '\n';
    }
    return (size_t)(end - sink->buffer);
}

static bool wait_for_room(struct sink *sink, uint64_t deadline_ns)
{
    struct pollfd wait = { .fd = sink->fd, .events = POLLOUT };
    while (poll(&wait, 1, TICK_MS) <= 0) {
        if (interrupted() || clock_now_ns() >= deadline_ns) {
            sink->error = EINTR;
            return false;
        }
    }
    return true;
}

/* Returns how many bytes were written before an error, which is left in the sink. */
static size_t write_bytes(struct sink *sink, size_t len, uint64_t deadline_ns)
{
    /* A pipe that poll(2) calls writable takes so many bytes without blocking (pipe(7)). */
    const size_t most = sink->can_block ? PIPE_BUF : len;
    size_t at = 0;

    while (at < len && (!sink->can_block || wait_for_room(sink, deadline_ns))) {
        size_t part = len - at < most ? len - at : most;
        ssize_t written = write(sink->fd, sink->buffer + at, part);
        if (written >= 0) {
            at += (size_t)written;
        } else if (errno != EINTR && errno != EAGAIN) {
            sink->error = errno;
            break;
        }
    }
    return at;
}

bool sink_write(struct sink *sink, const struct udpbatch_received *packets, size_t n,
                uint64_t deadline_ns)
{
    size_t len = gather(sink, packets, n);
    size_t written = write_bytes(sink, len, deadline_ns);
    size_t end = 0;

    for (size_t i = 0; i < n; i++) {
        end += packets[i].len + sink->lines;
        if (end > written)
            break;
        sink->packets++;
        sink->bytes += packets[i].len;
    }
    return sink->error == 0;
}

void sink_close(struct sink *sink)
{
    free(sink->buffer);
    sink->buffer = NULL;
    if (sink->fd >= 0 && close(sink->fd) < 0 && sink->error == 0)
        sink->error = errno;
    sink->fd = -1;
}

void sink_explain(const struct sink *sink, struct reason *reason)
{
    if (sink->error == EINTR)
        reason_give(reason, "%s did not take all that was received", sink->name);
    else
        reason_give(reason, "cannot write %s: %s", sink->name, strerror(sink->error));
}
