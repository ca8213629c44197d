/* mdoc_words.h: the details of options, word by word. Pure. */
#ifndef MDOC_WORDS_H
#define MDOC_WORDS_H

#include "cli.h"

/* A part of a text that is not a string of its own. */
struct piece {
    const char *text;
    int len;
};

struct piece piece_of(const char *text, size_t len);
struct piece piece_after(struct piece piece, int begin); /* without its first characters */
bool piece_is(struct piece piece, const char *text);
bool piece_begins(struct piece piece, const char *text);
bool piece_has(struct piece piece, char c);
bool piece_consists_of(struct piece piece, const char *characters);

/* Whether it is one of the words that have any of the characters `between` them. */
bool piece_is_one_of(struct piece piece, const char *words, const char *between);

/* A word in the order of the text: "(FILE's)." is ( FILE 's ). and what is between ` ` or " "
 * is one core, with these. */
struct word {
    struct piece opening, core, glued, closing;
};

/* Takes a word from *text. Returns false at the end. */
bool mdoc_next_word(const char **text, struct word *word);

bool mdoc_ends_sentence(const struct word *word);

#endif
