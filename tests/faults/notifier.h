/* notifier.h: tells a second thread of a thread's system calls, before the kernel does them
 * (seccomp_unotify(2)). */
#ifndef FAULTS_NOTIFIER_H
#define FAULTS_NOTIFIER_H

#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdint.h>

/* What is watched. */
enum call {
    CALL_SEND, /* sendmmsg, sendmsg */
    CALL_KICK, /* sendto of nothing: AF_XDP's ring is to be looked at */
    CALL_ASK,  /* sendto of something: netlink is asked */
    CALL_HEAR, /* recvmsg: its answer */
    CALL_TELL, /* getsockopt of what AF_XDP's ring was passed by */
    CALL_POLL,
    CALL_SLEEP,
    CALL_GETSOCKOPT,
    CALL_SETSOCKOPT,
    CALL_GETSOCKNAME,
    CALL_GETPEERNAME,
    CALL_IOCTL,
    CALL_SOCKET,
    CALL_BIND,
    CALLS
};

extern const char *const CALL_NAMES[CALLS];

/* What to answer: 0 and more is a result, below 0 an errno; or the kernel goes on by itself. */
enum { PASS = INT32_MIN };

/* Sets a filter on the calling thread, for good; `judge` is called by another thread for each of
 * its calls. Returns NULL, or what is missing. */
const char *notifier_begin(int64_t (*judge)(enum call call, const struct seccomp_data *data));

#endif
