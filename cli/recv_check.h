/* recv_check.h: whether what `udpbatch recv` was told goes together. */
#ifndef RECV_CHECK_H
#define RECV_CHECK_H

#include "recv_options.h"

bool recv_check(const struct recv_settings *settings, struct reason *reason);

#endif
