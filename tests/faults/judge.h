/* judge.h: what the manual promises (udpbatch_send(3), udpbatch_error(3), udpbatch(7)), asked of
 * what a load has become. */
#ifndef FAULTS_JUDGE_H
#define FAULTS_JUDGE_H

#include "cell.h"

/* Names what is wrong with the cell at hand; the first counts. */
void cell_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

void judge_begin(const struct cell *cell);

/* After each call of the library, with the packets of that call, which are of the load. */
void judge_tally(const struct udpbatch_tally *tally, const struct udpbatch_packet *packets,
                 size_t n, const struct record *record);

/* When all is over: waits for what was sent, and counts. */
void judge_end(const struct udpbatch_sender *sender, const struct record *record,
               struct result *result);

#endif
