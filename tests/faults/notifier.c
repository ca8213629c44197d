/* notifier.c: the filter, and the thread that is told by it. The thread that is watched sleeps
 * meanwhile. */
#define _GNU_SOURCE
#include "notifier.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/if_xdp.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of Linux 6.6: who waits for the answer goes on, on the processor of who gives it. */
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#endif
enum { NOTIF_SYNC_WAKE_UP = 1 };

#ifndef SOL_XDP
#define SOL_XDP 283 /* musl's headers do not have it */
#endif

const char *const CALL_NAMES[CALLS] = { "send",       "kick",        "ask",         "hear",
                                        "tell",       "poll",        "sleep",       "getsockopt",
                                        "setsockopt", "getsockname", "getpeername", "ioctl",
                                        "socket",     "bind" };

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
#ifdef SYS_ppoll_time64 /* where a long has 32 bits */
    { SYS_ppoll_time64, CALL_POLL },
#endif
#ifdef SYS_clock_nanosleep_time64
    { SYS_clock_nanosleep_time64, CALL_SLEEP },
#endif
};

enum { WATCHED = sizeof watched / sizeof watched[0] };

static int listener = -1;
static int64_t (*judge_call)(enum call call, const struct seccomp_data *data);

static enum call call_of(const struct seccomp_data *data)
{
    enum call call = CALLS;

    for (size_t i = 0; i < WATCHED && call == CALLS; i++)
        if (watched[i].number == data->nr)
            call = watched[i].call;
    if (call == CALL_KICK && data->args[1] != 0)
        return CALL_ASK;
    if (call == CALL_GETSOCKOPT && data->args[1] == SOL_XDP && data->args[2] == XDP_STATISTICS)
        return CALL_TELL;
    return call;
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

    enum call call = call_of(&question->data);
    int64_t result = call < CALLS ? judge_call(call, &question->data) : PASS;

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
    enum { STEPS = WATCHED + 3 };
    struct sock_filter steps[STEPS];
    struct sock_fprog program = { .len = STEPS, .filter = steps };
    const size_t last = STEPS - 1;

    steps[0] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < WATCHED; i++)
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

const char *notifier_begin(int64_t (*judge)(enum call call, const struct seccomp_data *data))
{
    pthread_t thread;

    judge_call = judge;
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
