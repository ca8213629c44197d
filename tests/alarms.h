/* alarms.h: a signal every millisecond, which a handler counts.
 */
#ifndef ALARMS_H
#define ALARMS_H

#include <stdbool.h>

/* From now on, with a handler that is SA_RESTART or not, and calls a function, or none. At the
 * latest they end with the test. */
void alarms_begin(bool restarts, void (*act)(void));
void alarms_end(void);
unsigned alarms_count(void); /* that have come since they began */

#endif
