/* targets.c: the list of addresses that everything is sent to. */
#include "targets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"

static bool make_room(struct targets *targets, struct reason *reason)
{
    if (targets->count < targets->capacity)
        return true;
    size_t capacity = targets->capacity == 0 ? 16 : targets->capacity * 2;
    void *larger = realloc(targets->addresses, capacity * sizeof *targets->addresses);
    if (larger == NULL)
        return reason_give(reason, "%s", words_of_error(ENOMEM));
    targets->addresses = larger;
    targets->capacity = capacity;
    return true;
}

bool targets_add(struct targets *targets, const char *text, struct reason *reason)
{
    if (!make_room(targets, reason) ||
        !address_read_target(text, &targets->addresses[targets->count], reason))
        return false;
    targets->count++;
    return true;
}

/* Of a file. Not by getline(3), which Windows does not have. */
struct line {
    char *text;
    size_t len, room; /* without and with a NUL */
};

static bool append(struct line *line, char byte)
{
    if (line->len + 1 >= line->room) {
        size_t room = line->room == 0 ? 128 : line->room * 2;
        char *larger = realloc(line->text, room);
        if (larger == NULL)
            return false;
        line->text = larger;
        line->room = room;
    }
    line->text[line->len++] = byte;
    line->text[line->len] = '\0';
    return true;
}

/* With its newline. Returns false at the end of the file, or with errno set. */
static bool read_line(struct line *line, FILE *file)
{
    int byte;

    line->len = 0;
    while ((byte = getc(file)) != EOF) {
        if (!append(line, (char)byte))
            return false;
        if (byte == '\n')
            return true;
    }
    return line->len > 0 && !ferror(file);
}

/* Cuts the comment and the blanks around from a line. */
static char *trim(char *line)
{
    static const char blanks[] = " \t\r\n";
    line += strspn(line, blanks);
    size_t len = strcspn(line, "#\n");
    while (len > 0 && strchr(blanks, line[len - 1]) != NULL)
        len--;
    line[len] = '\0';
    return line;
}

static bool add_line(struct targets *targets, char *line, size_t len, struct reason *reason)
{
    if (strlen(line) != len)
        return reason_give(reason, "the line has a NUL in it");
    const char *text = trim(line);
    struct reason why;
    return *text == '\0' || targets_add(targets, text, &why) ||
           reason_give(reason, "%.60s: %.160s", text, why.text);
}

static bool add_lines(struct targets *targets, FILE *file, const char *name, struct reason *reason)
{
    struct line line = { 0 };
    struct reason why;
    bool good = true;

    for (unsigned long number = 1; good && read_line(&line, file); number++)
        if (!add_line(targets, line.text, line.len, &why))
            good = reason_give(reason, "%s:%lu: %s", name, number, why.text);
    if (good && !feof(file))
        good = reason_give(reason, "cannot read %s: %s", name, words_of_error(errno));
    free(line.text);
    return good;
}

FILE *targets_open_file(const char *name, struct reason *reason)
{
    FILE *file = fopen(name, "rb");
    if (file == NULL)
        reason_give(reason, "cannot read %s: %s", name, words_of_error(errno));
    return file;
}

bool targets_add_file(struct targets *targets, FILE *file, const char *name, struct reason *reason)
{
    bool good = add_lines(targets, file, name, reason);
    fclose(file);
    return good;
}

int targets_choose_family(struct targets *targets)
{
    bool all_in4 = true;
    for (size_t i = 0; i < targets->count; i++)
        all_in4 = all_in4 && targets->addresses[i].sa.sa_family == AF_INET;
    if (all_in4)
        return AF_INET;
    for (size_t i = 0; i < targets->count; i++)
        address_map(&targets->addresses[i]);
    return AF_INET6;
}

void targets_free(struct targets *targets)
{
    free(targets->addresses);
    *targets = (struct targets){ 0 };
}
