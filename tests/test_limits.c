/* test_limits.c: with little memory, and on a small stack. */
#define _GNU_SOURCE
#include "own_process.h"
#include "support.h"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>

static struct udpbatch_packet packets[MANY];

static struct {
    const char *backend;
    udpbatch_socket fd;
} to_open;

/* A sender and a receiver; returns the errno that either met. */
static int open_both(void)
{
    const struct udpbatch_sender_options sending = { .size = sizeof sending,
                                                     .backend = to_open.backend };
    const struct udpbatch_receiver_options receiving = { .size = sizeof receiving,
                                                         .backend = to_open.backend };
    int sender_error = 0, receiver_error = 0;
    struct udpbatch_sender *sender = udpbatch_sender_open(to_open.fd, &sending, &sender_error);
    struct udpbatch_receiver *receiver =
        udpbatch_receiver_open(to_open.fd, &receiving, &receiver_error);

    udpbatch_sender_close(sender);
    udpbatch_receiver_close(receiver);
    return sender_error != 0 ? sender_error : receiver_error;
}

static bool keeps_limits_of_memory(void)
{
    const struct rlimit little = { 1, RLIM_INFINITY };
    int status = EXIT_FAILURE;
    pid_t child = fork();

    if (child == 0) {
        setrlimit(RLIMIT_AS, &little);
        leave(mmap(NULL, 1 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    }
    waitpid(child, &status, 0);
    return status == 0;
}

static void an_open_without_memory_says_so_and_leaves_nothing(void **state)
{
    const struct way *way = *state;
    struct port port = port_open(AF_INET);

    if (SANITIZED || !keeps_limits_of_memory()) {
        print_message("cannot run here: a sanitizer or emulator takes memory of its own\n");
        skip();
    }
    to_open.backend = way->backend;
    to_open.fd = port.fd;
    pid_t child = fork();
    if (child == 0)
        leave(opens_with_little_memory(open_both, 16));
    expect_well(child);
    port_close(&port);
}

static struct {
    struct sending *sending;
    const struct port *port;
    bool is_well;
} of_thread;

static void *send_with_a_small_stack(void *nothing)
{
    union udpbatch_addr targets[200];
    int32_t status[200] = { 0 };

    for (size_t i = 0; i < 200; i++)
        targets[i] = of_thread.port->addr;
    if (of_thread.sending->sender != NULL)
        of_thread.is_well =
            udpbatch_sender_send(of_thread.sending->sender, packets, 200).sent == 200;
    else
        of_thread.is_well =
            udpbatch_send(of_thread.sending->fd, packets, 200).sent == 200 &&
            udpbatch_multi_target_send(of_thread.sending->fd, "x", 1, targets, 200, status).sent ==
                200;
    return nothing;
}

static void a_thread_with_a_small_stack_may_send(void **state)
{
    enum { STACK = 64 * 1024 };
    struct sending sending = sending_begin_unbound(*state);
    struct port port = port_open(AF_INET);
    pthread_attr_t attributes;
    pthread_t thread;

    if (SANITIZED) {
        print_message("cannot run here: a sanitizer has a stack of its own\n");
        skip();
    }
    make_packets(packets, 200, 20, &port.addr);
    of_thread.sending = &sending;
    of_thread.port = &port;
    assert_int_equal(pthread_attr_init(&attributes), 0);
    assert_int_equal(pthread_attr_setstacksize(&attributes, STACK), 0);
    assert_int_equal(pthread_create(&thread, &attributes, send_with_a_small_stack, NULL), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    pthread_attr_destroy(&attributes);
    assert_true(of_thread.is_well);
    port_close(&port);
    sending_end(&sending);
}

int main(void)
{
    static const struct test tests[] = {
        TEST_EACH_BACKEND(an_open_without_memory_says_so_and_leaves_nothing),
        TEST_EACH_WAY(a_thread_with_a_small_stack_may_send),
    };
    unsetenv("UDPBATCH_GSO");
    return run_all("limits", tests, COUNT_OF(tests));
}
