/* sums.h: what was accounted for. */
#ifndef FAULTS_SUMS_H
#define FAULTS_SUMS_H

#include "matrix.h"

void sums_add(const struct cell *cell, const struct result *result);
void sums_print(void);
/* Whether all that is said to be sent was received, and nothing else; says what is not. */
bool sums_add_up(void);
/* Whether the cells of W8, if some were tried, met the kernel's own back pressure. */
bool sums_have_pressure(void);

#endif
