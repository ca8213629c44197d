/* fake_winsock.h: a Winsock that sends and receives as a test says.
 *
 * Sockets are real ones; what is sent on them and what arrives there is made up, and so are the
 * offloads. */
#ifndef FAKE_WINSOCK_H
#define FAKE_WINSOCK_H

#include "system.h"

enum { FAKE_CALLS = 256, FAKE_BYTES = 2048, FAKE_BUFFERS = 4, FAKE_ARRIVALS = 16 };

/* A call of WSASendMsg. */
struct fake_send {
    int error;              /* of Winsock; 0: taken */
    union udpbatch_addr to; /* all zero: none */
    int to_len;
    unsigned char bytes[FAKE_BYTES];
    size_t len, buffers;
    size_t controls;  /* control messages */
    uint32_t segment; /* that UDP_SEND_MSG_SIZE says; 0: none */
};

/* What a call of WSARecvMsg finds. */
struct fake_arrival {
    int error; /* of Winsock; 0: a datagram or a train */
    const void *data;
    size_t len;
    uint32_t segment; /* that UDP_COALESCED_INFO says; 0: none */
    bool has_others;  /* control messages that nobody asked for are there, too */
};

struct fake_winsock {
    int send_errors[FAKE_CALLS]; /* that the calls meet, in turn */
    int send_error;              /* that all meet */
    struct fake_send sends[FAKE_CALLS];
    size_t send_count;

    struct fake_arrival arrivals[FAKE_ARRIVALS];
    size_t arrival_count, arrival_next;
    bool tells_truncation; /* by MSG_TRUNC: Wine does not */
    short events;          /* that WSAPoll tells besides what has arrived */
    int poll_error;
    short polled; /* events that the last call of it asked for, and how long it was to wait */
    int poll_timeout_ms;
    bool has_no_receive; /* there is no WSARecvMsg */

    int no_uso, no_uro; /* the error of asking for it; 0: it is there */
    DWORD uso, uro;     /* as the options are set */
    unsigned uso_sets, uro_sets;
};

extern struct fake_winsock fake;

void fake_begin(void);
void fake_arrive(const void *data, size_t len, uint32_t segment);
void fake_arrive_error(int error);

#endif
