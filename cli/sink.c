/* sink.c: where received packets are written, one after the other: as payloads or as a capture. */
#include "sink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "interrupt.h"
#include "printable.h"
#include "system.h"

/* The longest payload, and its newline. */
enum { SLOT = 65535 + 1 };

/* ---- How a batch is laid out ----------------------------------------------------------------- */

static bool lay_payloads(struct sink *sink, const struct udpbatch_received *packets, size_t n)
{
    unsigned char *end = sink->buffer;
    for (size_t i = 0; i < n; i++) {
        if (packets[i].len > 0)
            memcpy(end, packets[i].data, packets[i].len);
        if (sink->is_terminal)
            printable_make((char *)end, packets[i].len, terminal_has_utf_8(), "\n\t");
        end += packets[i].len;
        if (sink->lines)
            *end++ = '\n';
        sink->ends[i] = (size_t)(end - sink->buffer);
    }
    sink->laid = sink->buffer;
    return true;
}

static bool lay_records(struct sink *sink, const struct udpbatch_received *packets, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        capture_writer_add(sink->capture, &packets[i]);
        sink->ends[i] = capture_writer_len(sink->capture);
    }
    sink->laid = capture_writer_take(sink->capture);
    if (sink->laid == NULL)
        sink->error = ENOMEM;
    return sink->laid != NULL;
}

/* ---- How it is written ----------------------------------------------------------------------- */

static bool wait_for_room(struct sink *sink, uint64_t deadline_ns)
{
    while (!file_wait_to_write(sink->fd, TICK_MS)) {
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
        ssize_t written = file_write(sink->fd, sink->laid + at, part);
        if (written >= 0) {
            at += (size_t)written;
        } else if (errno != EINTR && errno != EAGAIN) {
            sink->error = errno;
            break;
        }
    }
    return at;
}

/* Takes the last bytes back from a file, unless others have written behind them. */
static void cut_back(const struct sink *sink, size_t len)
{
    const off_t end = lseek(sink->fd, 0, SEEK_CUR);
    struct stat status;

    if (end < (off_t)len || fstat(sink->fd, &status) < 0 || !S_ISREG(status.st_mode) ||
        status.st_size != end)
        return;
    if (ftruncate(sink->fd, end - (off_t)len) == 0)
        lseek(sink->fd, end - (off_t)len, SEEK_SET);
}

bool sink_write(struct sink *sink, const struct udpbatch_received *packets, size_t n,
                uint64_t deadline_ns)
{
    bool laid =
        sink->capture != NULL ? lay_records(sink, packets, n) : lay_payloads(sink, packets, n);
    if (!laid)
        return false;
    size_t written = write_bytes(sink, sink->ends[n - 1], deadline_ns);
    size_t whole = 0;
    for (size_t i = 0; i < n && sink->ends[i] <= written; i++) {
        whole = sink->ends[i];
        sink->packets++;
        sink->bytes += packets[i].len;
    }
    if (whole < written)
        cut_back(sink, written - whole);
    return sink->error == 0;
}

/* ---- Open and close -------------------------------------------------------------------------- */

/* Before the file is opened, which empties it. */
static bool make_room(struct sink *sink, const union udpbatch_addr *bound, struct reason *reason)
{
    if (bound != NULL) {
        sink->capture = capture_writer_open(bound, reason);
        return sink->capture != NULL;
    }
    sink->buffer = malloc((size_t)SINK_PACKETS * SLOT);
    return sink->buffer != NULL || reason_give(reason, "%s", words_of_error(ENOMEM));
}

/* At once: a reader may be waiting for it. */
static bool write_head(struct sink *sink, struct reason *reason)
{
    const size_t len = capture_writer_len(sink->capture);
    size_t written = 0;

    sink->laid = capture_writer_take(sink->capture);
    if (sink->laid == NULL)
        sink->error = ENOMEM;
    else
        written = write_bytes(sink, len, UINT64_MAX);
    if (sink->error == 0)
        return true;
    cut_back(sink, written);
    sink_explain(sink, reason);
    return false;
}

bool sink_open(struct sink *sink, const struct sink_settings *settings, struct reason *reason)
{
    const char *name = settings->name;
    const bool standard = name == NULL || strcmp(name, "-") == 0;

    *sink = (struct sink){ .name = standard ? "standard output" : name,
                           .fd = -1,
                           .lines = settings->lines };
    if (!make_room(sink, settings->bound, reason))
        return false;
    sink->fd = standard ? STDOUT_FILENO : file_open_to_write(name);
    if (sink->fd < 0)
        return reason_give(reason, "cannot write %s: %s", name, words_of_error(errno));
    sink->can_block = file_can_block(sink->fd);
    sink->is_terminal = terminal_is(sink->fd);
    if (sink->is_terminal && sink->capture != NULL)
        return reason_give(reason,
                           "%s is a terminal, and a capture no text, give --pcap a file or a pipe",
                           sink->name);
    return sink->capture == NULL || write_head(sink, reason);
}

/* What write(2) took survives the end of the process, and of a file system that reserves room late
 * (NFS, quotas) close(2) tells. fsync(2) would guard against a power failure alone, and makes those
 * wait who want the result. Which packets a failed close has lost is not told. */
void sink_close(struct sink *sink)
{
    free(sink->buffer);
    sink->buffer = NULL;
    capture_writer_close(sink->capture);
    sink->capture = NULL;
    if (sink->fd >= 0 && close(sink->fd) < 0) {
        sink->error = sink->error != 0 ? sink->error : errno;
        sink->packets = sink->bytes = 0;
    }
    sink->fd = -1;
}

void sink_explain(const struct sink *sink, struct reason *reason)
{
    if (sink->error == EINTR)
        reason_give(reason, "%s did not take all that was received", sink->name);
    else
        reason_give(reason, "cannot write %s: %s", sink->name, words_of_error(sink->error));
}
