/* machine.c: the system and its processor, by uname(2), /proc/cpuinfo and sysconf(3). */
#include "machine.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

static void read_kernel(char *text, size_t size)
{
    struct utsname name;
    if (uname(&name) == 0)
        snprintf(text, size, "%.31s %.95s %.31s", name.sysname, name.release, name.machine);
}

/* A line is "model name\t: AMD EPYC 7B13". Not all architectures have one. */
static void read_cpu(char *text, size_t size)
{
    char line[256];
    FILE *file = fopen("/proc/cpuinfo", "re");
    if (file == NULL)
        return;
    while (fgets(line, sizeof line, file) != NULL) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || colon == NULL)
            continue;
        const char *value = colon + 1 + strspn(colon + 1, " \t");
        snprintf(text, size, "%.*s", (int)strcspn(value, "\n"), value);
        break;
    }
    fclose(file);
}

void machine_describe(struct machine *machine)
{
    *machine = (struct machine){ .cpus = sysconf(_SC_NPROCESSORS_ONLN) };
    read_kernel(machine->kernel, sizeof machine->kernel);
    read_cpu(machine->cpu, sizeof machine->cpu);
}
