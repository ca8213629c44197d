/* files.h: the parts of fuzz_files.c, and what they share. */
#ifndef FILES_H
#define FILES_H

#include "cli.h"

#include "address_map.h"
#include "fuzz.h"

/* Any bytes as a file, cut into payloads. */
void try_payloads(struct fuzz_input *input);

/* Any bytes as a capture. */
void try_capture(struct fuzz_input *input);

/* What `recv --pcap` writes, read again. */
void try_written(struct fuzz_input *input);

/* How many bytes a read or write takes at most; 0: all. */
size_t take_part(struct fuzz_input *input);

/* How `send --pcap` reads. */
struct capture_way {
    const struct address_map *map; /* or NULL */
    double speed;
    size_t part;
};

/* Reads the capture by capture_source, and compares with what libpcap and capture_parse by
 * themselves find. Returns the number of datagrams. */
size_t compare_capture(const char *name, const struct capture_way *way);

#endif
