/* full_queue.h: senders at near by any back end, and a queue that takes less than they send.
 */
#ifndef FULL_QUEUE_H
#define FULL_QUEUE_H

#include "past_stack.h"

enum { WAITING = 200, WAIT_MS = 50 };

/* One that as good as stands, or goes on at once, but far slower than a sender. */
#define STANDING "tbf rate 48bit burst 1500b limit 10mb"
#define FLOWING  "tbf rate 10mbit burst 10kb limit 10mb"

/* Until the test ends, which is skipped if there can be none. */
void need_a_queue(const char *queue);

/* Makes as many packets as WAITING for a sender of which the socket takes only a few at a time; and
 * has it send until it takes no more. */
struct sending begin_narrow(const char *backend, struct udpbatch_packet *packets,
                            const struct port *port);
struct sending begin_full(const char *backend, struct udpbatch_packet *packets,
                          const struct port *port);

/* As a user would who waits with a timeout. */
void send_the_rest(struct sending *sending, struct udpbatch_packet *packets);

#endif
