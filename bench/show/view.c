/* view.c: what all that show a report ask of it: its engines, its curves, and figures as text. */
#include "view.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "units.h"

const struct engine_result *view_result(const struct workload_result *workload,
                                        const struct engine *engine)
{
    for (size_t i = 0; i < workload->engine_count; i++)
        if (strcmp(workload->engines[i].engine->name, engine->name) == 0)
            return &workload->engines[i];
    return NULL;
}

const struct spread *view_cpu(const struct workload_result *workload, const struct engine *engine)
{
    const struct engine_result *result = view_result(workload, engine);
    if (result == NULL || result->fault[0] != '\0' || !result->cpu_ns_per_packet.known)
        return NULL;
    return &result->cpu_ns_per_packet;
}

static bool is_in_report(const struct report *report, const struct engine *engine)
{
    for (size_t i = 0; i < report->count; i++)
        if (view_result(&report->workloads[i], engine) != NULL)
            return true;
    return false;
}

void view_engines(const struct report *report, struct view_engines *engines)
{
    const struct engine *all[ENGINES_MAX];
    size_t count = engines_list(report->direction, all);

    engines->count = 0;
    for (size_t i = 0; i < count; i++)
        if (is_in_report(report, all[i])) {
            engines->looks[engines->count] = i;
            engines->list[engines->count++] = all[i];
        }
}

bool view_is_point(const struct workload_result *workload, const char *curve)
{
    return workload->curve != NULL && strcmp(workload->curve, curve) == 0;
}

bool view_begins_curve(const struct report *report, size_t workload)
{
    const char *curve = report->workloads[workload].curve;
    if (curve == NULL)
        return false;
    for (size_t i = 0; i < workload; i++)
        if (view_is_point(&report->workloads[i], curve))
            return false;
    return true;
}

const char *view_axis(const struct report *report, const char *curve)
{
    for (size_t i = 0; i < report->count; i++)
        if (view_is_point(&report->workloads[i], curve))
            return report->workloads[i].axis;
    return "";
}

const char *view_write_figure(double value, char text[VIEW_TEXT])
{
    int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
    /* Beyond these no digit is of use, and they may not fit. */
    if (isfinite(value) && fabs(value) < 1e15)
        snprintf(text, VIEW_TEXT, "%.*f", decimals, value);
    else
        strcpy(text, "-");
    return text;
}

const char *view_write_scaled(double value, char text[VIEW_TEXT])
{
    char scaled[UNITS_TEXT], prefix[2] = "";

    if (!isfinite(value) || value < 0 || value >= 1e18)
        return strcpy(text, "-");
    units_write_scaled(value, scaled);
    char *space = strchr(scaled, ' ');
    if (space != NULL) {
        prefix[0] = space[1];
        *space = '\0';
    }
    snprintf(text, VIEW_TEXT, "%.20s%s", scaled, prefix);
    return text;
}
