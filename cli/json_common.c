/* json_common.c: what the objects of sending and receiving have in common. Only with jansson. */
#ifdef HAVE_JANSSON

#include "json_common.h"

#include "address.h"
#include "units.h"

json_t *json_begin(const char *report, const char *backend)
{
    json_t *object = json_object();
    json_put_text(object, "report", report);
    json_put_text(object, "version", udpbatch_version());
    json_put_text(object, "backend", backend);
    return object;
}

void json_put_address(json_t *object, const char *name, const union udpbatch_addr *address)
{
    char text[ADDRESS_TEXT];
    json_put_text(object, name, address_write(address, text));
}

void json_put_effort(json_t *object, uint64_t packets, double seconds, uint64_t system_calls,
                     double cpu_seconds)
{
    json_put_real(object, "seconds", seconds);
    json_put_real(object, "packets_per_second", units_ratio((double)packets, seconds));
    json_put_count(object, "system_calls", system_calls);
    json_put_real(object, "system_calls_per_packet",
                  units_ratio((double)system_calls, (double)packets));
    json_put_real(object, "cpu_seconds", cpu_seconds);
}

#else

typedef int json_common_is_not_built;

#endif
