/* printable.c: text from elsewhere, so that a terminal shows it and does nothing for it. */
#include "printable.h"

#include <string.h>

/* The characters of UTF-8 by their first byte, and what their second may be (RFC 3629, 4); without
 * the control characters, which end at U+001F and lie from U+007F to U+009F. */
static const struct form {
    unsigned char first, last;
    unsigned char len;
    unsigned char second, second_last;
} forms[] = {
    { ' ', '~', 1, 0, 0 },         { 0xc2, 0xc2, 2, 0xa0, 0xbf }, { 0xc3, 0xdf, 2, 0x80, 0xbf },
    { 0xe0, 0xe0, 3, 0xa0, 0xbf }, { 0xe1, 0xec, 3, 0x80, 0xbf }, { 0xed, 0xed, 3, 0x80, 0x9f },
    { 0xee, 0xef, 3, 0x80, 0xbf }, { 0xf0, 0xf0, 4, 0x90, 0xbf }, { 0xf1, 0xf3, 4, 0x80, 0xbf },
    { 0xf4, 0xf4, 4, 0x80, 0x8f },
};

static bool continues(unsigned char byte)
{
    return (byte & 0xc0) == 0x80;
}

static bool has_form(const unsigned char *bytes, size_t left, const struct form *form)
{
    if (bytes[0] < form->first || bytes[0] > form->last || left < form->len)
        return false;
    if (form->len > 1 && (bytes[1] < form->second || bytes[1] > form->second_last))
        return false;
    for (size_t i = 2; i < form->len; i++)
        if (!continues(bytes[i]))
            return false;
    return true;
}

/* How long the printable character is that begins there; 0: there is none. */
static size_t character_len(const unsigned char *bytes, size_t left, bool utf_8)
{
    const size_t n = utf_8 ? sizeof forms / sizeof forms[0] : 1; /* the first is ASCII */

    for (size_t i = 0; i < n; i++)
        if (has_form(bytes, left, &forms[i]))
            return forms[i].len;
    return 0;
}

static bool is_among(char byte, const char *also)
{
    return byte != '\0' && strchr(also, byte) != NULL;
}

void printable_make(char *text, size_t len, bool utf_8, const char *also)
{
    for (size_t at = 0; at < len;) {
        size_t step = character_len((const unsigned char *)text + at, len - at, utf_8);
        if (step == 0) {
            if (!is_among(text[at], also))
                text[at] = '?';
            step = 1;
        }
        at += step;
    }
}
