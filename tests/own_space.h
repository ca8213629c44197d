/* own_space.h: a user namespace, for tests that make networks. */
#ifndef OWN_SPACE_H
#define OWN_SPACE_H

#include <stdbool.h>

/* Moves the process into a user namespace of its own, in which it is root: what `unshare -Ur` does.
 * Returns false if that is not to be had. */
bool become_root_of_own(void);

#endif
