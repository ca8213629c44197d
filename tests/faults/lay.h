/* lay.h: how cells are laid: what matrix.c has for those who lay them. */
#ifndef FAULTS_LAY_H
#define FAULTS_LAY_H

#include "matrix.h"

#include "../chance.h"

/* So many packets per call of the library, so that the ring is kicked more than once. */
enum { PART_OF_KICK = 8 };

/* The next number, and chances of its own, so that it can be repeated by itself. */
struct cell begin_cell(const struct column *column, const struct what *what, enum place place);
void add_fault(struct cell *cell, const struct what *what, uint32_t at, uint32_t times);
void lay_cell(const struct cell *cell); /* it is visited */

/* A load that has a message at that place, and how it goes there. */
void choose_load(struct cell *cell, const struct workload *workloads, size_t count, uint32_t at);
/* How many messages there will be at least, for faults to be met by. */
uint32_t packets_of(const struct workload *workload);
uint32_t messages_of(const struct cell *cell, const struct workload *workload);

bool is_xdp(const struct way_of_cell *way);

/* All cells of a column and an error. */
void lay_sends(const struct column *column, const struct what *what);
void lay_pressed(const struct column *column, const struct what *what);
void lay_kicks(const struct column *column, const struct what *what);
void lay_others(const struct column *column, const struct what *what);

#endif
