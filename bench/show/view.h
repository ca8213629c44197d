/* view.h: what all that show a report ask of it: its engines, its curves, and figures as text. */
#ifndef VIEW_H
#define VIEW_H

#include "cli.h"
#include "result.h"

struct view_engines {
    const struct engine *list[ENGINES_MAX];
    size_t looks[ENGINES_MAX]; /* where each is in the table: an engine looks the same always */
    size_t count;
};

/* Those that have a result anywhere in the report, a fault included, in the order of the table. */
void view_engines(const struct report *report, struct view_engines *engines);

/* What is known of the engine at that workload; NULL: it was not measured there. */
const struct engine_result *view_result(const struct workload_result *workload,
                                        const struct engine *engine);

/* The CPU time per packet; NULL: there is no such figure. */
const struct spread *view_cpu(const struct workload_result *workload, const struct engine *engine);

/* Whether the workload is the first point of its curve in the report: a loop over all curves. */
bool view_begins_curve(const struct report *report, size_t workload);

/* Whether the workload is a point of the curve. */
bool view_is_point(const struct workload_result *workload, const char *curve);

/* What the parameter of a curve counts: "targets". */
const char *view_axis(const struct report *report, const char *curve);

enum { VIEW_TEXT = 24 };

/* Each writes three digits or more and returns text: "1.23", "45.6", "7890". */
const char *view_write_figure(double value, char text[VIEW_TEXT]);
/* "1.23M", "999" */
const char *view_write_scaled(double value, char text[VIEW_TEXT]);

#endif
