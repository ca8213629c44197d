/* numbered.c: the header of numbered packets, to and from its bytes. */
#include "numbered.h"

/* Its first byte is none that a text in UTF-8 has; the rest is "udp" in ASCII. */
#define MAGIC UINT32_C(0xf5756470)

/* Where each member begins. */
enum { MAGIC_AT = 0, STREAM_AT = 4, NUMBER_AT = 8, TOTAL_AT = 16, SENT_AT = 24 };

static void put32(unsigned char *bytes, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        bytes[i] = (unsigned char)(value >> (24 - 8 * i));
}

static void put64(unsigned char *bytes, uint64_t value)
{
    put32(bytes, (uint32_t)(value >> 32));
    put32(bytes + 4, (uint32_t)value);
}

static uint32_t get32(const unsigned char *bytes)
{
    uint32_t value = 0;
    for (int i = 0; i < 4; i++)
        value = value << 8 | bytes[i];
    return value;
}

static uint64_t get64(const unsigned char *bytes)
{
    return (uint64_t)get32(bytes) << 32 | get32(bytes + 4);
}

void numbered_write(const struct numbered *header, unsigned char bytes[NUMBERED_BYTES])
{
    put32(bytes + MAGIC_AT, MAGIC);
    put32(bytes + STREAM_AT, header->stream);
    put64(bytes + NUMBER_AT, header->number);
    put64(bytes + TOTAL_AT, header->total);
    numbered_stamp(bytes, header->sent_ns);
}

void numbered_stamp(unsigned char bytes[NUMBERED_BYTES], uint64_t sent_ns)
{
    put64(bytes + SENT_AT, sent_ns);
}

/* A number that is not below the total is none that a sender writes. */
bool numbered_read(struct numbered *header, const void *data, size_t len)
{
    const unsigned char *bytes = data;

    if (len < NUMBERED_BYTES || get32(bytes + MAGIC_AT) != MAGIC)
        return false;
    *header = (struct numbered){ .stream = get32(bytes + STREAM_AT),
                                 .number = get64(bytes + NUMBER_AT),
                                 .total = get64(bytes + TOTAL_AT),
                                 .sent_ns = get64(bytes + SENT_AT) };
    return header->total == 0 || header->number < header->total;
}
