/* workload_spec.c: the table of workloads, and how they are asked for. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "units.h"
#include "workload.h"

enum {
    TARGETS_MOST = 1024,
    PACKETS_MOST = 4096,
    BROADCAST_MOST = 2 * (TARGETS_MOST - 1), /* packets: every second one is to the same target */
    SPECS_MOST = 200
};

static const struct shape shapes[] = {
    { .name = "W1",
      .where_from = "one payload to many (turbine's retransmission)",
      .parameter = "targets",
      .least = 1,
      .usual = 64,
      .most = TARGETS_MOST,
      .form = FORM_FAN_OUT,
      .payloads = 1,
      .bytes = 1228 },
    { .name = "W2",
      .where_from = "half to one peer, half to many (turbine's leader)",
      .parameter = "packets per call",
      .least = 2,
      .usual = 256,
      .most = BROADCAST_MOST,
      .form = FORM_BROADCAST,
      .bytes = 1228,
      .first_bytes = 1203 },
    { .name = "W3",
      .where_from = "a burst to one peer (QUIC, gossip)",
      .parameter = "packets per call",
      .least = 1,
      .usual = 64,
      .most = PACKETS_MOST,
      .form = FORM_FAN_OUT,
      .targets = 1,
      .bytes = 1232 },
    { .name = "W4",
      .where_from = "small packets, each to its own peer (repair requests)",
      .parameter = "packets per call",
      .least = 1,
      .usual = 512,
      .most = TARGETS_MOST,
      .form = FORM_SCATTER,
      .bytes = 160 },
    { .name = "W5",
      .where_from = "a burst of small ones to one peer (votes, telemetry)",
      .parameter = "packets per call",
      .least = 1,
      .usual = 64,
      .most = PACKETS_MOST,
      .form = FORM_FAN_OUT,
      .targets = 1,
      .bytes = 400 },
    { .name = "W6",
      .where_from = "32 payloads to many (replay, market data, media)",
      .parameter = "targets",
      .least = 1,
      .usual = 64,
      .most = TARGETS_MOST,
      .form = FORM_FAN_OUT,
      .payloads = 32,
      .bytes = 1228 },
    { .name = "W7",
      .where_from = "W1 or W2 with bad addresses among the good",
      .parameter = "percent bad",
      .least = 1,
      .usual = 10,
      .most = 100,
      .spoils = true },
    { .name = "W8",
      .where_from = "W2 under back pressure",
      .parameter = "packets per call",
      .least = 2,
      .usual = 256,
      .most = BROADCAST_MOST,
      .form = FORM_BROADCAST,
      .bytes = 1228,
      .first_bytes = 1203,
      .pressed = true },
};

enum { SHAPES = sizeof shapes / sizeof shapes[0] };

const struct shape *workload_shape(size_t index)
{
    return index < SHAPES ? &shapes[index] : NULL;
}

static const struct shape *find_shape(const char *name)
{
    for (size_t i = 0; i < SHAPES; i++)
        if (strcasecmp(shapes[i].name, name) == 0)
            return &shapes[i];
    return NULL;
}

/* ---- One text ------------------------------------------------------------------------------- */

/* A text taken apart at its colons: "W7", "10", "W2". */
enum { PARTS_MOST = 3, PART_TEXT = 16 };
struct parts {
    char text[PARTS_MOST][PART_TEXT]; /* empty: not given */
};

static bool take_apart(const char *text, size_t len, struct parts *parts)
{
    const char *end = text + len;
    *parts = (struct parts){ 0 };

    for (size_t i = 0; i < PARTS_MOST; i++) {
        const char *colon = memchr(text, ':', (size_t)(end - text));
        size_t part_len = (size_t)((colon != NULL ? colon : end) - text);
        if (part_len == 0 || part_len >= PART_TEXT)
            return false;
        memcpy(parts->text[i], text, part_len);
        if (colon == NULL)
            return true;
        text = colon + 1;
    }
    return false;
}

/* What is asked for twice would be shown as one. A point of a curve is shown elsewhere. */
static bool is_there(const struct workload_specs *specs, const struct workload_spec *spec)
{
    for (size_t i = 0; i < specs->count; i++)
        if (specs->list[i].curve == spec->curve && strcmp(specs->list[i].name, spec->name) == 0)
            return true;
    return false;
}

static bool add_spec(struct workload_specs *specs, const struct workload_spec *spec,
                     struct reason *reason)
{
    struct workload_spec *longer;

    if (is_there(specs, spec))
        return reason_give(reason, "name %s once", spec->name);
    if (specs->count == SPECS_MOST)
        return reason_give(reason, "at most %d workloads at a time", SPECS_MOST);
    longer = realloc(specs->list, (specs->count + 1) * sizeof *longer);
    if (longer == NULL)
        return reason_give(reason, "no memory");
    longer[specs->count++] = *spec;
    specs->list = longer;
    return true;
}

static bool read_parameter(const struct shape *shape, const char *text, size_t *value,
                           struct reason *reason)
{
    uint64_t number;
    if (!units_read_count(text, shape->least, shape->most, &number))
        return reason_give(reason, "%s takes a number from %zu to %zu (%s)", shape->name,
                           shape->least, shape->most, shape->parameter);
    *value = (size_t)number;
    return true;
}

bool workload_has_curve(const struct workload_specs *specs, const char *curve)
{
    for (size_t i = 0; i < specs->count; i++)
        if (specs->list[i].curve != NULL &&
            (curve == NULL || strcmp(specs->list[i].curve, curve) == 0))
            return true;
    return false;
}

/* The next power of two, but not beyond the last. */
static size_t next_point(size_t value, size_t last)
{
    size_t power = 1;
    while (power <= value)
        power *= 2;
    return power < last ? power : last;
}

static bool add_range(struct workload_specs *specs, struct workload_spec *spec, const char *from,
                      const char *to, struct reason *reason)
{
    size_t first = 0, last = 0;

    if (!read_parameter(spec->shape, from, &first, reason) ||
        !read_parameter(spec->shape, to, &last, reason))
        return false;
    if (first >= last)
        return reason_give(reason, "%zu..%zu is no range", first, last);
    if (workload_has_curve(specs, spec->shape->name))
        return reason_give(reason, "one range of %s at a time", spec->shape->name);
    spec->curve = spec->shape->name;
    for (size_t value = first;; value = next_point(value, last)) {
        spec->parameter = value;
        snprintf(spec->name, sizeof spec->name, "%s:%zu", spec->shape->name, value);
        if (!add_spec(specs, spec, reason))
            return false;
        if (value == last)
            return true;
    }
}

static bool choose_base(struct workload_spec *spec, const char *name, struct reason *reason)
{
    const struct shape *base = find_shape(name[0] != '\0' ? name : "W1");

    if (!spec->shape->spoils && name[0] != '\0')
        return reason_give(reason, "%s takes one parameter", spec->shape->name);
    if (base == NULL || (base != &shapes[0] && base != &shapes[1]))
        return reason_give(reason, "%s spoils W1 or W2, as in W7:10:W2", spec->shape->name);
    spec->base = spec->shape->spoils ? base : spec->shape;
    return true;
}

/* "W1" and "W1:64" are the same workload, and keep the name that they were asked for by. */
static void write_name(struct workload_spec *spec, const struct parts *parts)
{
    const bool has_parameter = parts->text[1][0] != '\0', has_base = parts->text[2][0] != '\0';
    int len = snprintf(spec->name, sizeof spec->name, "%s", spec->shape->name);
    if (has_parameter)
        len += snprintf(spec->name + len, sizeof spec->name - (size_t)len, ":%zu", spec->parameter);
    if (has_base)
        snprintf(spec->name + len, sizeof spec->name - (size_t)len, ":%s", spec->base->name);
}

static bool add_one(struct workload_specs *specs, const char *text, size_t len,
                    struct reason *reason)
{
    struct workload_spec spec = { 0 };
    struct parts parts;
    char *dots;

    if (!take_apart(text, len, &parts))
        return reason_give(reason, "write a workload as W1, W1:200, W1:1..1024 or W7:10:W2");
    spec.shape = find_shape(parts.text[0]);
    if (spec.shape == NULL)
        return reason_give(reason, "there is no workload %s; there are W1 to W%d, see --help",
                           parts.text[0], SHAPES);
    if (!choose_base(&spec, parts.text[2], reason))
        return false;
    if ((dots = strstr(parts.text[1], "..")) != NULL && parts.text[2][0] != '\0')
        return reason_give(reason, "a range of %s is one of W1", spec.shape->name);
    if (dots != NULL) {
        *dots = '\0';
        return add_range(specs, &spec, parts.text[1], dots + strlen(".."), reason);
    }
    spec.parameter = spec.shape->usual;
    if (parts.text[1][0] != '\0' &&
        !read_parameter(spec.shape, parts.text[1], &spec.parameter, reason))
        return false;
    write_name(&spec, &parts);
    return add_spec(specs, &spec, reason);
}

bool workload_add(struct workload_specs *specs, const char *text, struct reason *reason)
{
    for (;;) {
        size_t len = strcspn(text, ",");
        if (!add_one(specs, text, len, reason))
            return false;
        if (text[len] == '\0')
            return true;
        text += len + 1;
    }
}

void workload_specs_free(struct workload_specs *specs)
{
    free(specs->list);
    *specs = (struct workload_specs){ 0 };
}
