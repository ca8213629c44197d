/* interval.c: what was done in an interval, for people. */
#include "interval.h"

#include <inttypes.h>

#include "units.h"

/* "1.00-2.00 s 12345 packets 14.8 MB, 12.3 kpps 119 Mbit/s, 0 dropped": as a rule two lines of 40
 * columns. */
void interval_report(FILE *file, const struct interval *interval)
{
    const double seconds = interval->to - interval->from;
    char bytes[UNITS_TEXT], packet_rate[UNITS_TEXT], bit_rate[UNITS_TEXT];

    units_write_scaled((double)interval->bytes, bytes);
    units_write_scaled(units_ratio((double)interval->packets, seconds), packet_rate);
    units_write_scaled(units_ratio(8 * (double)interval->bytes, seconds), bit_rate);
    fprintf(file, "%.2f-%.2f s %" PRIu64 " packets %sB, %spps %sbit/s, %" PRIu64 " %s\n",
            interval->from, interval->to, interval->packets, bytes, packet_rate, bit_rate,
            interval->count, interval->count_name);
    fflush(file); /* a failure stays in the stream, where main sees it */
}
