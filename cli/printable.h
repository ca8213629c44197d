/* printable.h: text from elsewhere, so that a terminal shows it and does nothing for it. */
#ifndef PRINTABLE_H
#define PRINTABLE_H

#include "cli.h"

/* Puts `?` in the place of each byte of text[0 .. len) that is not of a printable character, nor
 * one of those in `also`. A character is one of ASCII, or of UTF-8 if that is what is shown: to a
 * terminal of another set, a byte of it alone may be an order. */
void printable_make(char *text, size_t len, bool utf_8, const char *also);

#endif
