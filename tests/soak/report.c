/* report.c: what is printed of a soak. */
#define _GNU_SOURCE
#include "soak.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

static struct way_total sum_of_ways(void)
{
    struct way_total sum = { .name = "all" };

    for (unsigned i = 0; i < way_count; i++) {
        sum.sent += ways[i].sent;
        sum.refused += ways[i].refused;
        sum.unsent += ways[i].unsent;
        sum.arrived += ways[i].arrived;
        sum.nowhere += ways[i].nowhere;
        sum.lost_in_change += ways[i].lost_in_change;
        sum.lost_in_calm += ways[i].lost_in_calm;
        sum.opens += ways[i].opens;
        sum.failed_opens += ways[i].failed_opens;
        sum.network_errors += ways[i].network_errors;
    }
    return sum;
}

void report_line(void)
{
    struct way_total sum = sum_of_ways();
    int64_t seconds = (now_ms() - run.begun_ms) / 1000;

    printf("%s%3" PRId64 ":%02" PRId64 "  %" PRIu64 " sent, %" PRIu64 " refused, %" PRIu64
           " arrived, %" PRIu64 " lost in change; %llu route changes, %llu flaps, %llu opens;"
           " %zu KiB, %u descriptors%s",
           isatty(STDOUT_FILENO) ? "\r\033[K" : "", seconds / 60, seconds % 60, sum.sent,
           sum.refused, sum.arrived, sum.lost_in_change, (unsigned long long)route_changes,
           (unsigned long long)flaps, (unsigned long long)sum.opens, run.last.resident_kib,
           run.last.descriptors, isatty(STDOUT_FILENO) ? "" : "\n");
    fflush(stdout);
}

static void print_row(const struct way_total *way)
{
    printf("%-10s %11" PRIu64 " %9" PRIu64 " %8" PRIu64 " %11" PRIu64 " %8" PRIu64 " %9" PRIu64
           " %8" PRIu64 " %8llu %8llu %8llu\n",
           way->name, way->sent, way->refused, way->unsent, way->arrived, way->nowhere,
           way->lost_in_change, way->lost_in_calm, (unsigned long long)way->opens,
           (unsigned long long)way->failed_opens, (unsigned long long)way->network_errors);
}

static void print_footprint(void)
{
    printf("resident %zu KiB, then %zu KiB; ", run.first.resident_kib, run.last.resident_kib);
    if (heap_can_be_told())
        printf("heap %zu bytes, then %zu; ", run.first.heap_bytes, run.last.heap_bytes);
    printf("descriptors %u, then %u; locked %u KiB, then %u KiB; shared mappings %u\n",
           run.first.descriptors, run.last.descriptors, run.first.locked_kib, run.last.locked_kib,
           run.last.shared_mappings);
}

void report_table(void)
{
    struct way_total sum = sum_of_ways();

    printf("\n%-10s %11s %9s %8s %11s %8s %9s %8s %8s %8s %8s\n", "", "sent", "refused", "unsent",
           "arrived", "nowhere", "in change", "in calm", "opens", "failed", "reports");
    for (unsigned i = 0; i < way_count; i++)
        print_row(&ways[i]);
    print_row(&sum);
    printf("(nowhere: sent to where nobody is; in change, in calm: lost while the network changed,"
           " or not;\n failed: opens in change; reports: network errors read)\n");
    printf("%u phases, %llu route changes, %llu flaps, %llu opens of receivers, %llu late"
           " arrivals\n",
           run.phases, (unsigned long long)route_changes, (unsigned long long)flaps,
           (unsigned long long)receiver_opens, (unsigned long long)late_arrivals);
    print_footprint();
}
