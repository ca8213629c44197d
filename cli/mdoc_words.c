/* mdoc_words.c: the details of options, word by word. Pure. */
#include "mdoc_words.h"

#include <string.h>

/* ---- Pieces of text ------------------------------------------------------------------------- */

struct piece piece_of(const char *text, size_t len)
{
    return (struct piece){ text, (int)len };
}

struct piece piece_after(struct piece piece, int begin)
{
    return (struct piece){ piece.text + begin, piece.len - begin };
}

bool piece_is(struct piece piece, const char *text)
{
    return strlen(text) == (size_t)piece.len && memcmp(piece.text, text, strlen(text)) == 0;
}

bool piece_begins(struct piece piece, const char *text)
{
    return strlen(text) <= (size_t)piece.len && memcmp(piece.text, text, strlen(text)) == 0;
}

bool piece_has(struct piece piece, char c)
{
    return memchr(piece.text, c, (size_t)piece.len) != NULL;
}

bool piece_consists_of(struct piece piece, const char *characters)
{
    for (int i = 0; i < piece.len; i++)
        if (strchr(characters, piece.text[i]) == NULL)
            return false;
    return piece.len > 0;
}

/* Whether it is one of several words with something else between them. */
bool piece_is_one_of(struct piece piece, const char *words, const char *between)
{
    for (; *words != '\0'; words += strspn(words, between)) {
        size_t len = strcspn(words, between);
        if (len == (size_t)piece.len && memcmp(words, piece.text, len) == 0)
            return true;
        words += len;
    }
    return false;
}

/* ---- Words of a detail ---------------------------------------------------------------------- */

/* Whether the last parenthesis is the word's own, as in "send(2)". */
static bool is_own(const char *text, size_t len)
{
    int open = 0;
    for (size_t i = 0; i < len; i++)
        open += text[i] == '(' ? 1 : text[i] == ')' ? -1 : 0;
    return open >= 0;
}

static size_t closing_length(const char *text, size_t len)
{
    size_t rest = len;
    while (rest > 0 && strchr(".,;:!?)", text[rest - 1]) != NULL &&
           (text[rest - 1] != ')' || !is_own(text, rest)))
        rest--;
    return len - rest;
}

static void split_quoted(struct word *word, const char *text, const char *quote)
{
    size_t len = strcspn(text, quote), rest = strcspn(text + len + 1, " ");
    word->core = piece_of(text - 1, len + 2);
    word->glued = piece_of(text + len + 1, rest - closing_length(text + len + 1, rest));
    word->closing = piece_of(word->glued.text + word->glued.len, rest - (size_t)word->glued.len);
}

static void split_plain(struct word *word, const char *text)
{
    size_t len = strcspn(text, " "), closing = closing_length(text, len), core;
    for (core = 0; core < len - closing && text[core] != '\''; core++)
        ;
    core = core > 0 ? core : len - closing;
    word->core = piece_of(text, core);
    word->glued = piece_of(text + core, len - closing - core);
    word->closing = piece_of(text + len - closing, closing);
}

/* Returns false at the end. */
bool mdoc_next_word(const char **text, struct word *word)
{
    const char *begin = *text + strspn(*text, " ");
    size_t opening = strspn(begin, "(");

    word->opening = piece_of(begin, opening);
    begin += opening;
    if (*begin == '`' && strchr(begin + 1, '`') != NULL)
        split_quoted(word, begin + 1, "`");
    else if (*begin == '"' && strchr(begin + 1, '"') != NULL)
        split_quoted(word, begin + 1, "\"");
    else
        split_plain(word, begin);
    *text = word->closing.text + word->closing.len;
    return *text > word->opening.text;
}

bool mdoc_ends_sentence(const struct word *word)
{
    struct piece closing = word->closing;
    while (closing.len > 0 && closing.text[closing.len - 1] == ')')
        closing.len--;
    return closing.len > 0 && strchr(".!?", closing.text[closing.len - 1]) != NULL;
}
