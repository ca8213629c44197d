/* engine.h: a way to send an array of packets, to be measured beside others. */
#ifndef ENGINE_H
#define ENGINE_H

#include "udpbatch.h"

struct engine {
    const char *name;
    const char *what;
    /* Makes ready to send the packets on fd again and again; NULL: no memory. */
    void *(*open)(int fd, const struct udpbatch_packet *packets, size_t n);
    /* Sends all of them once; returns how many were taken. */
    size_t (*send)(void *self);
    void (*close)(void *self);
};

extern const struct engine engine_sendto;
extern const struct engine engine_prebuilt;
extern const struct engine engine_level1;
extern const struct engine engine_level2;
extern const struct engine engine_multi_target;

#endif
