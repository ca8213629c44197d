/* statistics_recv.h: what the library counted of receiving, for people. */
#ifndef STATISTICS_RECV_H
#define STATISTICS_RECV_H

#include "report_recv.h"

/* A row per figure, of less than 40 columns, on stderr. */
void statistics_recv(const struct recv_result *result);

#endif
