/* matrix.h: which cells there are. */
#ifndef FAULTS_MATRIX_H
#define FAULTS_MATRIX_H

#include "cell.h"

enum { WAYS_MOST = 10, COLUMNS_MOST = 64 };

/* A way and one of its system calls: a column of the matrix, or a row where there are many. */
struct column {
    const struct way_of_cell *way;
    enum call call;
};

extern struct way_of_cell ways[WAYS_MOST];
extern size_t way_count;
extern struct column columns[COLUMNS_MOST];
extern size_t column_count;

/* Finds the ways of this library, and looks at each by cells without a fault. Returns whether all
 * can be opened here; it says which cannot. */
bool matrix_open(uint64_t seed, struct result (*try_it)(const struct cell *cell));

/* Calls `visit` for each cell that is laid down, in the order of their numbers, which are the same
 * whatever is visited. */
void matrix_walk(void (*visit)(const struct cell *cell));
uint32_t matrix_end(void); /* the number behind them, known after a walk */

/* From there on each number is a cell with several faults by chance. */
struct cell matrix_by_chance(uint32_t number);

#endif
