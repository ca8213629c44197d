/* beside.h: a thread that does one thing over and over, beside what is tested.
 */
#ifndef BESIDE_H
#define BESIDE_H

/* At least once; until it is told to end, or the test ends. */
void beside_begin(void (*act)(void));
void beside_end(void);

#endif
