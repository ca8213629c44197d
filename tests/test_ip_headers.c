/* test_ip_headers.c: the headers that datagrams have in a capture. What is in them beyond the
 * checksum, tests/test_sink.c and tshark in tests/cli_recv.sh look at. */
#include "ip_headers.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "address.h"

/* A receiver's sum over what the checksum covers, word by word (RFC 768): right if it is 0xffff. */
static unsigned sum_words(unsigned sum, const unsigned char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        sum += i % 2 == 0 ? (unsigned)bytes[i] << 8 : bytes[i];
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

static unsigned received_sum(const unsigned char *headers, size_t hosts_at, size_t udp_at,
                             const unsigned char *payload, size_t len)
{
    unsigned sum =
        sum_words(IPPROTO_UDP + 8 + (unsigned)len, headers + hosts_at, udp_at - hosts_at);
    sum = sum_words(sum, headers + udp_at, 8);
    return sum_words(sum, payload, len);
}

/* All payloads of two bytes, and a third one: with one in 65536 the sum is 0. */
static void expect_checksums(const union udpbatch_addr *host, size_t hosts_at, size_t udp_at)
{
    unsigned char payload[3] = { 0, 0, 7 }, headers[IP_HEADERS_MAX];
    struct ip_datagram datagram = { .from = *host, .to = *host, .data = payload };

    for (unsigned i = 0; i < 2 * 0x10000; i++) {
        payload[0] = (unsigned char)(i >> 8);
        payload[1] = (unsigned char)i;
        datagram.len = i < 0x10000 ? 2 : 3;
        assert_int_equal(ip_headers_write(&datagram, headers), udp_at + 8);
        assert_true(headers[udp_at + 6] != 0 || headers[udp_at + 7] != 0);
        assert_int_equal(received_sum(headers, hosts_at, udp_at, payload, datagram.len), 0xffff);
    }
}

static void a_checksum_is_right_and_never_0(void **state)
{
    union udpbatch_addr host = address_in4(INADDR_LOOPBACK, 9000);

    (void)state;
    expect_checksums(&host, 12, 20);
    address_map(&host);
    expect_checksums(&host, 12, 20);
    host.in6.sin6_addr = in6addr_loopback;
    expect_checksums(&host, 8, 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_checksum_is_right_and_never_0) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
