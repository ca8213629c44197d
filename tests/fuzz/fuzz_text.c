/* fuzz_text.c: what users write as numbers, addresses, rules and lists of targets, against a second
 * opinion; and that what is written is read back the same. */
#include "text.h"

#include <stdlib.h>
#include <string.h>

struct reason *reason_begin(struct reason *reason)
{
    memset(reason, 'x', sizeof *reason);
    return reason;
}

bool gave_reason(bool good, const struct reason *reason)
{
    require(good ||
            (memchr(reason->text, '\0', sizeof reason->text) != NULL && reason->text[0] != '\0'));
    return good;
}

/* In memory of just its length. To be freed. */
static char *take_text(struct fuzz_input *input)
{
    char *text = malloc(input->left + 1);
    require(text != NULL);
    text[input->left] = '\0';
    take_bytes(input, text, input->left);
    char *exact = strdup(text);
    require(exact != NULL);
    free(text);
    return exact;
}

static void try_text(struct fuzz_input *input, void (*try)(const char *text))
{
    char *text = take_text(input);
    try(text);
    free(text);
}

static void try_lines(struct fuzz_input *input)
{
    char *text = take_text(input);
    try_rules(text);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = { data, size };

    switch (take_8(&input)) {
    case 'n':
        try_text(&input, try_numbers);
        break;
    case 'w':
        try_written_numbers(&input);
        break;
    case 'a':
        try_text(&input, try_addresses);
        break;
    case 'r':
        try_lines(&input);
        break;
    case 't':
        try_target_list((const char *)input.at, input.left);
        break;
    default:
        break;
    }
    return 0;
}
