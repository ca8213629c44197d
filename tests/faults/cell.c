/* cell.c: how a load is sent, as the manual says that it is to be done. */
#define _GNU_SOURCE
#include "cell.h"

#include "arrival.h"
#include "closer.h"
#include "judge.h"
#include "queue.h"

#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

/* A fault for ever is given up after so many calls that sent nothing. */
enum { CALLS_IN_VAIN = 3, CALLS_MOST = 20000, PRESSED_BUFFER = 65536, DESCRIPTORS_MOST = 256 };

static const struct cell *cell;
static int usual_descriptors; /* without a socket to send on */
static struct result *result;
static uint32_t given[FAULTS_MOST];

void cell_complain(const char *format, ...)
{
    va_list arguments;

    if (result->fault[0] != '\0')
        return;
    va_start(arguments, format);
    vsnprintf(result->fault, sizeof result->fault, format, arguments);
    va_end(arguments);
}

static void note_given(void)
{
    for (size_t i = 0; i < cell->fault_count; i++) {
        given[i] += deputy_record()->given[i];
        result->given += deputy_record()->given[i];
    }
}

/* ---- Open and close -------------------------------------------------------------------------- */

static udpbatch_socket open_socket(void)
{
    union udpbatch_addr own = on_cable(cell->family, 1, 0);
    udpbatch_socket fd = socket(cell->family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, &own.sa, sizeof own), 0);
    if (cell->is_connected)
        connect_to(fd, &load.targets[0]);
    if (cell->has_error_queue && cell->family == AF_INET)
        set_option(fd, IPPROTO_IP, IP_RECVERR, 1);
    if (cell->has_error_queue && cell->family == AF_INET6)
        set_option(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
    if (cell->is_pressed) {
        make_nonblocking(fd);
        set_option(fd, SOL_SOCKET, SO_SNDBUF, PRESSED_BUFFER);
    }
    return fd;
}

/* When all that are being closed are. */
static int count_descriptors(void)
{
    int count = 0;

    closer_end();
    for (int fd = 0; fd < DESCRIPTORS_MOST; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

/* Where faults do not let it be opened, it says so, leaves nothing, and can be opened later. */
static struct udpbatch_sender *open_sender(udpbatch_socket fd, uint32_t queue)
{
    const struct udpbatch_sender_options options = { .size = sizeof options,
                                                     .backend = cell->way->backend,
                                                     .trains = cell->trains,
                                                     .in_order = cell->in_order,
                                                     .xdp_interface = "near",
                                                     .xdp_queue = queue };
    int error = 0;
    struct udpbatch_sender *sender = udpbatch_sender_open(fd, &options, &error);

    if (sender != NULL)
        return sender;
    if (!cell->from_open || error == 0)
        cell_complain("no sender: %s", strerror(error));
    if (count_descriptors() != usual_descriptors + 1)
        cell_complain("a sender that could not be opened left a descriptor");
    note_given();
    deputy_watch(NULL, 0);
    sender = udpbatch_sender_open(fd, &options, &error);
    if (sender == NULL)
        cell_complain("no sender after a failed one: %s", strerror(error));
    return sender;
}

/* ---- Sending --------------------------------------------------------------------------------- */

static struct udpbatch_tally send_targets(udpbatch_socket fd, struct udpbatch_packet *packets,
                                          size_t n)
{
    static int32_t status[PACKETS_MOST];
    static union udpbatch_addr to[PACKETS_MOST];

    for (size_t i = 0; i < n; i++) {
        status[i] = packets[i].status;
        to[i] = *packets[i].to;
    }
    struct udpbatch_tally tally =
        udpbatch_multi_target_send(fd, packets->data, packets->len, to, n, status);
    for (size_t i = 0; i < n; i++)
        packets[i].status = status[i];
    return tally;
}

static struct udpbatch_tally send_once(udpbatch_socket fd, struct udpbatch_sender *sender,
                                       struct udpbatch_packet *packets, size_t n)
{
    struct udpbatch_tally tally;

    deputy_call();
    if (cell->way->kind == SENDER)
        tally = udpbatch_sender_send(sender, packets, n);
    else if (cell->way->kind == MULTI_TARGET)
        tally = send_targets(fd, packets, n);
    else
        tally = udpbatch_send(fd, packets, n);
    judge_tally(&tally, packets, n, deputy_record());
    return tally;
}

/* Level 1 waits by itself. */
static void wait_for_room(udpbatch_socket fd, int error)
{
    struct pollfd room = { .fd = fd, .events = POLLOUT };
    if (error == EAGAIN)
        poll(&room, 1, PATIENCE_MS);
}

/* As a program would; what it is told of the wait may be any error, as long as nothing is lost. */
static void wait_once(udpbatch_socket fd, struct udpbatch_sender *sender, int error)
{
    int waited = 0;

    if (sender != NULL)
        waited = udpbatch_sender_wait(sender, PATIENCE_MS);
    else
        wait_for_room(fd, error);
    if (waited > 0)
        cell_complain("the wait returned %d", waited);
}

static void send_part(udpbatch_socket fd, struct udpbatch_sender *sender,
                      struct udpbatch_packet *packets, size_t n)
{
    struct udpbatch_tally tally = send_once(fd, sender, packets, n);
    size_t unsent = tally.unsent;
    int in_vain = 0;

    for (int calls = 0; tally.unsent > 0 && calls < CALLS_MOST; calls++) {
        wait_once(fd, sender, tally.unsent_error);
        tally = send_once(fd, sender, packets, n);
        in_vain = tally.unsent == unsent ? in_vain + 1 : 0;
        unsent = tally.unsent;
        if (in_vain == CALLS_IN_VAIN)
            deputy_relent();
    }
}

static void send_all(udpbatch_socket fd, struct udpbatch_sender *sender)
{
    const size_t most = cell->part > 0 ? cell->part : load.count;

    for (size_t from = 0, n; from < load.count; from += n) {
        n = load.count - from < most ? load.count - from : most;
        send_part(fd, sender, load.packets + from, n);
    }
}

static void flush(struct udpbatch_sender *sender)
{
    int error;

    deputy_relent();
    error = sender != NULL ? udpbatch_sender_flush(sender, PATIENCE_MS) : 0;
    if (error != 0)
        cell_complain("flush: %s", strerror(-error));
}

/* ---- A cell ---------------------------------------------------------------------------------- */

/* Level 1 has no options. */
static void choose_trains(void)
{
    if (cell->trains == UDPBATCH_TRAINS_OFF)
        setenv("UDPBATCH_GSO", "off", 1);
    else
        unsetenv("UDPBATCH_GSO");
}

static void make_load(void)
{
    const struct load_options options = { .cell = cell->number,
                                          .family = cell->family,
                                          .is_connected = cell->is_connected,
                                          .in_pieces = cell->in_pieces,
                                          .meta = cell->meta };
    load_make(cell->workload, &options);
}

/* As all senders are, at the end too. */
static void close_all(struct udpbatch_sender *sender, udpbatch_socket fd, uint32_t queue)
{
    bool takes_time = cell->way->backend != NULL && strcmp(cell->way->backend, "xdp") == 0;

    if (takes_time) {
        close_meanwhile(sender, fd, queue);
        return;
    }
    udpbatch_sender_close(sender);
    close_socket(fd);
}

static void run(void)
{
    struct udpbatch_sender *sender = NULL;
    udpbatch_socket fd = open_socket();
    uint32_t queue = closer_free_queue();

    deputy_watch_socket(fd, cell->family);
    if (cell->from_open)
        deputy_watch(cell->faults, cell->fault_count);
    if (cell->way->kind == SENDER)
        sender = open_sender(fd, queue);
    if (!cell->from_open)
        deputy_watch(cell->faults, cell->fault_count);
    if (sender != NULL || cell->way->kind != SENDER) {
        uint32_t before = deputy_record()->sends;
        send_all(fd, sender);
        result->calls = deputy_record()->sends - before;
        flush(sender);
        judge_end(sender, deputy_record(), result);
    }
    note_given();
    result->pressed = deputy_record()->pressed;
    result->used_mmsg = deputy_record()->has_mmsg;
    result->asked = deputy_record()->calls[CALL_GETSOCKOPT] > 0;
    deputy_rest();
    if (deputy_record()->was_written)
        cell_complain("something was written into a pipe");
    close_all(sender, deputy_record()->was_closed ? NO_SOCKET : fd, queue);
}

static bool was_reached(void)
{
    size_t count = 0;

    for (size_t i = 0; i < cell->fault_count; i++)
        count += given[i] > 0;
    return cell->place == PLACE_SEVERAL ? count > 0 : count == cell->fault_count;
}

struct result cell_run(const struct cell *which)
{
    static struct result latest;

    cell = which;
    result = &latest;
    latest = (struct result){ .packets = 0 };
    memset(given, 0, sizeof given);
    if (usual_descriptors == 0)
        usual_descriptors = count_descriptors();
    choose_trains();
    if (!queue_be_slow(cell->place == PLACE_PRESSED))
        cell_complain("tc cannot change the queue");
    make_load();
    judge_begin(cell);
    run();
    latest.was_reached = was_reached();
    return latest;
}
