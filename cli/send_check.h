/* send_check.h: whether what `udpbatch send` was told goes together. */
#ifndef SEND_CHECK_H
#define SEND_CHECK_H

#include "send_options.h"

/* Also reads the file of targets, and looks up the interface. */
bool send_check(struct send_settings *settings, struct reason *reason);

/* Whether the packets are made here. */
bool send_is_numbered(const struct send_settings *settings);

#endif
