/* witness.c: reads the messages where they are: who looks and who sends see the same memory. */
#define _GNU_SOURCE
#include "witness.h"

#include <errno.h>

const struct msghdr *message_of(const struct attempt *attempt, size_t i)
{
    return attempt->message != NULL ? attempt->message : &attempt->messages[i].msg_hdr;
}

/* Calls `tell` for each packet in the message; returns how many. */
static size_t for_each_packet(const struct msghdr *message, struct record *record,
                              void (*tell)(struct record *record, struct met *met))
{
    size_t payload, before, count = 0;

    for (size_t i = 0; i < (size_t)message->msg_iovlen; i++) {
        const unsigned char *data = message->msg_iov[i].iov_base;
        size_t rest = message->msg_iov[i].iov_len;
        while (rest > 0) {
            if (!load_payload_at(data, &payload, &before)) {
                record->was_unreadable = true;
                return count;
            }
            size_t part = load_len(payload) - before;
            part = part < rest ? part : rest;
            size_t packet = load_packet_of(payload, message->msg_name);
            if (packet != NO_PACKET && before == 0)
                tell(record, &record->packets[packet]);
            count += before == 0;
            data += part;
            rest -= part;
        }
    }
    return count;
}

static void tell_nothing(struct record *record, struct met *met)
{
    (void)record;
    (void)met;
}

static void tell_taken(struct record *record, struct met *met)
{
    (void)record;
    met->taken++;
}

static void tell_refused(struct record *record, struct met *met)
{
    met->last_error = record->send_error;
    met->was_alone = record->was_alone;
    if (meaning_of(met->last_error) != UDPBATCH_BUSY)
        met->refusals++;
    if (!record->was_alone || record->last_alone != met)
        met->alone = 0;
    met->alone += record->was_alone;
    record->last_alone = record->was_alone ? met : NULL;
}

void witness_taken(const struct attempt *attempt, size_t count, struct record *record)
{
    for (size_t i = 0; i < count; i++)
        for_each_packet(message_of(attempt, i), record, tell_taken);
    record->taken += (uint32_t)count;
    record->last_alone = NULL;
}

void witness_refused(const struct attempt *attempt, int error, struct record *record)
{
    const struct msghdr *message = message_of(attempt, 0);

    record->was_alone = for_each_packet(message, record, tell_nothing) == 1;
    record->send_error = error;
    if (meaning_of(error) == UDPBATCH_SOCKET)
        record->socket_errors[error] = true;
    for_each_packet(message, record, tell_refused);
    if (meaning_of(error) == UDPBATCH_BUSY)
        record->last_alone = NULL;
}
