/* backends.h: the back ends of the library: which receive, and what to do if xdp cannot be had. */
#ifndef BACKENDS_H
#define BACKENDS_H

#include "cli.h"

/* Whether it does more than send. */
bool backend_receives(const char *name);

/* The back end that sends past the network stack: it needs a device, and privilege. */
#define BACKEND_XDP "xdp"
bool backend_is_xdp(const char *name); /* NULL: the best one, which never is */

/* Why a sender by xdp could not be opened, and what to do about it. */
const char *backend_explain_xdp(int error);

/* "copy", "zero-copy": how it gives frames to the device; "none" if it does not. */
const char *backend_xdp_mode(enum udpbatch_xdp_mode mode);

#endif
