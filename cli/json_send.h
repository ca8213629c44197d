/* json_send.h: what was sent, for programs. */
#ifndef JSON_SEND_H
#define JSON_SEND_H

#include "report_send.h"

/* One object in one line on stdout, at once. Returns false if there is no memory for it. */
bool json_send(const struct send_result *result);

#endif
