/* test_sink.c: what counts as written, on a disk that fills up and a file that fails at its close.
 * Linked with --wrap=write and --wrap=close. */
#include "sink.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "address.h"

ssize_t __real_write(int fd, const void *data, size_t len);
ssize_t __wrap_write(int fd, const void *data, size_t len);
int __real_close(int fd);
int __wrap_close(int fd);

static int sink_fd = -1;
static size_t room;        /* bytes left on the disk */
static size_t most;        /* that one write takes */
static int error_of_close; /* 0: none */

ssize_t __wrap_write(int fd, const void *data, size_t len)
{
    if (fd != sink_fd)
        return __real_write(fd, data, len);
    len = len < most ? len : most;
    len = len < room ? len : room;
    if (len == 0) {
        errno = ENOSPC;
        return -1;
    }
    room -= len;
    return __real_write(fd, data, len);
}

int __wrap_close(int fd)
{
    int result = __real_close(fd);
    if (fd != sink_fd || error_of_close == 0)
        return result;
    errno = error_of_close;
    return -1;
}

enum { COUNT = 8, PAYLOAD = 100 };

static char path[] = "/tmp/test_sink.XXXXXX";
static unsigned char payloads[COUNT][PAYLOAD];
static union udpbatch_addr from, bound;
static struct udpbatch_received packets[COUNT];
static struct sink sink;

static int begin(void **state)
{
    (void)state;
    strcpy(path + strlen(path) - 6, "XXXXXX");
    int fd = mkstemp(path);
    if (fd < 0)
        return -1;
    close(fd);
    from = address_in4(INADDR_LOOPBACK, 1000);
    bound = address_in4(INADDR_LOOPBACK, 2000);
    for (size_t i = 0; i < COUNT; i++) {
        memset(payloads[i], (int)('a' + i), PAYLOAD);
        packets[i] =
            (struct udpbatch_received){ .data = payloads[i], .len = PAYLOAD, .from = &from };
    }
    room = most = SIZE_MAX;
    error_of_close = 0;
    sink_fd = -1;
    return 0;
}

static int end(void **state)
{
    (void)state;
    error_of_close = 0;
    if (sink.fd >= 0)
        sink_close(&sink);
    return unlink(path);
}

static void open_sink(bool lines, const union udpbatch_addr *capture_of)
{
    const struct sink_settings settings = { .name = path, .lines = lines, .bound = capture_of };
    struct reason reason;

    if (!sink_open(&sink, &settings, &reason)) {
        print_message("cannot run here: %s\n", reason.text);
        skip();
    }
    sink_fd = sink.fd;
}

static size_t file_size(void)
{
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    return (size_t)status.st_size;
}

static bool write_all(void)
{
    return sink_write(&sink, packets, COUNT, UINT64_MAX);
}

static void expect(uint64_t written, size_t size)
{
    assert_int_equal(sink.packets, written);
    assert_int_equal(sink.bytes, written * PAYLOAD);
    assert_int_equal(file_size(), size);
}

static void what_is_written_is_counted(void **state)
{
    (void)state;
    open_sink(false, NULL);
    assert_true(write_all());
    sink_close(&sink);
    assert_int_equal(sink.error, 0);
    expect(COUNT, COUNT * PAYLOAD);
}

static void a_write_of_a_part_is_gone_on_with(void **state)
{
    (void)state;
    open_sink(true, NULL);
    most = 7;
    assert_true(write_all());
    expect(COUNT, COUNT * (PAYLOAD + 1));
}

static void a_full_disk_has_whole_payloads_alone(void **state)
{
    (void)state;
    open_sink(false, NULL);
    assert_true(write_all());
    room = 3 * PAYLOAD + 50;
    assert_false(write_all());
    assert_int_equal(sink.error, ENOSPC);
    expect(COUNT + 3, (COUNT + 3) * PAYLOAD);
    sink_close(&sink);
    expect(COUNT + 3, (COUNT + 3) * PAYLOAD);
}

static void a_payload_without_its_newline_is_not_whole(void **state)
{
    (void)state;
    open_sink(true, NULL);
    room = 2 * (PAYLOAD + 1) + PAYLOAD;
    assert_false(write_all());
    expect(2, 2 * (PAYLOAD + 1));
}

static void a_file_that_others_write_to_is_not_cut(void **state)
{
    (void)state;
    open_sink(false, NULL);
    FILE *other = fopen(path, "r+");
    assert_non_null(other);
    assert_int_equal(fseek(other, 1000, SEEK_SET), 0);
    assert_int_equal(fputc('x', other), 'x');
    assert_int_equal(fclose(other), 0);
    room = PAYLOAD + 50;
    assert_false(write_all());
    expect(1, 1001);
}

static void after_a_failed_close_nothing_counts_as_written(void **state)
{
    (void)state;
    open_sink(false, NULL);
    assert_true(write_all());
    error_of_close = EDQUOT;
    sink_close(&sink);
    assert_int_equal(sink.error, EDQUOT);
    assert_int_equal(sink.packets, 0);
    assert_int_equal(sink.bytes, 0);
}

/* Of the file, and of each record (pcap-savefile(5)). */
enum { FILE_HEAD = 24, RECORD_HEAD = 16, IP_AND_UDP = 20 + 8 };
enum { RECORD = RECORD_HEAD + IP_AND_UDP + PAYLOAD };

static void a_capture_has_its_head_at_once(void **state)
{
    (void)state;
    open_sink(false, &bound);
    expect(0, FILE_HEAD);
}

static void a_full_disk_has_whole_records_alone(void **state)
{
    (void)state;
    open_sink(false, &bound);
    assert_true(write_all());
    expect(COUNT, FILE_HEAD + COUNT * RECORD);
    room = 2 * RECORD + RECORD_HEAD + 1;
    assert_false(write_all());
    expect(COUNT + 2, FILE_HEAD + (COUNT + 2) * RECORD);
}

static void a_record_is_the_datagram_with_its_headers(void **state)
{
    unsigned char file[FILE_HEAD + RECORD];
    const struct udpbatch_meta meta = { .flags = CAPTURE_WRITER_META,
                                        .time_ns = UINT64_C(5000000006),
                                        .local = address_in4(INADDR_LOOPBACK + 6, 0),
                                        .tos = 3,
                                        .ttl = 9 };

    (void)state;
    packets[0].meta = &meta;
    open_sink(false, &bound);
    assert_true(sink_write(&sink, packets, 1, UINT64_MAX));
    FILE *read = fopen(path, "rb");
    assert_non_null(read);
    assert_int_equal(fread(file, 1, sizeof file, read), sizeof file);
    assert_int_equal(fgetc(read), EOF);
    fclose(read);

    uint32_t head[4];
    memcpy(head, file + FILE_HEAD, sizeof head);
    const uint32_t expected[] = { 5, 6, IP_AND_UDP + PAYLOAD, IP_AND_UDP + PAYLOAD };
    assert_memory_equal(head, expected, sizeof expected);
    const unsigned char *ip = file + FILE_HEAD + RECORD_HEAD;
    assert_memory_equal(ip, "\x45\x03\x00\x80\0\0\x40\0\x09\x11", 10);
    assert_memory_equal(ip + 12, "\x7f\0\0\x01\x7f\0\0\x07\x03\xe8\x07\xd0\0\x6c", 14);
    assert_memory_equal(ip + IP_AND_UDP, payloads[0], PAYLOAD);
}

#define SINK_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SINK_TEST(what_is_written_is_counted),
        SINK_TEST(a_write_of_a_part_is_gone_on_with),
        SINK_TEST(a_full_disk_has_whole_payloads_alone),
        SINK_TEST(a_payload_without_its_newline_is_not_whole),
        SINK_TEST(a_file_that_others_write_to_is_not_cut),
        SINK_TEST(after_a_failed_close_nothing_counts_as_written),
        SINK_TEST(a_capture_has_its_head_at_once),
        SINK_TEST(a_full_disk_has_whole_records_alone),
        SINK_TEST(a_record_is_the_datagram_with_its_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
