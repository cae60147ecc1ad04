// The framework, compiled as for macOS above calls that behave as there: see macos.cpp. (The
// selectors' own scenarios, tests/unit/07_selectors_test.cpp, are part of this program too.)

#include <fcntl.h>
#include <sys/wait.h>
#include <socketserver/program.hpp>
#include <socketserver/udp_server.hpp>
#include <socketserver/unix_server.hpp>

#include <cerrno>
#include <cstring>

#include "harness/base/catch.hpp"
#include "probes/socket_pair.hpp"
#include "unit/loopback.hpp"

using namespace unit;

namespace {

using Pair = probe::SocketPair;

// As a client does whose server has gone.
void send_to_nobody(const Options&) {
  Pair pair;
  pair.near.reset();
  check(::send(pair.far.get(), "x", 1, MSG_NOSIGNAL), "send");
}

}  // namespace

TEST_CASE("macOS: accept hands O_NONBLOCK down, and a server's connections wait all the same") {
  TCPServer server(any_port(), handler_class<OnceHandler>);
  server.bind_and_activate();
  const FileDescriptor first = connect_to(server.server_address());
  const FileDescriptor second = connect_to(server.server_address());

  const FileDescriptor plain(check(::accept(server.fileno(), nullptr, nullptr), "accept"));
  CHECK((::fcntl(plain.get(), F_GETFL) & O_NONBLOCK) != 0);
  const FileDescriptor ours(check(accept4(server.fileno(), nullptr, nullptr, 0), "accept"));
  CHECK((::fcntl(ours.get(), F_GETFL) & O_NONBLOCK) == 0);
  CHECK((::fcntl(ours.get(), F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("macOS: to send to somebody who has gone is an error, and not the end") {
  CHECK(MSG_NOSIGNAL == 0);
  const int of_server = in_child([] {
    TCPServer server(any_port(), handler_class<OnceHandler>);
    server.bind_and_activate();
    const FileDescriptor client = connect_to(server.server_address());
    const FileDescriptor connection(accept4(server.fileno(), nullptr, nullptr, 0));
    check(::shutdown(connection.get(), SHUT_WR), "shutdown");
    if (::send(connection.get(), "x", 1, MSG_NOSIGNAL) != -1 || errno != EPIPE) ::_exit(1);
  });
  CHECK(of_server == 0);

  const int of_client = in_child([] {
    const int null = ::open("/dev/null", O_WRONLY);
    ::dup2(null, STDERR_FILENO);
    char name[] = "client";
    char* words[] = {name, nullptr};
    ::_exit(client_main(1, words, {}, nullptr, send_to_nobody));
  });
  CHECK(WIFEXITED(of_client));
  CHECK(WEXITSTATUS(of_client) == 1);
}

TEST_CASE("macOS: two addresses are equal, whatever stands beside them") {
  UDPServer server(any_port(), handler_class<OnceHandler>);
  server.bind_and_activate();
  const Address written = server.server_address();
  const Address made = Address::inet(written.host(), written.port());
  CHECK(std::memcmp(written.data(), made.data(), made.size()) != 0);
  CHECK(written == made);
}

TEST_CASE("macOS: a Unix peer without a name has none") {
  Pair pair;
  CHECK(Address::of_socket(pair.far.get()).family() == AF_UNSPEC);
  CHECK(Address::of_socket(pair.far.get()).path().empty());
  CHECK(Address::of_socket(pair.far.get()).text() == "unix:(unnamed)");
}
