/* deputy.h: the kernel's deputy: a thread that gets to see the system calls of another before the
 * kernel does, and does them itself, lets them pass or spoils them. Sends are told by the messages,
 * all others by the call. */
#ifndef FAULTS_DEPUTY_H
#define FAULTS_DEPUTY_H

#include "errors.h"
#include "load.h"
#include "notifier.h"

enum { FOR_EVER = 1000000, ERRORS_OF_SOCKETS = 256 };

struct fault {
    enum call call;
    enum act act;
    int error;
    uint32_t at;       /* that many messages were taken before, or that many calls made */
    uint32_t times;    /* in a row */
    bool is_of_target; /* `at` is a target, and every message to it meets this */
};

enum { FAULTS_MOST = 6 };

/* What became of a packet at the kernel's door. */
struct met {
    uint16_t refusals; /* errors that were not of back pressure */
    int last_error;
    bool was_alone; /* and not in a train, when it met that */
    uint16_t alone; /* how often it did so by itself, and nothing else was sent in between */
    uint8_t taken;  /* by the kernel: how often */
};

/* What was seen since deputy_watch. */
struct record {
    struct met packets[PACKETS_MOST];
    uint32_t calls[CALLS];
    uint32_t taken;              /* messages */
    uint32_t given[FAULTS_MOST]; /* of each fault, how often */
    uint32_t pressed;            /* errors of back pressure that the kernel gave by itself */
    uint32_t sends;              /* system calls that send, by any way */
    int send_error; /* with which the last send ended; 0: none; set back by deputy_call */
    bool was_alone; /* and whether it was one packet's */
    const struct met *last_alone; /* whose it was, if the last send met more than back pressure */
    bool socket_errors[ERRORS_OF_SOCKETS]; /* those that sends met; set back, too */
    bool has_mmsg;                         /* sendmmsg was called */
    bool was_endless;                      /* the library would not stop */
    bool was_unreadable;                   /* a message with something that is no packet's */
    bool was_closed;                       /* the socket's descriptor, meanwhile */
    bool was_written;                      /* into what is no socket; known after deputy_rest */
};

/* Sets a filter on the calling thread, for good, and the deputy to work. Returns NULL, or what is
 * missing. */
const char *deputy_begin(void);

/* Whether libc makes its system calls on sockets one by one, and not by socketcall(2). */
bool deputy_hears_calls(void);

/* From now on, with these faults, and a new record. */
void deputy_watch(const struct fault *faults, size_t n);
void deputy_watch_socket(int fd, int family); /* to which something may be done meanwhile */
void deputy_call(void);                       /* a call of the library begins */
void deputy_relent(void);                     /* no faults any more */
const struct record *deputy_record(void);     /* holds until the thread makes system calls again */
void deputy_rest(void); /* all calls pass unseen, and what was done meanwhile is ended */

#endif
