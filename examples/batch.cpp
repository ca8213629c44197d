// batch.cpp: from C++, sends lines to a socket of its own and shows what became of each. The sender
// closes itself, and what keeps it from opening is an exception.
#include <arpa/inet.h>
#include <cerrno>
#include <cstdint>
#include <iostream>
#include <memory>
#include <string>
#include <system_error>
#include <udpbatch.h>
#include <vector>

using Sender = std::unique_ptr<udpbatch_sender, decltype(&udpbatch_sender_close)>;

static Sender sender_open(int fd)
{
    udpbatch_sender_options options{};
    int error = 0;

    options.size = sizeof options; // zero is the default of all else
    Sender sender(udpbatch_sender_open(fd, &options, &error), udpbatch_sender_close);
    if (!sender)
        throw std::system_error(error, std::generic_category(), "udpbatch_sender_open");
    return sender;
}

static udpbatch_packet packet_of(const std::string &line, const udpbatch_addr &to)
{
    udpbatch_packet packet{}; // points at both, which stay until it is sent
    packet.data = line.data();
    packet.len = static_cast<std::uint32_t>(line.size());
    packet.to = &to;
    return packet;
}

int main()
{
    const std::vector<std::string> lines{ "one", std::string(70000, 'x'), "three" };
    const int in = socket(AF_INET, SOCK_DGRAM, 0), out = socket(AF_INET, SOCK_DGRAM, 0);
    const Sender sender = sender_open(out);
    std::vector<udpbatch_packet> packets;
    udpbatch_addr to{};
    socklen_t len = sizeof to;

    to.in4.sin_family = AF_INET;
    to.in4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(in, &to.sa, sizeof to.in4) != 0 || getsockname(in, &to.sa, &len) != 0)
        return 1;
    for (const std::string &line : lines)
        packets.push_back(packet_of(line, to));

    while (udpbatch_sender_send(sender.get(), packets.data(), packets.size()).unsent > 0)
        udpbatch_sender_wait(sender.get(), -1);
    for (const udpbatch_packet &packet : packets)
        std::cout << packet.len << " bytes: "
                  << (packet.status > 0 ? "sent" : std::generic_category().message(-packet.status))
                  << '\n';
    return packets[1].status == -EMSGSIZE ? 0 : 1;
}
