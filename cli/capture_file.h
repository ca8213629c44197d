/* capture_file.h: a file or pipe for libpcap to read, of which a wait can be given up. */
#ifndef CAPTURE_FILE_H
#define CAPTURE_FILE_H

#include "cli.h"

#include <stdatomic.h>
#include <stdio.h>

#include "complain.h"

struct capture_file {
    const char *name;
    int fd;
    FILE *stream;    /* given up, it fails by EINTR */
    uint64_t length; /* bytes from where it is read; 0: not known */
    uint64_t taken;  /* bytes that the stream got */
    char buffer[1 << 16];

    /* Set before a thread of its own reads it. Until then Ctrl-C gives up. */
    void (*wait_begins)(void *that); /* called before a wait for more */
    void *that;
    atomic_bool given_up;
};

/* Opens the file, or standard input if the name is "-". */
bool capture_file_open(struct capture_file *file, const char *name, struct reason *reason);

bool capture_file_is_given_up(const struct capture_file *file);

/* Bytes that were read from the stream. */
uint64_t capture_file_position(const struct capture_file *file);

#endif
