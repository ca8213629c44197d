/* pending.h: errors that a packet may meet for the sake of another, by the manual alone: for all
 * tests that say what has to become of packets. */
#ifndef PENDING_H
#define PENDING_H

#include <stdbool.h>

/* Whether a packet may leave after all when it is tried again, whoever met the error: what ICMP
 * brought for another packet, on any socket or on one that hears of it (udpbatch(7), "Pending
 * errors"). */
bool is_always_pending(int error);
bool may_be_pending(int error);

/* Whether it refuses a whole train (udpbatch(7), "Refused trains"). */
bool is_of_all_in_train(int error, bool hears_icmp);

#endif
