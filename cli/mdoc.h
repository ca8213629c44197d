/* mdoc.h: a table of options as a list in mdoc(7), for the manual.
 *
 * `detail` of an option is plain English in full sentences, of which each begins a new line. These
 * words of it are marked by themselves:
 *
 *   FILE              an argument, or a part of one, of any option of the subcommand    .Ar FILE
 *   --size, -s        an option                                                         .Fl Fl size
 *   --backend xdp     with one of the words that it takes                .Fl Fl backend Cm xdp
 *   `x y`             what is typed                                                     .Li "x y"
 *   `HOST`, `xdp`     if it is an argument, or a word that an option takes              .Ar, .Cm
 *   udpbatch_send(3)  another page                                           .Xr udpbatch_send 3
 *   SO_BROADCAST      a constant: capitals with an underscore, or SIG...       .Dv SO_BROADCAST
 *   "Results"         a section of the page                                          .Sx Results
 *
 * What is between ` ` or " " is one such word. Punctuation around a word stays outside the mark. */
#ifndef MDOC_H
#define MDOC_H

#include "options.h"

#include <stdio.h>

/* Writes the list, with --help as its last item. */
void mdoc_write_options(const struct command *command, FILE *file);

#endif
