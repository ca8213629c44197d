/* capture_reader.c: reads a capture ahead, in a thread of its own. */
#include "capture_reader.h"

#ifdef HAVE_LIBPCAP

#include <errno.h>
#include <pcap/pcap.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"

/* ---- Open ----------------------------------------------------------------------------------- */

static bool link_of(int type, enum capture_link *link)
{
    /* clang-format off */
    static const struct { int type; enum capture_link link; } rows[] = {
        { DLT_EN10MB, CAPTURE_ETHERNET },
        { DLT_LINUX_SLL, CAPTURE_COOKED },
        { DLT_LINUX_SLL2, CAPTURE_COOKED_2 },
        { DLT_NULL, CAPTURE_FAMILY },
        { DLT_LOOP, CAPTURE_FAMILY },
        /* Raw IP has had several numbers. */
        { DLT_RAW, CAPTURE_RAW },
        { 12, CAPTURE_RAW },
        { 14, CAPTURE_RAW },
        { 101, CAPTURE_RAW },
        { DLT_IPV4, CAPTURE_RAW },
        { DLT_IPV6, CAPTURE_RAW },
    };
    /* clang-format on */
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].type == type) {
            *link = rows[i].link;
            return true;
        }
    return false;
}

static bool refuse_link(const struct capture_reader *reader, struct reason *reason)
{
    const int type = pcap_datalink(reader->pcap);
    const char *name = pcap_datalink_val_to_name(type);

    return reason_give(reason,
                       "%s: its link type is %s (%d); there are Ethernet, Linux cooked, raw IP "
                       "and BSD loopback",
                       reader->file.name, name != NULL ? name : "not known", type);
}

static bool open_pcap(struct capture_reader *reader, struct reason *reason)
{
    char why[PCAP_ERRBUF_SIZE];

    reader->pcap = pcap_fopen_offline_with_tstamp_precision(reader->file.stream,
                                                            PCAP_TSTAMP_PRECISION_NANO, why);
    if (reader->pcap != NULL)
        return true;
    return reason_give(reason, "cannot read %s: %s", reader->file.name,
                       capture_file_is_given_up(&reader->file) ? words_of_error(EINTR) : why);
}

static void prepare_locks(struct capture_reader *reader)
{
    pthread_condattr_t attributes;

    pthread_mutex_init(&reader->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&reader->changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

bool capture_reader_open(struct capture_reader *reader, const struct capture_settings *settings,
                         struct reason *reason)
{
    memset(reader, 0, sizeof *reader);
    prepare_locks(reader);
    reader->map = settings->map;
    reader->incoming = calloc(1, sizeof *reader->incoming);
    if (reader->incoming == NULL)
        return reason_give(reason, "%s", words_of_error(ENOMEM));
    return capture_file_open(&reader->file, settings->name, reason);
}

bool capture_reader_begin(struct capture_reader *reader, struct reason *reason)
{
    return open_pcap(reader, reason) &&
           (link_of(pcap_datalink(reader->pcap), &reader->link) || refuse_link(reader, reason));
}

/* ---- The thread ----------------------------------------------------------------------------- */

static void hand_over(struct capture_reader *reader)
{
    reader->ready = true;
    pthread_cond_broadcast(&reader->changed);
}

/* Called before a wait for a pipe: what came before must not wait with it. */
static void hand_over_what_came(void *that)
{
    struct capture_reader *reader = that;

    pthread_mutex_lock(&reader->mutex);
    if (reader->incoming->count > 0)
        hand_over(reader);
    pthread_mutex_unlock(&reader->mutex);
}

static bool has_room(const struct capture_batch *batch, size_t len)
{
    return batch->count < CAPTURE_PACKETS && len <= CAPTURE_BYTES - batch->used;
}

/* An empty payload has a place as well, so that those around it lie side by side. */
static void put(struct capture_batch *batch, const struct captured_datagram *datagram,
                uint64_t captured_ns, uint64_t position, bool addressed)
{
    const size_t i = batch->count++;
    unsigned char *data = batch->bytes + batch->used;

    memcpy(data, datagram->data, datagram->len);
    batch->used += datagram->len;
    batch->to[i] = datagram->to;
    batch->captured_ns[i] = captured_ns;
    batch->position[i] = position;
    batch->payloads[i] = (struct udpbatch_packet){ .data = data,
                                                   .len = (uint32_t)datagram->len,
                                                   .to = addressed ? &batch->to[i] : NULL };
}

static void skip(struct capture_skipped *skipped, enum capture_verdict verdict)
{
    skipped->other += verdict == CAPTURE_OTHER;
    skipped->fragments += verdict == CAPTURE_FRAGMENT;
    skipped->truncated += verdict == CAPTURE_TRUNCATED;
    skipped->damaged += verdict == CAPTURE_DAMAGED;
}

static uint64_t time_of(const struct pcap_pkthdr *header)
{
    return (uint64_t)header->ts.tv_sec * NS_PER_SECOND + (uint64_t)header->ts.tv_usec;
}

/* With the mutex. */
static void take(struct capture_reader *reader, struct captured_datagram *datagram,
                 uint64_t captured_ns)
{
    union udpbatch_addr to = datagram->to;

    if (reader->map != NULL && !address_map_find(reader->map, &to, &datagram->to)) {
        reader->skipped.unmapped++;
        return;
    }
    while (!has_room(reader->incoming, datagram->len) && !capture_file_is_given_up(&reader->file)) {
        hand_over(reader);
        pthread_cond_wait(&reader->changed, &reader->mutex);
    }
    if (has_room(reader->incoming, datagram->len))
        put(reader->incoming, datagram, captured_ns, capture_file_position(&reader->file),
            reader->map != NULL);
}

static void take_frame(struct capture_reader *reader, const struct pcap_pkthdr *header,
                       const unsigned char *bytes)
{
    const struct captured_frame frame = { bytes, header->caplen, header->len };
    struct captured_datagram datagram;
    const enum capture_verdict verdict = capture_parse(reader->link, &frame, &datagram);

    pthread_mutex_lock(&reader->mutex);
    if (verdict == CAPTURE_DATAGRAM)
        take(reader, &datagram, time_of(header));
    else
        skip(&reader->skipped, verdict);
    pthread_mutex_unlock(&reader->mutex);
}

static void *read_all(void *that)
{
    struct capture_reader *reader = that;
    struct pcap_pkthdr *header;
    const unsigned char *bytes;
    int code = 1;

    while (!capture_file_is_given_up(&reader->file) &&
           (code = pcap_next_ex(reader->pcap, &header, &bytes)) == 1)
        take_frame(reader, header, bytes);
    pthread_mutex_lock(&reader->mutex);
    reader->ended = true;
    reader->failed =
        code != 1 && code != PCAP_ERROR_BREAK && !capture_file_is_given_up(&reader->file);
    pthread_cond_broadcast(&reader->changed);
    pthread_mutex_unlock(&reader->mutex);
    return NULL;
}

/* Signals are for the thread that sends: they end its waits. */
static bool begin_thread(struct capture_reader *reader)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    reader->file.that = reader;
    reader->file.wait_begins = hand_over_what_came;
    reader->has_thread = pthread_create(&reader->thread, NULL, read_all, reader) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return reader->has_thread;
}

/* ---- What it gives -------------------------------------------------------------------------- */

static struct timespec deadline_after(int timeout_ms)
{
    struct timespec deadline;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_nsec += (long)(timeout_ms % 1000) * NS_PER_MS;
    deadline.tv_sec += timeout_ms / 1000 + deadline.tv_nsec / NS_PER_SECOND;
    deadline.tv_nsec %= NS_PER_SECOND;
    return deadline;
}

/* With the mutex. */
static void wait_until_ready(struct capture_reader *reader, int timeout_ms)
{
    const struct timespec deadline = deadline_after(timeout_ms);
    int error = 0;

    while (!reader->ready && !reader->ended && error == 0)
        error = pthread_cond_timedwait(&reader->changed, &reader->mutex, &deadline);
}

/* With the mutex. */
static enum capture_news exchange(struct capture_reader *reader, struct capture_batch **batch)
{
    struct capture_batch *next = reader->incoming;

    if (next->count == 0 && reader->ended)
        return reader->failed ? CAPTURE_FAILED : CAPTURE_END;
    if (!reader->ready && !reader->ended)
        return CAPTURE_NOTHING;
    reader->incoming = *batch;
    reader->incoming->count = reader->incoming->used = 0;
    reader->ready = false;
    *batch = next;
    pthread_cond_broadcast(&reader->changed);
    return CAPTURE_MORE;
}

enum capture_news capture_reader_next(struct capture_reader *reader, struct capture_batch **batch,
                                      int timeout_ms)
{
    if (!reader->has_thread && !begin_thread(reader))
        return CAPTURE_FAILED;
    pthread_mutex_lock(&reader->mutex);
    wait_until_ready(reader, timeout_ms);
    enum capture_news news = exchange(reader, batch);
    pthread_mutex_unlock(&reader->mutex);
    return news;
}

struct capture_skipped capture_reader_skipped(struct capture_reader *reader)
{
    pthread_mutex_lock(&reader->mutex);
    struct capture_skipped skipped = reader->skipped;
    pthread_mutex_unlock(&reader->mutex);
    return skipped;
}

size_t capture_reader_waiting(struct capture_reader *reader)
{
    pthread_mutex_lock(&reader->mutex);
    size_t count = reader->incoming->count;
    pthread_mutex_unlock(&reader->mutex);
    return count;
}

void capture_reader_explain(const struct capture_reader *reader, struct reason *reason)
{
    reason_give(reason, "cannot read %s: %s", reader->file.name,
                reader->has_thread ? pcap_geterr(reader->pcap) : words_of_error(EAGAIN));
}

/* ---- Close ---------------------------------------------------------------------------------- */

static void end_thread(struct capture_reader *reader)
{
    pthread_mutex_lock(&reader->mutex);
    atomic_store(&reader->file.given_up, true);
    pthread_cond_broadcast(&reader->changed);
    pthread_mutex_unlock(&reader->mutex);
    pthread_join(reader->thread, NULL);
}

void capture_reader_close(struct capture_reader *reader)
{
    if (reader->has_thread)
        end_thread(reader);
    if (reader->pcap != NULL)
        pcap_close(reader->pcap); /* and with it the stream */
    else if (reader->file.stream != NULL)
        fclose(reader->file.stream);
    free(reader->incoming);
    pthread_cond_destroy(&reader->changed);
    pthread_mutex_destroy(&reader->mutex);
}

#endif
