/* units.h: numbers with units, read from arguments and written for people. */
#ifndef UNITS_H
#define UNITS_H

#include "cli.h"

enum rate_unit { RATE_UNLIMITED, RATE_PACKETS, RATE_BITS };

struct rate {
    enum rate_unit unit;
    double per_second;
};

/* Each returns false, and leaves *value alone, unless the whole text is such a number. */

/* Digits only, from least to most. */
bool units_read_count(const char *text, uint64_t least, uint64_t most, uint64_t *value);

/* 184, 0xb8: 0 to 255. */
bool units_read_byte(const char *text, uint8_t *value);

/* 4096, 64K, 1.5M, 1G: bytes, in powers of 1024. Not 0. */
bool units_read_size(const char *text, uint64_t most, uint64_t *value);

/* 5, 0.25: a decimal number, from least to most. */
bool units_read_number(const char *text, double least, double most, double *value);

/* The same above 0, at most a thousand million. */
bool units_read_seconds(const char *text, double *value);

/* 200Mbit, 50kpps, 9600bit: above 0. */
bool units_read_rate(const char *text, struct rate *value);

enum { UNITS_TEXT = 24 };

/* "12.3 M", "999 ": three digits and an SI prefix, for a unit to follow. Returns text. */
const char *units_write_scaled(double value, char text[UNITS_TEXT]);

/* "12.3 us": three digits. Returns text. */
const char *units_write_time(uint64_t ns, char text[UNITS_TEXT]);

/* count / of, and 0 where there is nothing. */
double units_ratio(double count, double of);

/* What follows the name of what is counted: "s", or nothing behind 1. */
const char *units_plural(size_t count);

/* "0:07", "2:03:04". Returns text. */
const char *units_write_duration(double seconds, char text[UNITS_TEXT]);

#endif
