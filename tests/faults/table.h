/* table.h: the matrix as it is printed. */
#ifndef FAULTS_TABLE_H
#define FAULTS_TABLE_H

#include "matrix.h"

void table_add(const struct cell *cell, const struct result *result);
void table_print(void); /* the matrix, then what was accounted for */
/* Whether all that is said to be sent was received, and nothing else. */
bool table_adds_up(void);
/* Whether something was red, or a system call that is to be hit was not. */
bool table_is_green(bool is_whole);

#endif
