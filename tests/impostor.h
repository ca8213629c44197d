/* impostor.h: what may take the place of a descriptor that a sender has, by dup2(2).
 */
#ifndef IMPOSTOR_H
#define IMPOSTOR_H

#include "support.h"

/* In the place of a status: refused, for any errno. */
#define REFUSED INT32_MIN

struct impostor {
    const char *name;
    int32_t status;   /* of an IPv4 packet that is sent by it */
    int fd;           /* -1: nothing, the descriptor is closed */
    int other;        /* where anything written would show; or -1 */
    bool has_no_room; /* poll(2) never says that it can be written to */
};

/* Makes the one of that number; false if there are no more. */
bool impostor_make(struct impostor *impostor, size_t which);

/* It has the descriptor's number from now on. */
void impostor_take_place(struct impostor *impostor, int fd);

/* Nothing was written into it. */
void impostor_expect_untouched(const struct impostor *impostor);

void impostor_end(struct impostor *impostor);

#endif
