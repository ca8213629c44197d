/* system.h: what the tests ask of the system in ways that differ between POSIX and Windows. One
 * header on purpose: what differs stands side by side, and a test needs no file more to link with.
 *
 * Included before other headers of the system.
 */
#ifndef SYSTEM_H
#define SYSTEM_H

#include "udpbatch.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What a test is to skip for. Its output says why. */
static inline void need(bool is_there, const char *what)
{
    if (is_there)
        return;
    print_message("not on this system: %s\n", what);
    skip();
}

/* What the socket holds, and what it has dropped. */
struct socket_memory {
    bool is_told;
    uint32_t held;
    uint32_t dropped;
};

#define META_OF_A_SEND "what is asked for a packet besides its address"

#ifdef _WIN32

#include <stdio.h>
#include <time.h>

#define NO_SOCKET      INVALID_SOCKET
#define SHUT_RD        SD_RECEIVE
#define SHUT_WR        SD_SEND
#define SOCK_CLOEXEC   0
#define SO_RCVBUFFORCE SO_RCVBUF /* there is no other */
#define SO_RXQ_OVFL    (-1)

/* Descriptors that are closed, or were never of a socket, are all the same to Winsock. */
enum { ERROR_OF_CLOSED = ENOTSOCK };

enum { HAS_META = 0, HAS_NETWORK_ERRORS = 0, COUNTS_DROPS = 0, IS_WINDOWS = 1 };

/* The back end of one message per system call. */
#define ONE_BY_ONE "winsock"

static inline void begin_sockets(void)
{
    WSADATA data;
    assert_int_equal(WSAStartup(MAKEWORD(2, 2), &data), 0);
}

static inline void close_socket(udpbatch_socket fd)
{
    closesocket(fd);
}

static inline void set_blocking(udpbatch_socket fd, bool blocks)
{
    u_long does_not_block = !blocks;
    assert_int_equal(ioctlsocket(fd, (long)FIONBIO, &does_not_block), 0);
}

static inline int wait_for(udpbatch_socket fd, short events, int timeout_ms)
{
    struct pollfd wait = { .fd = fd, .events = events };
    return WSAPoll(&wait, 1, timeout_ms);
}

static inline bool would_block(void)
{
    return WSAGetLastError() == WSAEWOULDBLOCK;
}

typedef int room_size; /* of a buffer to receive into */

/* recv(2), which does not wait. */
static inline int receive_now(udpbatch_socket fd, void *room, size_t size)
{
    if (wait_for(fd, POLLIN, 0) == 1)
        return recv(fd, room, (room_size)size, 0);
    WSASetLastError(WSAEWOULDBLOCK);
    return -1;
}

static inline void set_receive_timeout(udpbatch_socket fd, int timeout_ms)
{
    const void *bytes = &timeout_ms;
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, bytes, sizeof timeout_ms), 0);
}

/* A value of NULL takes the variable away. */
static inline void set_variable(const char *name, const char *value)
{
    assert_int_equal(_putenv_s(name, value != NULL ? value : ""), 0);
}

static inline void sleep_ms(int ms)
{
    Sleep((DWORD)ms);
}

static inline DWORD WINAPI end_late(void *seconds)
{
    Sleep((DWORD)(uintptr_t)seconds * 1000);
    fprintf(stderr, "it takes too long\n");
    exit(EXIT_FAILURE);
}

enum { STACK = 256 * 1024, PAINT = 0xa5 };

struct stack_use {
    void (*function)(void);
    size_t bytes;
};

/* Paints the stack below its caller, and returns where that begins. */
static __attribute__((noinline, unused)) uintptr_t paint_stack(void)
{
    volatile unsigned char area[STACK];
    for (size_t i = 0; i < STACK; i++)
        area[i] = PAINT;
    return (uintptr_t)&area[0];
}

static inline DWORD WINAPI use_stack(void *argument)
{
    struct stack_use *use = argument;
    const volatile unsigned char *area = (const volatile unsigned char *)paint_stack();
    size_t untouched = 0;

    use->function();
    while (untouched < STACK && area[untouched] == PAINT)
        untouched++;
    use->bytes = STACK - untouched;
    return 0;
}

/* How much of its stack a thread has written to. A thread's stack is the system's to make. */
static inline size_t stack_used(void (*function)(void))
{
    struct stack_use use = { .function = function };
    HANDLE thread = CreateThread(NULL, 2 * STACK, use_stack, &use, 0, NULL);
    assert_non_null(thread);
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
    return use.bytes;
}

/* Ends the program after so many seconds. */
static inline void begin_watchdog(unsigned seconds)
{
    void *argument = (void *)(uintptr_t)seconds; /* NOLINT: an integer in a pointer's place */
    assert_non_null(CreateThread(NULL, 0, end_late, argument, 0, NULL));
}

static inline struct socket_memory memory_of(udpbatch_socket fd)
{
    (void)fd;
    return (struct socket_memory){ 0 };
}

static inline unsigned loopback_index(void)
{
    return 1;
}

/* Wine stands in for Windows, and does not do all that it does. */
static inline bool is_wine(void)
{
    return GetProcAddress(GetModuleHandleA("ntdll.dll"), "wine_get_version") != NULL;
}

/* A page that may not be read. */
static inline void *forbidden_page(void)
{
    void *page = VirtualAlloc(NULL, 4096, MEM_RESERVE, PAGE_NOACCESS);
    assert_non_null(page);
    return page;
}

static inline void free_page(void *page)
{
    VirtualFree(page, 0, MEM_RELEASE);
}

/* What is open, but no socket. */
static inline udpbatch_socket open_no_socket(void)
{
    HANDLE file = CreateFileA("NUL", GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL);
    assert_true(file != INVALID_HANDLE_VALUE);
    return (udpbatch_socket)file;
}

static inline void close_no_socket(udpbatch_socket fd)
{
    CloseHandle((HANDLE)fd);
}

/* Puts what is no socket in the place of one; false: here nothing can do that. */
static inline bool replace_by_no_socket(udpbatch_socket fd)
{
    (void)fd;
    return false;
}

#else

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define NO_SOCKET (-1)

enum { ERROR_OF_CLOSED = EBADF };

#ifdef __linux__
#include <linux/sock_diag.h>
enum { HAS_META = 1, HAS_NETWORK_ERRORS = 1, COUNTS_DROPS = 1, IS_WINDOWS = 0 };
#else
enum { HAS_META = 0, HAS_NETWORK_ERRORS = 0, COUNTS_DROPS = 0, IS_WINDOWS = 0 };
#endif

#ifndef SOCK_CLOEXEC
#define SOCK_CLOEXEC 0
#endif
#ifndef SO_RCVBUFFORCE
#define SO_RCVBUFFORCE SO_RCVBUF /* there is no other */
#endif
#ifndef SO_RXQ_OVFL
#define SO_RXQ_OVFL (-1)
#endif

#define ONE_BY_ONE "portable"

static inline void begin_sockets(void)
{
}

static inline void close_socket(udpbatch_socket fd)
{
    close(fd);
}

static inline void set_blocking(udpbatch_socket fd, bool blocks)
{
    assert_int_equal(fcntl(fd, F_SETFL, blocks ? 0 : O_NONBLOCK), 0);
}

static inline int wait_for(udpbatch_socket fd, short events, int timeout_ms)
{
    struct pollfd wait = { .fd = fd, .events = events };
    return poll(&wait, 1, timeout_ms);
}

static inline bool would_block(void)
{
    return errno == EAGAIN;
}

typedef size_t room_size;

static inline int receive_now(udpbatch_socket fd, void *room, size_t size)
{
    return (int)recv(fd, room, size, MSG_DONTWAIT);
}

static inline void set_receive_timeout(udpbatch_socket fd, int timeout_ms)
{
    struct timeval time = { .tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000 };
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time), 0);
}

static inline void set_variable(const char *name, const char *value)
{
    assert_int_equal(value != NULL ? setenv(name, value, 1) : unsetenv(name), 0);
}

static inline void sleep_ms(int ms)
{
    poll(NULL, 0, ms);
}

static inline void *run_thread(void *argument)
{
    void (**function)(void) = argument;
    (*function)();
    return NULL;
}

static inline size_t stack_used(void (*function)(void))
{
    enum { STACK = 256 * 1024, PAINT = 0xa5 };
    static _Alignas(4096) unsigned char stack[STACK];
    pthread_attr_t attributes;
    pthread_t thread;
    size_t untouched = 0;

    memset(stack, PAINT, sizeof stack);
    assert_int_equal(pthread_attr_init(&attributes), 0);
    assert_int_equal(pthread_attr_setstack(&attributes, stack, sizeof stack), 0);
    assert_int_equal(pthread_create(&thread, &attributes, run_thread, &function), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    pthread_attr_destroy(&attributes);
    while (untouched < sizeof stack && stack[untouched] == PAINT)
        untouched++;
    return sizeof stack - untouched;
}

static inline void begin_watchdog(unsigned seconds)
{
    alarm(seconds);
}

#ifdef __linux__

static inline struct socket_memory memory_of(udpbatch_socket fd)
{
    uint32_t info[SK_MEMINFO_VARS];
    socklen_t len = sizeof info;
    assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &len), 0);
    return (struct socket_memory){ true, info[SK_MEMINFO_RMEM_ALLOC], info[SK_MEMINFO_DROPS] };
}

#else

static inline struct socket_memory memory_of(udpbatch_socket fd)
{
    (void)fd;
    return (struct socket_memory){ 0 };
}

#endif

static inline unsigned loopback_index(void)
{
    return if_nametoindex("lo");
}

static inline bool is_wine(void)
{
    return false;
}

static inline void *forbidden_page(void)
{
    void *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(page != MAP_FAILED);
    return page;
}

static inline void free_page(void *page)
{
    munmap(page, 4096);
}

static inline udpbatch_socket open_no_socket(void)
{
    int fd = open("/dev/null", O_RDWR);
    assert_true(fd >= 0);
    return fd;
}

static inline void close_no_socket(udpbatch_socket fd)
{
    close(fd);
}

static inline bool replace_by_no_socket(udpbatch_socket fd)
{
    int file = open_no_socket();
    bool is_done = dup2(file, fd) == fd;
    close(file);
    return is_done;
}

#endif

#endif
