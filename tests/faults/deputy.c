/* deputy.c: the filter, the thread behind it, and what it answers.
 *
 * The watched thread sleeps while its call is judged, and both see the same memory: so the deputy
 * reads the messages where they are, and makes calls on the same descriptors in its place. */
#define _GNU_SOURCE
#include "deputy.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of Linux 6.6: who waits for the answer goes on, on the processor of who gives it. */
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#endif
enum { NOTIF_SYNC_WAKE_UP = 1 };

/* So many system calls are never needed for a load. */
enum { CALLS_ENOUGH = 100000 };

const char *const CALL_NAMES[CALLS] = { "send",        "kick",        "ask",        "hear",
                                        "poll",        "sleep",       "getsockopt", "setsockopt",
                                        "getsockname", "getpeername", "ioctl",      "socket",
                                        "bind" };

/* What the filter tells of. Systems have some of these by other numbers, or not at all. */
static const struct watched {
    int number;
    enum call call;
} watched[] = {
    { SYS_sendmmsg, CALL_SEND },
    { SYS_sendmsg, CALL_SEND },
    { SYS_sendto, CALL_KICK },
    { SYS_recvmsg, CALL_HEAR },
    { SYS_ppoll, CALL_POLL },
    { SYS_clock_nanosleep, CALL_SLEEP },
    { SYS_nanosleep, CALL_SLEEP },
    { SYS_getsockopt, CALL_GETSOCKOPT },
    { SYS_setsockopt, CALL_SETSOCKOPT },
    { SYS_getsockname, CALL_GETSOCKNAME },
    { SYS_getpeername, CALL_GETPEERNAME },
    { SYS_ioctl, CALL_IOCTL },
    { SYS_socket, CALL_SOCKET },
    { SYS_bind, CALL_BIND },
#ifdef SYS_poll
    { SYS_poll, CALL_POLL },
#endif
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool is_watching;
static struct fault faults[FAULTS_MOST];
static size_t fault_count;
static struct record record;
static int listener = -1;

/* What to answer: 0 and more is a result, below 0 an errno; or the kernel goes on by itself. */
enum { PASS = INT32_MIN };

/* ---- Faults ---------------------------------------------------------------------------------- */

static struct fault *find_fault(enum call call, uint32_t made)
{
    for (size_t i = 0; i < fault_count; i++)
        if (faults[i].call == call && faults[i].times > 0 && made >= faults[i].at)
            return &faults[i];
    return NULL;
}

static void give(struct fault *fault)
{
    fault->times--;
    record.given++;
    if (meaning_of(fault->error) == UDPBATCH_SOCKET)
        record.socket_errors[fault->error] = true;
}

static int64_t result_of(long result)
{
    return result >= 0 ? result : -errno;
}

/* ---- Messages -------------------------------------------------------------------------------- */

/* One call, of one message or several. */
struct attempt {
    int number, fd;
    struct mmsghdr *messages;
    struct msghdr *message; /* of a sendmsg */
    size_t count;
    int flags;
};

static const struct msghdr *message_of(const struct attempt *attempt, size_t i)
{
    return attempt->message != NULL ? attempt->message : &attempt->messages[i].msg_hdr;
}

/* Calls `tell` for each packet in the message; returns how many. */
static size_t for_each_packet(const struct msghdr *message,
                              void (*tell)(struct met *met, int error), int error)
{
    size_t payload, before, count = 0;

    for (size_t i = 0; i < (size_t)message->msg_iovlen; i++) {
        const unsigned char *data = message->msg_iov[i].iov_base;
        size_t rest = message->msg_iov[i].iov_len;
        while (rest > 0) {
            if (!load_payload_at(data, &payload, &before)) {
                record.was_unreadable = true;
                return count;
            }
            size_t part = load_len(payload) - before;
            part = part < rest ? part : rest;
            size_t packet = load_packet_of(payload, message->msg_name);
            if (packet != NO_PACKET && before == 0)
                tell(&record.packets[packet], error);
            count += before == 0;
            data += part;
            rest -= part;
        }
    }
    return count;
}

static void tell_nothing(struct met *met, int error)
{
    (void)met;
    (void)error;
}

static void tell_taken(struct met *met, int error)
{
    (void)error;
    met->taken++;
}

static void tell_refused(struct met *met, int error)
{
    met->last_error = error;
    met->was_alone = record.was_alone;
    if (meaning_of(error) != UDPBATCH_BUSY)
        met->refusals++;
}

/* ---- Sends ----------------------------------------------------------------------------------- */

static void note_refused(const struct attempt *attempt, int error)
{
    const struct msghdr *message = message_of(attempt, 0);

    record.was_alone = for_each_packet(message, tell_nothing, 0) == 1;
    record.send_error = error;
    for_each_packet(message, tell_refused, error);
}

/* By the kernel, of the first `count`. */
static int64_t really_send(const struct attempt *attempt, size_t count)
{
    int64_t taken;

    record.send_error = 0;
    if (attempt->message != NULL) {
        int64_t result = result_of(sendmsg(attempt->fd, attempt->message, attempt->flags));
        taken = result >= 0 ? 1 : result;
        if (taken == 1)
            for_each_packet(attempt->message, tell_taken, 0);
        else
            note_refused(attempt, (int)-result);
        record.taken += taken == 1;
        return result;
    }
    taken = result_of(syscall(SYS_sendmmsg, attempt->fd, attempt->messages, count, attempt->flags));
    if (taken < 0)
        note_refused(attempt, (int)-taken);
    for (int64_t i = 0; i < taken; i++)
        for_each_packet(message_of(attempt, (size_t)i), tell_taken, 0);
    record.taken += taken > 0 ? (uint32_t)taken : 0;
    return taken;
}

static struct fault *find_fault_of_message(const struct attempt *attempt, size_t i)
{
    size_t target = load_target_of(message_of(attempt, i)->msg_name);

    for (size_t j = 0; j < fault_count; j++) {
        struct fault *fault = &faults[j];
        bool is_none =
            fault->act == ACT_NO_MMSG || (attempt->message != NULL && fault->act != ACT_ERROR);
        bool is_hit = fault->is_of_target ? fault->at == target : fault->at == record.taken + i;
        if (fault->call == CALL_SEND && !is_none && fault->times > 0 && is_hit)
            return fault;
    }
    return NULL;
}

/* The fault of the first message is told; one further behind ends the call in front of it. */
static int64_t send_with_faults(const struct attempt *attempt)
{
    struct fault *fault = NULL;
    size_t before = 0;

    while (before < attempt->count && (fault = find_fault_of_message(attempt, before)) == NULL)
        before++;
    if (fault == NULL)
        return really_send(attempt, attempt->count);
    if (fault->act == ACT_SHORT)
        give(fault);
    if (before > 0)
        return really_send(attempt, before);
    if (fault->act == ACT_SHORT)
        return really_send(attempt, attempt->count);
    give(fault);
    if (fault->act == ACT_NOTHING)
        note_refused(attempt, EIO); /* which is what is made of it */
    else if (fault->error != 0)
        note_refused(attempt, fault->error);
    return -fault->error;
}

static struct fault *find_filter(void)
{
    for (size_t i = 0; i < fault_count; i++)
        if (faults[i].act == ACT_NO_MMSG)
            return &faults[i];
    return NULL;
}

/* A message to no socket is a question whether the call may be made at all. */
static int64_t on_send(const struct seccomp_data *data)
{
    struct attempt attempt = { .number = data->nr, .fd = (int)data->args[0] };
    struct fault *filter = find_filter();

    record.sends++;
    record.has_mmsg |= data->nr == SYS_sendmmsg;
    if (data->nr == SYS_sendmmsg && filter != NULL) {
        give(filter);
        return -filter->error;
    }
    if (attempt.fd < 0)
        return PASS;
    if (data->nr == SYS_sendmsg) {
        attempt.message = (struct msghdr *)(uintptr_t)data->args[1];
        attempt.count = 1;
        attempt.flags = (int)data->args[2];
    } else {
        attempt.messages = (struct mmsghdr *)(uintptr_t)data->args[1];
        attempt.count = (size_t)data->args[2];
        attempt.flags = (int)data->args[3];
    }
    return send_with_faults(&attempt);
}

/* ---- Other calls ----------------------------------------------------------------------------- */

static int64_t kick(const struct seccomp_data *data)
{
    return result_of(sendto((int)data->args[0], NULL, 0, (int)data->args[3], NULL, 0));
}

static int64_t on_other(enum call call, const struct seccomp_data *data)
{
    struct fault *fault = find_fault(call, record.calls[call]++);

    record.sends += call == CALL_KICK;
    if (fault == NULL)
        return PASS;
    give(fault);
    if (fault->act == ACT_AFTER && call == CALL_KICK)
        kick(data);
    return -fault->error;
}

static enum call call_of(const struct seccomp_data *data)
{
    for (size_t i = 0; i < COUNT_OF(watched); i++)
        if (watched[i].number == data->nr)
            return watched[i].call == CALL_KICK && data->args[1] != 0 ? CALL_ASK : watched[i].call;
    return CALLS;
}

/* Who would go on for ever learns that its socket is gone, which ends everything. */
static bool is_endless(void)
{
    uint32_t calls = record.sends;
    for (size_t i = 0; i < CALLS; i++)
        calls += record.calls[i];
    record.was_endless |= calls > CALLS_ENOUGH;
    return record.was_endless;
}

static int64_t judge(const struct seccomp_data *data)
{
    enum call call = call_of(data);

    if (!is_watching || call == CALLS)
        return PASS;
    if (is_endless() && call <= CALL_KICK)
        return -EBADF;
    return call == CALL_SEND ? on_send(data) : on_other(call, data);
}

/* ---- The thread ------------------------------------------------------------------------------ */

/* Past libc: musl has the request as an int. */
static long notify(unsigned long request, void *argument)
{
    return syscall(SYS_ioctl, listener, request, argument);
}

static void answer(const struct seccomp_notif *question)
{
    struct seccomp_notif_resp response = { .id = question->id };

    pthread_mutex_lock(&lock);
    int64_t result = judge(&question->data);
    pthread_mutex_unlock(&lock);
    if (result == PASS)
        response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    else if (result < 0)
        response.error = (int32_t)result;
    else
        response.val = result;
    notify(SECCOMP_IOCTL_NOTIF_SEND, &response); /* fails if who asked is gone */
}

static void *serve(void *nothing)
{
    union {
        struct seccomp_notif question;
        char room[512]; /* later kernels may say more, and want it empty before */
    } notice;

    for (;;) {
        memset(&notice, 0, sizeof notice);
        if (notify(SECCOMP_IOCTL_NOTIF_RECV, &notice) == 0)
            answer(&notice.question);
        else if (errno != EINTR && errno != ENOENT)
            return nothing;
    }
}

/* ---- The filter ------------------------------------------------------------------------------ */

static int set_filter(void)
{
    struct sock_filter steps[COUNT_OF(watched) + 3];
    struct sock_fprog program = { .len = COUNT_OF(steps), .filter = steps };
    const size_t last = COUNT_OF(steps) - 1;

    steps[0] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < COUNT_OF(watched); i++)
        steps[i + 1] = (struct sock_filter)BPF_JUMP(
            BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)watched[i].number, (uint8_t)(last - i - 2), 0);
    steps[last - 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    steps[last] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -1;
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
                        &program);
}

/* The thread begins before there is a filter, and waits until there is one to serve. */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void *begin_serving(void *nothing)
{
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    return serve(nothing);
}

bool deputy_hears_calls(void)
{
    int type;
    socklen_t len = sizeof type;

    deputy_watch(NULL, 0);
    getsockopt(STDIN_FILENO, SOL_SOCKET, SO_TYPE, &type, &len);
    bool has_heard = deputy_record()->calls[CALL_GETSOCKOPT] == 1;
    deputy_rest();
    return has_heard;
}

const char *deputy_begin(void)
{
    pthread_t thread;

    pthread_mutex_lock(&gate);
    if (pthread_create(&thread, NULL, begin_serving, NULL) != 0)
        return "no second thread";
    listener = set_filter();
    pthread_mutex_unlock(&gate);
    if (listener < 0)
        return "no filter that tells of system calls (seccomp_unotify(2))";
    syscall(SYS_ioctl, listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, (uint64_t)NOTIF_SYNC_WAKE_UP);
    return NULL;
}

/* ---- What the watched thread says ------------------------------------------------------------ */

void deputy_watch(const struct fault *wanted, size_t n)
{
    pthread_mutex_lock(&lock);
    fault_count = n;
    if (n > 0)
        memcpy(faults, wanted, n * sizeof *wanted);
    memset(&record, 0, sizeof record);
    is_watching = true;
    pthread_mutex_unlock(&lock);
}

void deputy_call(void)
{
    pthread_mutex_lock(&lock);
    record.send_error = 0;
    pthread_mutex_unlock(&lock);
}

void deputy_relent(void)
{
    pthread_mutex_lock(&lock);
    fault_count = 0;
    pthread_mutex_unlock(&lock);
}

const struct record *deputy_record(void)
{
    pthread_mutex_lock(&lock);
    pthread_mutex_unlock(&lock);
    return &record;
}

void deputy_rest(void)
{
    pthread_mutex_lock(&lock);
    is_watching = false;
    pthread_mutex_unlock(&lock);
}
