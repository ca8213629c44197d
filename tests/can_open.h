/* can_open.h: what this machine cannot do is left out of a test, which says so; with CI set it is a
 * failure.
 */
#ifndef CAN_OPEN_H
#define CAN_OPEN_H

#include <stdbool.h>

/* Whether a sender by this back end can be opened, at near (two_hosts.h); *reason is why not. */
bool can_open(const char *backend, const char **reason);

/* Says that it is not checked; true where that is to be a failure (CI). */
bool not_checked(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
