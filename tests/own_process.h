/* own_process.h: what tests of their own process share: children, and what a process has.
 */
#ifndef OWN_PROCESS_H
#define OWN_PROCESS_H

#include "support.h"

#include <sys/types.h>

/* Ends a child, which asserts nothing, as it would go on with the tests; and waits for one that is
 * to have ended well. */
void leave(bool is_well);
void expect_well(pid_t child);

/* And both at once, for any thread and handler: the program is aborted if it cannot. */
void fork_one_that_leaves(void);

size_t count_descriptors(void);

/* For a child. Lets a function open and close what it likes, and return an errno: with so many
 * kilobytes more each time, until they are enough. Whether all others failed for ENOMEM, and
 * nothing stayed of them: of memory that would take what is more. */
bool opens_with_little_memory(int (*open_and_close)(void), unsigned step_kb);

#endif
