/* json_recv.h: what was received, for programs. */
#ifndef JSON_RECV_H
#define JSON_RECV_H

#include "report_recv.h"

/* One object in one line on stdout, at once. Returns false if there is no memory for it. */
bool json_recv(const struct recv_result *result);

#endif
