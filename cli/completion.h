/* completion.h: what a shell has to know to complete the words of a command line, from the tables
 * of options. One file per shell. */
#ifndef COMPLETION_H
#define COMPLETION_H

#include "options.h"

#include <stdio.h>

/* What can stand for an argument. */
enum offer { OFFER_NOTHING, OFFER_WORDS, OFFER_FILES, OFFER_INTERFACES };

/* By its name, as in option_row. */
enum offer completion_offer(const char *argument);

/* The words of OFFER_WORDS, with spaces between them. Of the back ends, only those that the option
 * takes; `row` is NULL for an operand. */
void completion_write_words(const char *argument, const struct option_row *row, FILE *file);

/* Write a script for the shell to read. */
void completion_write_bash(FILE *file);
void completion_write_zsh(FILE *file);

#endif
