/* deputy.c: what is answered to each call.
 *
 * The watched thread sleeps while its call is judged, and both see the same memory: so the deputy
 * reads the messages where they are, and makes calls on the same descriptors in its place. */
#define _GNU_SOURCE
#include "deputy.h"

#include "acts.h"
#include "witness.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

/* So many system calls are never needed for a load. */
enum { CALLS_ENOUGH = 100000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool is_watching;
static struct fault faults[FAULTS_MOST];
static size_t fault_count;
static struct record record;
static int socket_fd = -1, socket_family;

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
    record.given[fault - faults]++;
    if (is_done_meanwhile(fault->act))
        record.was_closed |= acts_do(fault->act, fault->error, socket_fd, socket_family);
}

static int64_t result_of(long result)
{
    return result >= 0 ? result : -errno;
}

/* ---- Sends ----------------------------------------------------------------------------------- */

/* By the kernel, of the first `count`. */
static int64_t really_send(const struct attempt *attempt, size_t count)
{
    long result = attempt->message != NULL ? sendmsg(attempt->fd, attempt->message, attempt->flags)
                                           : syscall(SYS_sendmmsg, attempt->fd, attempt->messages,
                                                     count, attempt->flags);
    int error = result < 0 ? errno : 0;

    record.send_error = 0;
    record.pressed += meaning_of(error) == UDPBATCH_BUSY;
    if (error != 0)
        witness_refused(attempt, error, &record);
    else
        witness_taken(attempt, attempt->message != NULL ? 1 : (size_t)result, &record);
    return error != 0 ? -error : result;
}

static struct fault *find_fault_of_message(const struct attempt *attempt, size_t i)
{
    size_t target = load_target_of(message_of(attempt, i)->msg_name);

    for (size_t j = 0; j < fault_count; j++) {
        struct fault *fault = &faults[j];
        bool is_none =
            fault->act == ACT_NO_MMSG ||
            (attempt->message != NULL && fault->act != ACT_ERROR && !is_done_meanwhile(fault->act));
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
    if (is_done_meanwhile(fault->act))
        return really_send(attempt, attempt->count);
    if (fault->act == ACT_NOTHING)
        witness_refused(attempt, EIO, &record); /* which is what is made of it */
    else if (fault->error != 0)
        witness_refused(attempt, fault->error, &record);
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
    struct attempt attempt = { .fd = (int)data->args[0] };
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
    if (is_done_meanwhile(fault->act))
        return PASS;
    if (fault->act == ACT_AFTER && call == CALL_KICK)
        kick(data);
    return -fault->error;
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

static int64_t decide(enum call call, const struct seccomp_data *data)
{
    if (!is_watching)
        return PASS;
    if (is_endless() && call <= CALL_KICK)
        return -EBADF;
    return call == CALL_SEND ? on_send(data) : on_other(call, data);
}

static int64_t judge(enum call call, const struct seccomp_data *data)
{
    pthread_mutex_lock(&lock);
    int64_t result = decide(call, data);
    pthread_mutex_unlock(&lock);
    return result;
}

/* ---- What the watched thread says ------------------------------------------------------------ */

const char *deputy_begin(void)
{
    return notifier_begin(judge);
}

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

void deputy_watch_socket(int fd, int family)
{
    pthread_mutex_lock(&lock);
    socket_fd = fd;
    socket_family = family;
    pthread_mutex_unlock(&lock);
}

void deputy_call(void)
{
    pthread_mutex_lock(&lock);
    record.send_error = 0;
    memset(record.socket_errors, 0, sizeof record.socket_errors);
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
    record.was_written = acts_end(); /* whose own calls are told of, and pass */
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
