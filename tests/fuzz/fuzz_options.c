/* fuzz_options.c: command lines of `send` and `recv`: who refuses says so in one line, and what is
 * taken is within its limits and goes together.
 *
 * An input is 's' or 'r' and a word per line. Behind an empty line is the file of --targets. */
#include "cli.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "memory_file.h"
#include "numbered.h"
#include "recv_check.h"
#include "recv_options.h"
#include "send_check.h"
#include "send_options.h"
#include "source.h"

/* ---- What is said --------------------------------------------------------------------------- */

static unsigned complaints;

__attribute__((format(printf, 1, 2))) void __wrap_complain(const char *format, ...);

void __wrap_complain(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    require(vsnprintf(NULL, 0, format, arguments) > 0);
    va_end(arguments);
    complaints++;
}

/* Where --help goes. Returns the descriptor to hear again. */
static int silence(void)
{
    static int nowhere = -1;

    if (nowhere < 0)
        nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    fflush(stdout);
    const int before = dup(STDOUT_FILENO);
    require(nowhere >= 0 && before >= 0 && dup2(nowhere, STDOUT_FILENO) >= 0);
    return before;
}

static void end_silence(int before)
{
    fflush(stdout);
    require(dup2(before, STDOUT_FILENO) >= 0);
    close(before);
}

/* ---- Command lines -------------------------------------------------------------------------- */

enum { WORDS_MOST = 64 };

struct line {
    char *words[WORDS_MOST + 1];
    int count;
};

static char *copy(const char *word, size_t len)
{
    char *text = strndup(word, len);
    require(text != NULL);
    return text;
}

/* Each word in memory of its own. Leaves what is behind the empty line. */
static struct line take_line(struct fuzz_input *input)
{
    struct line line = { .words = { copy("udpbatch", 8) }, .count = 1 };

    while (input->left > 0 && line.count < WORDS_MOST) {
        const char *word = (const char *)input->at;
        const char *newline = memchr(word, '\n', input->left);
        const size_t len = newline != NULL ? (size_t)(newline - word) : input->left;
        input->at += len + (newline != NULL);
        input->left -= len + (newline != NULL);
        if (len == 0)
            break;
        line.words[line.count++] = copy(word, len);
    }
    return line;
}

static void free_line(struct line *line)
{
    for (int i = 0; i < line->count; i++)
        free(line->words[i]);
}

/* Returns whether there is something to do. */
static bool parse(const struct command *command, void *settings, struct line *line)
{
    const int before = silence();

    complaints = 0;
    optind = 0; /* begins anew, in glibc and musl */
    const int status = options_parse(command, settings, line->count, line->words);
    end_silence(before);
    require(status == OPTIONS_GO_ON || status == STATUS_DONE || status == STATUS_USAGE);
    require(complaints == (status == STATUS_USAGE));
    return status == OPTIONS_GO_ON;
}

static void expect_common(const struct common_settings *common)
{
    require(common->count <= INT64_MAX);
    require(common->seconds >= 0 && common->seconds <= 1e9);
    require(common->interval == 0 || (common->interval >= 0.01 && common->interval <= 1e9));
    require(common->capture == NULL || common->capture[0] != '\0');
}

static bool gave_reason(bool good, const struct reason *reason)
{
    require(good ||
            (memchr(reason->text, '\0', sizeof reason->text) != NULL && reason->text[0] != '\0'));
    return good;
}

/* ---- send ----------------------------------------------------------------------------------- */

static void expect_limits(const struct send_settings *send)
{
    const struct udpbatch_meta *meta = &send->meta;

    expect_common(&send->common);
    require(send->size <= PAYLOAD_MAX && send->burst <= UINT32_MAX && send->queue <= UINT32_MAX);
    require(send->speed == 0 || (send->speed >= 0.001 && send->speed <= 1e6));
    require((send->rate.unit == RATE_UNLIMITED) == (send->rate.per_second == 0));
    require(send->rate.per_second >= 0 && send->rate.per_second <= 1e15);
    require(((meta->flags & UDPBATCH_META_TTL) != 0) == (meta->ttl > 0));
    require(((meta->flags & UDPBATCH_META_LOCAL) != 0) == (meta->local.sa.sa_family != AF_UNSPEC));
    for (size_t i = 0; i < send->targets.count; i++)
        require(send->targets.addresses[i].in4.sin_port != 0);
}

/* One source, and one way to know where it goes. */
static void expect_to_go_together(const struct send_settings *send)
{
    const bool numbered = send_is_numbered(send), capture = send->common.capture != NULL;

    require(numbered + capture + (send->file != NULL) <= 1);
    require((send->targets.count > 0) != (send->map.count > 0));
    require(capture || (send->speed == 0 && send->map.count == 0));
    require(!send->common.lines || (send->size == 0 && !capture && !numbered));
    require(!numbered || send->size == 0 || send->size >= NUMBERED_BYTES);
    require(send->rate.unit != RATE_UNLIMITED ? send->speed == 0 : send->burst == 0);
    require(send->map.count > 0 || send->common.count <= INT64_MAX / send->targets.count);
}

static bool check_all(struct send_settings *send, struct reason *reason)
{
    const char *name = send->targets_file;
    return send_check(send, reason) &&
           send_check_targets(send, name != NULL ? targets_open_file(name, reason) : NULL, reason);
}

static void try_send(struct line *line, struct fuzz_input *rest)
{
    struct send_settings send = { 0 };
    struct reason reason;

    if (parse(&send_command, &send, line)) {
        expect_limits(&send);
        if (send.targets_file != NULL)
            send.targets_file = memory_file(rest->at, rest->left);
        memset(&reason, 'x', sizeof reason);
        if (gave_reason(check_all(&send, &reason), &reason))
            expect_to_go_together(&send);
    }
    targets_free(&send.targets);
    address_map_free(&send.map);
}

/* ---- recv ----------------------------------------------------------------------------------- */

static bool is_stdout(const char *name)
{
    return name == NULL || strcmp(name, "-") == 0;
}

static void try_recv(struct line *line)
{
    struct recv_settings recv = { 0 };
    struct reason reason;

    if (!parse(&recv_command, &recv, line))
        return;
    expect_common(&recv.common);
    require(recv.buffer <= INT32_MAX / 2);
    memset(&reason, 'x', sizeof reason);
    if (!gave_reason(recv_check(&recv, &reason), &reason))
        return;
    require(recv.address.sa.sa_family == AF_INET || recv.address.sa.sa_family == AF_INET6);
    require(recv.common.capture == NULL || (recv.output == NULL && !recv.common.lines));
    require(!recv.common.json ||
            !is_stdout(recv.common.capture != NULL ? recv.common.capture : recv.output));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = { data, size };
    const uint8_t which = take_8(&input);
    struct line line = take_line(&input);

    if (which == 's')
        try_send(&line, &input);
    else if (which == 'r')
        try_recv(&line);
    free_line(&line);
    return 0;
}
