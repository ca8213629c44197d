/* units.c: numbers with units, read from arguments and written for people. */
#include "units.h"

#include <ctype.h>
#include <errno.h>
#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const double MOST_SECONDS = 1e9;

/* A sender refuses a rate with which it cannot reckon, and counts bits in bytes. */
static const double LEAST_PER_SECOND = 1e-300, MOST_PER_SECOND = 1e15;

#define DECIMAL_DIGITS "0123456789"
#define HEX_DIGITS     DECIMAL_DIGITS "abcdefABCDEF"

bool units_read_count(const char *text, uint64_t least, uint64_t most, uint64_t *value)
{
    if (*text == '\0' || text[strspn(text, DECIMAL_DIGITS)] != '\0')
        return false;
    errno = 0;
    uint64_t count = strtoull(text, NULL, 10);
    if (errno != 0 || count < least || count > most)
        return false;
    *value = count;
    return true;
}

bool units_read_byte(const char *text, uint8_t *value)
{
    const bool hex = text[0] == '0' && tolower((unsigned char)text[1]) == 'x';
    const char *digits = hex ? text + 2 : text;

    if (*digits == '\0' || digits[strspn(digits, hex ? HEX_DIGITS : DECIMAL_DIGITS)] != '\0')
        return false;
    unsigned long byte = strtoul(digits, NULL, hex ? 16 : 10);
    if (byte > UINT8_MAX)
        return false;
    *value = (uint8_t)byte;
    return true;
}

/* A decimal number without sign, exponent or hexadecimal digits, all of which strtod takes.
 * Returns what follows it; NULL if there is none. */
static const char *read_decimal(const char *text, double *value)
{
    size_t len = strspn(text, "0123456789.");
    char *end;
    *value = strtod(text, &end);
    return len > 0 && end == text + len ? end : NULL;
}

/* Multiplies by the prefix, if there is one. Returns what follows it. */
static const char *read_prefix(const char *text, double step, double *value)
{
    static const char prefixes[] = "kmg";
    const char *prefix = *text != '\0' ? strchr(prefixes, tolower((unsigned char)*text)) : NULL;
    if (prefix == NULL)
        return text;
    for (const char *p = prefixes; p <= prefix; p++)
        *value *= step;
    return text + 1;
}

bool units_read_size(const char *text, uint64_t most, uint64_t *value)
{
    double size;
    const char *rest = read_decimal(text, &size);
    if (rest != NULL)
        rest = read_prefix(rest, 1024, &size);
    if (rest == NULL || *rest != '\0' || size < 1 || size > (double)most)
        return false;
    *value = (uint64_t)size;
    return true;
}

bool units_read_number(const char *text, double least, double most, double *value)
{
    double number;
    const char *rest = read_decimal(text, &number);
    if (rest == NULL || *rest != '\0' || number < least || number > most)
        return false;
    *value = number;
    return true;
}

bool units_read_seconds(const char *text, double *value)
{
    return units_read_number(text, DBL_MIN, MOST_SECONDS, value);
}

bool units_read_rate(const char *text, struct rate *value)
{
    struct rate rate;
    const char *unit = read_decimal(text, &rate.per_second);
    if (unit == NULL)
        return false;
    unit = read_prefix(unit, 1000, &rate.per_second);
    if (strcasecmp(unit, "bit") == 0)
        rate.unit = RATE_BITS;
    else if (strcasecmp(unit, "pps") == 0)
        rate.unit = RATE_PACKETS;
    else
        return false;
    if (rate.per_second < LEAST_PER_SECOND || rate.per_second > MOST_PER_SECOND)
        return false;
    *value = rate;
    return true;
}

/* Three digits, and the unit of those, each a thousand times the one before, that fits. */
static const char *write_three_digits(double value, const char *const *units, size_t n,
                                      char text[UNITS_TEXT])
{
    size_t i = 0;

    for (; i < n - 1 && value >= 999.5; i++)
        value /= 1000;
    int decimals = i == 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
    snprintf(text, UNITS_TEXT, "%.*f %s", decimals, value, units[i]);
    return text;
}

const char *units_write_scaled(double value, char text[UNITS_TEXT])
{
    static const char *const prefixes[] = { "", "k", "M", "G", "T", "P" };
    return write_three_digits(value, prefixes, sizeof prefixes / sizeof prefixes[0], text);
}

const char *units_write_time(uint64_t ns, char text[UNITS_TEXT])
{
    static const char *const units[] = { "ns", "us", "ms", "s" };
    return write_three_digits((double)ns, units, sizeof units / sizeof units[0], text);
}

double units_ratio(double count, double of)
{
    return of > 0 ? count / of : 0;
}

const char *units_plural(size_t count)
{
    return count == 1 ? "" : "s";
}

const char *units_write_duration(double seconds, char text[UNITS_TEXT])
{
    unsigned long whole = (unsigned long)(seconds < MOST_SECONDS ? seconds + 0.5 : MOST_SECONDS);
    unsigned long hours = whole / 3600, minutes = whole / 60 % 60;

    if (hours > 0)
        snprintf(text, UNITS_TEXT, "%lu:%02lu:%02lu", hours, minutes, whole % 60);
    else
        snprintf(text, UNITS_TEXT, "%lu:%02lu", minutes, whole % 60);
    return text;
}
