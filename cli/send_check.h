/* send_check.h: whether what `udpbatch send` was told goes together. */
#ifndef SEND_CHECK_H
#define SEND_CHECK_H

#include <stdio.h>

#include "send_options.h"

/* Also looks up the interface. */
bool send_check(struct send_settings *settings, struct reason *reason);

/* The same of the targets, when the list is read, if there is one: that is done first, and it is
 * closed. */
bool send_check_targets(struct send_settings *settings, FILE *list, struct reason *reason);

/* Whether the packets are made here. */
bool send_is_numbered(const struct send_settings *settings);

#endif
