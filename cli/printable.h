/* printable.h: text from elsewhere, so that a terminal shows it and does nothing for it. */
#ifndef PRINTABLE_H
#define PRINTABLE_H

#include "cli.h"

/* Puts `?` in the place of each byte of text[0 .. len) that is not of a printable character in
 * UTF-8, nor one of those in `also`. */
void printable_make(char *text, size_t len, const char *also);

#endif
