/* json_interval.c: what was done in an interval, for programs. */
#include "interval.h"

#ifdef HAVE_JANSSON

#include "json_common.h"
#include "units.h"

/* Its figures have the names that they have in the result. */
bool interval_print_json(const struct interval *interval)
{
    const double seconds = interval->to - interval->from;
    json_t *object = json_begin("interval", interval->backend);

    json_put_real(object, "from", interval->from);
    json_put_real(object, "to", interval->to);
    json_put_count(object, interval->sending ? "sent" : "packets", interval->packets);
    json_put_count(object, "bytes", interval->bytes);
    json_put_count(object, interval->count_name, interval->count);
    json_put_real(object, "packets_per_second", units_ratio((double)interval->packets, seconds));
    json_put_real(object, "bits_per_second", units_ratio(8 * (double)interval->bytes, seconds));
    if (interval->sending)
        json_put_count(object, "waits", interval->waits);
    return json_object_print(object, "system_calls",
                             json_integer((json_int_t)interval->system_calls));
}

#else

bool interval_print_json(const struct interval *interval)
{
    (void)interval;
    return false;
}

#endif
