// A UDP client: sends its words as one datagram, waits for the answer, and asks again if none
// comes. Its partner: server.cpp. See also: sendto(2), recvfrom(2), poll(2).

#include <poll.h>
#include <sys/socket.h>
#include <socketserver/file_descriptor.hpp>
#include <socketserver/not_written.hpp>
#include <socketserver/portable.hpp>
#include <socketserver/program.hpp>
#include <socketserver/system_call.hpp>

#include <cerrno>
#include <chrono>
#include <optional>
#include <stdexcept>

using namespace socketserver;
using std::chrono::milliseconds;

// The longest datagram that IPv4 carries has 65,507 bytes; here is room for it. udp(7)
[[maybe_unused]] constexpr std::size_t longest_datagram = 65535;

void send_datagram([[maybe_unused]] const FileDescriptor& socket,
                   [[maybe_unused]] const std::string& message,
                   [[maybe_unused]] const Address& server) {
  // TODO(02.A): send the message to the server, as one datagram.
  not_written("02.A", "send_datagram");
}

// The answer of the server; no value if none has come when the time is up.
std::optional<std::string> receive_answer([[maybe_unused]] const FileDescriptor& socket,
                                          [[maybe_unused]] const Address& server,
                                          [[maybe_unused]] milliseconds timeout) {
  // TODO(02.A): receive one datagram of up to longest_datagram bytes, and return it.
  not_written("02.A", "receive_answer");
}

// The answer to the message, after `tries` tries at most.
std::string ask(const Address& server, const std::string& message, milliseconds timeout,
                [[maybe_unused]] long tries) {
  const FileDescriptor socket(check(::socket(server.family(), SOCK_DGRAM, 0), "socket"));
  send_datagram(socket, message, server);
  const std::optional<std::string> answer = receive_answer(socket, server, timeout);
  if (answer) return *answer;
  // TODO(02.B): the datagram, or its answer, may have got lost on the way. Make of the one try above
  // `tries` of them, and throw if none was answered.
  not_written("02.B", "ask");
}

// A name may have several addresses, and its server listen on one of them.
std::string ask_each(const std::vector<Address>& servers, const std::string& message,
                     milliseconds timeout, long tries) {
  for (std::size_t i = 0; i + 1 < servers.size(); ++i) {
    try {
      return ask(servers[i], message, timeout, tries);
    } catch (const std::runtime_error&) {
      // Nobody is there: perhaps at the next one.
    }
  }
  return ask(servers.back(), message, timeout, tries);
}

void run(const Options& options) {
  const std::string message = options.sentence() + "\n";
  const milliseconds timeout(options.number("--timeout", 1000));
  const long tries = 1 + options.number("--retries", 3);

  const std::string answer = ask_each(options.addresses(), message, timeout, tries);
  print_exchange(message, answer);
}

int main(int argc, char* argv[]) {
  return client_main(argc, argv,
                     {{"--timeout", "MS", "how many milliseconds one try waits (1000)", 1},
                      {"--retries", "N", "how many more tries follow the first (3)"}},
                     "WORD...", run);
}
