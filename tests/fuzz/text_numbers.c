/* text_numbers.c: counts, sizes, times and rates, against a second opinion in whole numbers. */
#include "text.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "units.h"

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

/* What is refused leaves this as it was. */
enum { UNTOUCHED = 77 };

/* ---- Whole numbers -------------------------------------------------------------------------- */

static int digit_of(char letter, int base)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = letter != '\0' ? strchr(digits, letter | 0x20) : NULL;
    if (letter >= '0' && letter <= '9')
        return letter - '0';
    return base == 16 && at != NULL && at - digits >= 10 ? (int)(at - digits) : -1;
}

/* Of digits alone, up to UINT64_MAX. */
static bool reckon(const char *text, int base, uint64_t *value)
{
    *value = 0;
    for (const char *at = text; *at != '\0'; at++) {
        const int digit = digit_of(*at, base);
        if (digit < 0 || *value > (UINT64_MAX - (unsigned)digit) / (unsigned)base)
            return false;
        *value = *value * (unsigned)base + (unsigned)digit;
    }
    return *text != '\0';
}

static void try_count(const char *text)
{
    static const struct {
        uint64_t least, most;
    } limits[] = { { 1, INT64_MAX }, { 0, UINT32_MAX }, { 0, 65535 },
                   { 1, 65507 },     { 1, 255 },        { 0, UINT64_MAX } };
    uint64_t expected;
    const bool good = reckon(text, 10, &expected);

    for (size_t i = 0; i < COUNT_OF(limits); i++) {
        const bool fits = good && expected >= limits[i].least && expected <= limits[i].most;
        uint64_t value = UNTOUCHED;
        require(units_read_count(text, limits[i].least, limits[i].most, &value) == fits);
        require(value == (fits ? expected : UNTOUCHED));
    }
}

static void try_byte(const char *text)
{
    const bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    uint64_t expected;
    const bool fits = reckon(hex ? text + 2 : text, hex ? 16 : 10, &expected) && expected <= 255;
    uint8_t value = UNTOUCHED;

    require(units_read_byte(text, &value) == fits);
    require(value == (fits ? expected : UNTOUCHED));
}

/* ---- Decimals ------------------------------------------------------------------------------- */

/* 12.25K: few enough digits to reckon with them in whole numbers. */
struct decimal {
    uint64_t thousandths;
    unsigned thousands; /* 1 to 3: k, M, G */
    const char *unit;   /* what follows */
};

static const char *take_digits(const char *text, size_t most, uint64_t *value)
{
    const char *at = text;
    for (; *at >= '0' && *at <= '9'; at++)
        *value = *value * 10 + (unsigned)(*at - '0');
    return (size_t)(at - text) <= most ? at : NULL;
}

static bool read_decimal(const char *text, struct decimal *decimal)
{
    static const char prefixes[] = "kKmMgG";
    *decimal = (struct decimal){ 0 };
    const char *whole = take_digits(text, 6, &decimal->thousandths);
    if (whole == NULL)
        return false;
    const char *end = whole;
    if (*whole == '.')
        end = take_digits(whole + 1, 3, &decimal->thousandths);
    if (end == NULL || end == text || (end - text == 1 && *whole == '.'))
        return false;
    for (size_t places = *whole == '.' ? (size_t)(end - whole - 1) : 0; places < 3; places++)
        decimal->thousandths *= 10;
    const char *prefix = *end != '\0' ? strchr(prefixes, *end) : NULL;
    decimal->thousands = prefix != NULL ? (unsigned)(prefix - prefixes) / 2 + 1 : 0;
    decimal->unit = prefix != NULL ? end + 1 : end;
    return true;
}

/* In thousandths. */
static uint64_t scale(const struct decimal *decimal, uint64_t step)
{
    uint64_t value = decimal->thousandths;
    for (unsigned i = 0; i < decimal->thousands; i++)
        value *= step;
    return value;
}

static void try_size(const char *text, uint64_t most)
{
    uint64_t value = UNTOUCHED;
    const bool good = units_read_size(text, most, &value);
    struct decimal decimal;

    require(good ? value >= 1 && value <= most : value == UNTOUCHED);
    if (!read_decimal(text, &decimal))
        return;
    const uint64_t thousandths = scale(&decimal, 1024);
    require(good == (*decimal.unit == '\0' && thousandths >= 1000 && thousandths <= most * 1000));
    require(!good || value == thousandths / 1000);
}

static bool is_close(double value, double expected)
{
    return fabs(value - expected) <= expected * 1e-12;
}

/* With all its places, of which a double has up to 1074. */
static const char *write_exactly(double value, const char *unit)
{
    static char text[1500];
    snprintf(text, sizeof text, "%.1074f%s", value, unit);
    return text;
}

static void try_number(const char *text, double least, double most)
{
    double value = UNTOUCHED, again;
    const bool good = units_read_number(text, least, most, &value);
    struct decimal decimal;

    require(good ? value >= least && value <= most : value == UNTOUCHED);
    if (good)
        require(units_read_number(write_exactly(value, ""), least, most, &again) && again == value);
    if (!read_decimal(text, &decimal))
        return;
    const double expected = (double)decimal.thousandths / 1000;
    require(good == (decimal.thousands == 0 && *decimal.unit == '\0' && expected >= least &&
                     expected <= most));
    require(!good || is_close(value, expected));
}

static void try_seconds(const char *text)
{
    double value = UNTOUCHED;
    const bool good = units_read_seconds(text, &value);
    require(good ? value > 0 && value <= 1e9 : value == UNTOUCHED);
}

static enum rate_unit unit_of(const char *text)
{
    if (strcasecmp(text, "bit") == 0)
        return RATE_BITS;
    return strcasecmp(text, "pps") == 0 ? RATE_PACKETS : RATE_UNLIMITED;
}

static void expect_rate_again(const struct rate *rate)
{
    struct rate again;
    const char *unit = rate->unit == RATE_BITS ? "bit" : "pps";
    require(units_read_rate(write_exactly(rate->per_second, unit), &again));
    require(again.unit == rate->unit && again.per_second == rate->per_second);
}

static void try_rate(const char *text)
{
    struct rate rate = { RATE_UNLIMITED, UNTOUCHED };
    const bool good = units_read_rate(text, &rate);
    struct decimal decimal;

    require(good ? rate.unit != RATE_UNLIMITED && rate.per_second > 0 && rate.per_second <= 1e15
                 : rate.unit == RATE_UNLIMITED && rate.per_second == UNTOUCHED);
    if (good)
        expect_rate_again(&rate);
    if (!read_decimal(text, &decimal))
        return;
    const double expected = (double)scale(&decimal, 1000) / 1000;
    require(good == (unit_of(decimal.unit) != RATE_UNLIMITED && expected > 0 && expected <= 1e15));
    require(!good || (rate.unit == unit_of(decimal.unit) && is_close(rate.per_second, expected)));
}

void try_numbers(const char *text)
{
    try_count(text);
    try_byte(text);
    try_size(text, UINT32_MAX);
    try_size(text, INT32_MAX / 2);
    try_number(text, 0.001, 1e6);
    try_number(text, 0.01, 1e9);
    try_seconds(text);
    try_rate(text);
}

/* ---- What is written for people ------------------------------------------------------------- */

/* To three digits, but beyond the last unit. */
static void expect_three_digits(const char *text, double value, const char *const *units, size_t n)
{
    char *unit;
    const double shown = strtod(text, &unit);
    double one = 1;
    size_t i = 0;

    require(strlen(text) < UNITS_TEXT && *unit == ' ');
    for (; i < n && strcmp(unit + 1, units[i]) != 0; i++)
        one *= 1000;
    require(i < n && (shown < 1000 || i == n - 1));
    const double third = i == 0 ? 1 : pow(10, floor(log10(value)) - 2);
    require(fabs(shown * one - value) <= 0.500001 * third);
}

static void expect_duration(const char *text, double seconds)
{
    unsigned long parts[3] = { 0 };
    const int n = sscanf(text, "%lu:%lu:%lu", &parts[0], &parts[1], &parts[2]);
    unsigned long whole = 0;

    require(n >= 2 && strlen(text) < UNITS_TEXT);
    for (int i = 0; i < n; i++) {
        require(i == 0 || parts[i] < 60);
        whole = whole * 60 + parts[i];
    }
    require(fabs((double)whole - (seconds < 1e9 ? seconds : 1e9)) <= 0.500001);
}

void try_written_numbers(struct fuzz_input *input)
{
    static const char *const prefixes[] = { "", "k", "M", "G", "T", "P" };
    static const char *const times[] = { "ns", "us", "ms", "s" };
    const uint64_t bits = take_64(input);
    char text[UNITS_TEXT];
    double value;

    expect_three_digits(units_write_time(bits, text), (double)bits, times, COUNT_OF(times));
    memcpy(&value, &bits, sizeof value);
    if (!(value >= 0 && value <= 1e19))
        return;
    expect_three_digits(units_write_scaled(value, text), value, prefixes, COUNT_OF(prefixes));
    expect_duration(units_write_duration(value, text), value);
}
