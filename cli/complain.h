/* complain.h: one line on stderr for whatever goes wrong. */
#ifndef COMPLAIN_H
#define COMPLAIN_H

#include "cli.h"

/* Why a text was not taken, said to the user; so worded that it says what to write instead. */
struct reason {
    char text[512];
};

/* Fills in the reason. Returns false, so that a parser ends with `return reason_give(...)`. */
__attribute__((format(PRINTF_STYLE, 2, 3))) bool reason_give(struct reason *reason,
                                                             const char *format, ...);

/* Complaints begin with "udpbatch SUBCOMMAND: " from here on. The name is retained. */
void complain_as(const char *subcommand);

__attribute__((format(PRINTF_STYLE, 1, 2))) void complain(const char *format, ...);

/* What strerror(3) says, also of the errnos of sockets, for which some systems have no words. */
const char *words_of_error(int error);

#endif
