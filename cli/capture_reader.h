/* capture_reader.h: reads a capture ahead, in a thread of its own.
 *
 * libpcap reads a record as a whole or waits for it, and the writer of a pipe may stop in the
 * middle of one for as long as it likes: what is due must leave nevertheless. */
#ifndef CAPTURE_READER_H
#define CAPTURE_READER_H

#include "cli.h"

#include <pthread.h>

#include "capture_file.h"
#include "capture_parse.h"
#include "capture_source.h"

enum { CAPTURE_PACKETS = 1024, CAPTURE_BYTES = 1 << 20 };

/* Payloads, side by side in memory: to one target they leave as trains. */
struct capture_batch {
    size_t count;
    size_t used; /* of the bytes */
    struct udpbatch_packet payloads[CAPTURE_PACKETS];
    uint64_t captured_ns[CAPTURE_PACKETS];
    uint64_t position[CAPTURE_PACKETS]; /* in the file, behind the packet */
    union udpbatch_addr to[CAPTURE_PACKETS];
    unsigned char bytes[CAPTURE_BYTES];
};

struct capture_reader {
    struct capture_file file;
    struct pcap *pcap;
    enum capture_link link;
    const struct address_map *map; /* NULL: payloads have no address */
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;

    /* Under the mutex. */
    struct capture_batch *incoming;
    bool ready; /* incoming is full, or nothing more is there for now */
    bool ended;
    bool failed; /* and that was before the end */
    struct capture_skipped skipped;
};

/* Opens the file, whose name and map have to last, and reads nothing of it. Zeroes the reader
 * first. */
bool capture_reader_open(struct capture_reader *reader, const struct capture_settings *settings,
                         struct reason *reason);

/* Reads what the capture begins with, and waits for it. */
bool capture_reader_begin(struct capture_reader *reader, struct reason *reason);

enum capture_news { CAPTURE_NOTHING, CAPTURE_MORE, CAPTURE_END, CAPTURE_FAILED };

/* Gives the batch, whose payloads were all taken, for the next one. Waits for it at most so long.
 * CAPTURE_END and CAPTURE_FAILED come when there is none left. */
enum capture_news capture_reader_next(struct capture_reader *reader, struct capture_batch **batch,
                                      int timeout_ms);

/* What was skipped so far; payloads that wait to be given. */
struct capture_skipped capture_reader_skipped(struct capture_reader *reader);
size_t capture_reader_waiting(struct capture_reader *reader);

/* Says why it failed. */
void capture_reader_explain(const struct capture_reader *reader, struct reason *reason);

/* Also of one that could not be opened. */
void capture_reader_close(struct capture_reader *reader);

#endif
