/* packets.h: the parts of fuzz_packets.c. */
#ifndef PACKETS_H
#define PACKETS_H

#include "cli.h"

#include "fuzz.h"

/* Any bytes as a captured frame: a part of it gives what all of it gives, or says that it is a
 * part. */
void try_frame(struct fuzz_input *input);

/* A datagram with the headers that ip_headers_write makes is found again behind each link. */
void try_headers(struct fuzz_input *input);

/* Any bytes as a payload that may be numbered: what is read is written again. */
void try_numbered(struct fuzz_input *input);

/* Numbered packets of several senders, in any order. */
void try_streams(struct fuzz_input *input);

/* What `send --count` makes, none of which is lost. */
void try_numbered_source(struct fuzz_input *input);

#endif
