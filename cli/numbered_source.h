/* numbered_source.h: packets made here, numbered, until there were enough. */
#ifndef NUMBERED_SOURCE_H
#define NUMBERED_SOURCE_H

#include "numbered.h"
#include "source.h"

/* As many payloads as are cut at a time, at most: less than 64 MiB of the largest. */
enum { NUMBERED_PAYLOADS = 1024 };

struct numbered_source {
    struct source source; /* its length and taken are in packets */
    struct numbered next;
    unsigned char *buffer; /* of as many payloads as are cut at a time, each source.size bytes */
    size_t room;           /* payloads */
};

/* `count` packets, and `is_sure` if there will be no fewer; 0: without an end. */
bool numbered_source_open(struct numbered_source *numbered, size_t size, uint64_t count,
                          bool is_sure, struct reason *reason);

#endif
