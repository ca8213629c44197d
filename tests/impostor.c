/* impostor.c: what may take the place of a descriptor that a sender has. */
#define _GNU_SOURCE
#include "impostor.h"

#include <sys/ioctl.h>
#include <sys/stat.h>

static void make_nothing(struct impostor *impostor)
{
    *impostor = (struct impostor){ "nothing", -EBADF, -1, -1, false };
}

static void make_other_family(struct impostor *impostor)
{
    int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    *impostor =
        (struct impostor){ "a UDP socket of the other family", -ENETUNREACH, fd, -1, false };
}

/* To a port that is another's than the packets'. */
static void make_connected(struct impostor *impostor)
{
    struct port elsewhere = port_open(AF_INET);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    connect_to(fd, &elsewhere.addr);
    *impostor = (struct impostor){ "a connected UDP socket", 1, fd, elsewhere.fd, false };
}

static void make_stream(struct impostor *impostor)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    *impostor = (struct impostor){ "a TCP socket", -EPIPE, fd, -1, false };
}

static void make_listening(struct impostor *impostor)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(listen(fd, 1), 0);
    *impostor = (struct impostor){ "a listening TCP socket", -EPIPE, fd, -1, true };
}

/* It was reset, so that what is sent meets ECONNRESET, then EPIPE. */
static void make_broken_stream(struct impostor *impostor)
{
    const struct linger reset = { .l_onoff = 1 };
    union udpbatch_addr at = loopback(AF_INET, 0);
    socklen_t len = sizeof at;
    int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(listening, &at.sa, sizeof at.in4), 0);
    assert_int_equal(listen(listening, 1), 0);
    assert_int_equal(getsockname(listening, &at.sa, &len), 0);
    connect_to(fd, &at);
    int peer = accept(listening, NULL, NULL);
    assert_int_equal(setsockopt(peer, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
    close(peer);
    close(listening);
    *impostor = (struct impostor){ "a TCP socket without a peer", REFUSED, fd, -1, false };
}

static void make_pipe(struct impostor *impostor)
{
    int ends[2];

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    *impostor =
        (struct impostor){ "the end of a pipe to write to", -ENOTSOCK, ends[1], ends[0], false };
}

static void make_pipe_to_read(struct impostor *impostor)
{
    int ends[2];

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    *impostor = (struct impostor){ "the end of a pipe to read", -ENOTSOCK, ends[0], ends[1], true };
}

static void make_file(struct impostor *impostor)
{
    char name[] = "/tmp/udpbatch-XXXXXX";
    int other = mkostemp(name, O_CLOEXEC), fd = open(name, O_WRONLY | O_CLOEXEC);

    assert_true(other >= 0 && fd >= 0);
    unlink(name);
    *impostor = (struct impostor){ "a file", -ENOTSOCK, fd, other, false };
}

static void make_null(struct impostor *impostor)
{
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    *impostor = (struct impostor){ "/dev/null", -ENOTSOCK, fd, -1, false };
}

static bool has_other_family(void)
{
    int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* The last one, which not every machine can make, is missed when all others have been tried. */
bool impostor_make(struct impostor *impostor, size_t which)
{
    static void (*const kinds[])(struct impostor *) = {
        make_nothing,      make_connected, make_stream, make_listening,     make_pipe,
        make_pipe_to_read, make_file,      make_null,   make_broken_stream, make_other_family,
    };

    if (which == COUNT_OF(kinds))
        return false;
    if (kinds[which] == make_other_family && !has_other_family()) {
        if (must_be_able("no sockets of IPv6, which one impostor is"))
            fail();
        return false;
    }
    kinds[which](impostor);
    assert_true(impostor->fd >= 0 || which == 0);
    return true;
}

void impostor_take_place(struct impostor *impostor, int fd)
{
    if (impostor->fd < 0)
        close(fd);
    else
        assert_int_equal(dup2(impostor->fd, fd), fd);
}

void impostor_expect_untouched(const struct impostor *impostor)
{
    struct stat status;
    int readable = 0;

    if (impostor->other < 0)
        return;
    assert_int_equal(fstat(impostor->other, &status), 0);
    if (S_ISREG(status.st_mode)) {
        assert_int_equal(status.st_size, 0);
        return;
    }
    assert_int_equal(ioctl(impostor->other, FIONREAD, &readable), 0);
    assert_int_equal(readable, 0);
}

void impostor_end(struct impostor *impostor)
{
    if (impostor->fd >= 0)
        close(impostor->fd);
    if (impostor->other >= 0)
        close(impostor->other);
}
