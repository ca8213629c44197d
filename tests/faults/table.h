/* table.h: the matrix as it is printed. */
#ifndef FAULTS_TABLE_H
#define FAULTS_TABLE_H

#include "matrix.h"

/* A cell whose fault was not met is red, and nothing of it is accounted for. */
void table_add(const struct cell *cell, const struct result *result);
void table_print(void); /* the matrix, then what was accounted for */

#endif
