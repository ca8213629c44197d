/* statistics_send.h: what the library counted of sending, for people, and the words for it. */
#ifndef STATISTICS_SEND_H
#define STATISTICS_SEND_H

#include <stdio.h>

#include "cli.h"
#include "report_send.h"

/* Trains of size i have from so many to so many packets; size 0 is a packet by itself. */
unsigned statistics_train_from(size_t i);
unsigned statistics_train_to(size_t i);

/* Whose trouble a refusal is, in a word; NULL for UDPBATCH_NO_ERROR. */
const char *statistics_kind(size_t meaning);

/* Why a packet went by the socket and not past the stack, in a word; NULL for
 * UDPBATCH_DETOUR_NONE. */
const char *statistics_detour(size_t detour);

/* "label                 12" */
void statistics_print_row(FILE *file, const char *label, uint64_t figure);

/* A row per figure, of less than 40 columns, on stdout. */
void statistics_send(const struct send_result *result);

#endif
