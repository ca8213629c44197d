/* workload.c: what is sent in one call: the packets of W1 to W8. */
#include "workload.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "units.h"

/* ---- Sizes ---------------------------------------------------------------------------------- */

/* The parameter of the shape that lays out the packets. */
static size_t base_parameter(const struct workload_spec *spec)
{
    return spec->shape->spoils ? spec->base->usual : spec->parameter;
}

static size_t count_payloads(const struct workload_spec *spec)
{
    const struct shape *base = spec->base;
    return base->form == FORM_FAN_OUT && base->payloads != 0 ? base->payloads
                                                             : base_parameter(spec);
}

size_t workload_targets(const struct workload_spec *spec)
{
    const struct shape *base = spec->base;
    size_t parameter = base_parameter(spec);

    switch (base->form) {
    case FORM_FAN_OUT:
        return base->targets != 0 ? base->targets : parameter;
    case FORM_BROADCAST:
        return 1 + parameter / 2;
    default:
        return parameter;
    }
}

bool workload_is_for_one(const struct workload_spec *spec)
{
    return workload_targets(spec) == 1;
}

bool workload_has_one_payload(const struct workload_spec *spec)
{
    return spec->base->payloads == 1;
}

static size_t count_packets(const struct workload_spec *spec)
{
    return count_payloads(spec) * (spec->base->form == FORM_FAN_OUT ? workload_targets(spec) : 1);
}

/* ---- Payloads ------------------------------------------------------------------------------- */

static size_t payload_bytes(const struct workload_spec *spec, const struct layout *layout, size_t i)
{
    const struct shape *base = spec->base;
    if (layout->bytes != 0)
        return layout->bytes;
    return base->first_bytes != 0 && i < count_payloads(spec) / 2 ? base->first_bytes : base->bytes;
}

/* Apart is on cache lines of their own, with one between. */
static size_t stride(size_t bytes, const struct layout *layout)
{
    enum { LINE = 64 };
    return layout->contiguous ? bytes : (bytes + LINE - 1) / LINE * LINE + LINE;
}

/* A page's beginning, so that where the payloads lie is the same in each run. */
enum { PAGE = 4096 };

static size_t arena_bytes(const struct workload_spec *spec, const struct layout *layout)
{
    size_t sum = 0;
    for (size_t i = 0; i < count_payloads(spec); i++)
        sum += stride(payload_bytes(spec, layout, i), layout);
    return (sum + PAGE - 1) / PAGE * PAGE;
}

/* Its number, then bytes that differ from payload to payload and from place to place. */
static void fill_payload(unsigned char *payload, size_t bytes, uint32_t number)
{
    uint32_t big_endian = htonl(number), noise = number * UINT32_C(2654435761) + 1;

    for (size_t i = 0; i < bytes; i++) {
        noise = noise * UINT32_C(1664525) + UINT32_C(1013904223);
        payload[i] = (unsigned char)(noise >> 24);
    }
    memcpy(payload, &big_endian, PAYLOAD_NUMBER_BYTES);
}

uint32_t workload_payload_number(const struct udpbatch_packet *packet)
{
    uint32_t big_endian;
    memcpy(&big_endian, packet->data, PAYLOAD_NUMBER_BYTES);
    return ntohl(big_endian);
}

/* ---- Packets -------------------------------------------------------------------------------- */

static size_t target_of(enum form form, size_t payload_count, size_t i)
{
    switch (form) {
    case FORM_FAN_OUT:
        return i / payload_count;
    case FORM_BROADCAST:
        return i % 2 == 0 ? 0 : 1 + i / 2;
    default:
        return i;
    }
}

static void lay_out(struct workload *workload, const struct workload_spec *spec,
                    const struct layout *layout, const union udpbatch_addr *targets,
                    size_t target_count)
{
    unsigned char *payload = workload->payloads;
    size_t count = workload->payload_count;

    for (size_t p = 0; p < count; p++) {
        size_t bytes = payload_bytes(spec, layout, p);
        fill_payload(payload, bytes, (uint32_t)p);
        for (size_t i = p; i < workload->n; i += count) {
            size_t target = target_of(spec->base->form, count, i) % target_count;
            workload->packets[i] = (struct udpbatch_packet){ .data = payload,
                                                             .len = (uint32_t)bytes,
                                                             .to = &targets[target] };
        }
        payload += stride(bytes, layout);
    }
}

/* Whether packet i is one of `percent` in 100, evenly spread; of a few packets, the middle one. */
static bool is_chosen(size_t i, size_t n, size_t percent)
{
    if (n * percent < 100)
        return i == n / 2;
    return i * percent / 100 != (i + 1) * percent / 100;
}

static void spoil(struct workload *workload, size_t percent)
{
    const struct bad_targets *bad = workload->bad_targets;

    for (size_t i = 0; i < workload->n; i++)
        if (is_chosen(i, workload->n, percent))
            workload->packets[i].to = &bad->addresses[workload->bad++ % bad->count];
}

static void sum_up(struct workload *workload)
{
    workload->least_bytes = workload->packets[0].len;
    for (size_t i = 0; i < workload->n; i++) {
        const struct udpbatch_packet *packet = &workload->packets[i];
        if (packet->len < workload->least_bytes)
            workload->least_bytes = packet->len;
        if (packet->len > workload->most_bytes)
            workload->most_bytes = packet->len;
        if (!workload_is_bad(workload, packet))
            workload->bytes += packet->len;
    }
}

bool workload_build(struct workload *workload, const struct workload_spec *spec,
                    const struct layout *layout, const union udpbatch_addr *targets,
                    size_t target_count, const struct bad_targets *bad)
{
    *workload = (struct workload){ .n = count_packets(spec),
                                   .payload_count = count_payloads(spec),
                                   .target_count = workload_targets(spec),
                                   .bad_targets = bad };
    workload->packets = calloc(workload->n, sizeof *workload->packets);
    workload->payloads = aligned_alloc(PAGE, arena_bytes(spec, layout));
    if (workload->packets == NULL || workload->payloads == NULL) {
        workload_free(workload);
        return false;
    }
    lay_out(workload, spec, layout, targets, target_count);
    if (spec->shape->spoils)
        spoil(workload, spec->parameter);
    sum_up(workload);
    return true;
}

void workload_free(struct workload *workload)
{
    free(workload->packets);
    free(workload->payloads);
    *workload = (struct workload){ 0 };
}

bool workload_is_bad(const struct workload *workload, const struct udpbatch_packet *packet)
{
    for (size_t i = 0; i < workload->bad_targets->count; i++)
        if (packet->to == &workload->bad_targets->addresses[i])
            return true;
    return false;
}

/* ---- In words ------------------------------------------------------------------------------- */

static int describe_bytes(const struct workload *workload, char *text, size_t size)
{
    int len = snprintf(text, size, "%zu payload%s of ", workload->payload_count,
                       units_plural(workload->payload_count));
    if (workload->least_bytes != workload->most_bytes)
        len += snprintf(text + len, size - (size_t)len, "%zu and ", workload->least_bytes);
    return len + snprintf(text + len, size - (size_t)len, "%zu bytes", workload->most_bytes);
}

static int describe_targets(const struct workload *workload, enum form form, char *text,
                            size_t size)
{
    switch (form) {
    case FORM_FAN_OUT:
        return snprintf(text, size, " to %zu target%s", workload->target_count,
                        units_plural(workload->target_count));
    case FORM_BROADCAST:
        return snprintf(text, size, ", half to one target, half each to its own");
    default:
        return snprintf(text, size, ", each to a target of its own");
    }
}

static void describe_bad(const struct workload *workload, char *text, size_t size)
{
    int len = snprintf(text, size, ", %zu bad", workload->bad);
    for (size_t i = 0; i < workload->bad_targets->count; i++)
        len += snprintf(text + len, size - (size_t)len, "%s%s", i == 0 ? " (" : ", ",
                        workload->bad_targets->names[i]);
    snprintf(text + len, size - (size_t)len, ")");
}

void workload_describe(const struct workload *workload, const struct workload_spec *spec,
                       char text[WORKLOAD_TEXT])
{
    int len = describe_bytes(workload, text, WORKLOAD_TEXT);
    len += describe_targets(workload, spec->base->form, text + len, WORKLOAD_TEXT - (size_t)len);
    if (workload->bad > 0)
        describe_bad(workload, text + len, WORKLOAD_TEXT - (size_t)len);
    if (spec->shape->pressed)
        snprintf(text + len, WORKLOAD_TEXT - (size_t)len, ", non-blocking, send buffer 64 KiB");
}
