// The programs' front end, addresses, and what a hole of a starter does.

#include <netinet/in.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <socketserver/not_written.hpp>
#include <socketserver/program.hpp>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstring>

#include "harness/base/catch.hpp"
#include "loopback.hpp"

using namespace unit;

namespace {

Options read(std::vector<const char*> words, const char* operands = nullptr) {
  words.insert(words.begin(), "program");
  return Options(static_cast<int>(words.size()), const_cast<char* const*>(words.data()), "program",
                 {{"--host", "H", ""},
                  {"--port", "N", "", 0, 65535},
                  {"--path", "PATH", ""},
                  {"--kind", "tcp|udp", ""},
                  {"--quiet", nullptr, ""}},
                 operands);
}

std::string refused(const std::vector<const char*>& words, const char* operands = nullptr) {
  try {
    (void)read(words, operands).address();
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

std::string invalid(const std::function<void()>& make) {
  try {
    make();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("options: defaults, both forms, the last one counts") {
  CHECK(read({}).address().text() == "127.0.0.1:9999");
  CHECK(read({"--port", "1", "--port=2"}).number("--port", 9) == 2);
  CHECK(read({"--host", "::1", "--port", "0"}).address().text() == "[::1]:0");
  CHECK(read({"--path", "/tmp/x"}).address().text() == "unix:/tmp/x");
  CHECK(read({"--quiet"}).has("--quiet"));
  CHECK_FALSE(read({}).has("--quiet"));
  CHECK(read({"--kind", "udp"}).text("--kind", "tcp") == "udp");
  CHECK(read({"hello", "--port", "1", "world", "--", "--port"}, "WORD...").sentence() ==
        "hello world --port");
}

TEST_CASE("options: each mistake has a sentence that names it") {
  CHECK(refused({"--prt", "1"}) == "--prt: there is no such option");
  CHECK(refused({"--port"}) == "--port: its value N is missing");
  CHECK(refused({"--port", "x"}) == "--port: \"x\" is not a whole number from 0 to 65535");
  CHECK(refused({"--port", "65536"}) == "--port: \"65536\" is not a whole number from 0 to 65535");
  CHECK(refused({"--port", "-1"}) == "--port: \"-1\" is not a whole number from 0 to 65535");
  CHECK(refused({"--port", ""}) == "--port: \"\" is not a whole number from 0 to 65535");
  CHECK(refused({"--port", "99999999999999999999"}) ==
        "--port: \"99999999999999999999\" is not a whole number from 0 to 65535");
  CHECK(refused({"--quiet=1"}) == "--quiet: takes no value");
  CHECK(refused({"--kind", "sctp"}) == "--kind: \"sctp\" is none of tcp|udp");
  CHECK(refused({"--kind", "tcp|udp"}) == "--kind: \"tcp|udp\" is none of tcp|udp");
  CHECK(refused({"word"}) == "\"word\": program takes options only");
  CHECK(refused({}, "WORD...") == "WORD... is missing");
  CHECK(refused({"--host", ""}).starts_with("--host: \"\" is no address"));
  CHECK(refused({"--host", "256.1.1.1"}).starts_with("--host: \"256.1.1.1\" is no address"));
  CHECK(refused({"--path", ""}) == "--path: the path of a Unix socket is empty");
}

TEST_CASE("options: the largest user id is a number like the others") {
  char program[] = "server", option[] = "--allow-uid", id[] = "4294967294";
  char* argv[] = {program, option, id, nullptr};
  static bool is_read = false;
  const int status = server_main(
      3, argv, {{"--allow-uid", "N", "", 0, 4'294'967'294}},
      [](const Options& options) { is_read = options.number("--allow-uid", 0) == 4'294'967'294; });
  CHECK(status == 0);
  CHECK(is_read);
}

TEST_CASE("accept: what is over with one client is no failure of the server") {
  for (const int error : {EAGAIN, EINTR, ECONNABORTED, ENETDOWN, EPROTO, EHOSTUNREACH}) {
    CHECK(nobody_to_accept(error));
  }
  for (const int error : {EMFILE, ENFILE, ENOBUFS, ENOMEM, EBADF, EINVAL}) {
    CHECK_FALSE(nobody_to_accept(error));
  }
}

TEST_CASE("addresses: text and back") {
  for (const char* text : {"127.0.0.1:9999", "[::1]:80", "0.0.0.0:0", "unix:/tmp/kit.sock"}) {
    CHECK(Address::parse(text).text() == text);
    CHECK(Address::parse(text) == Address::parse(text));
  }
  CHECK_FALSE(Address::parse("127.0.0.1:1") == Address::parse("127.0.0.1:2"));
  CHECK(Address().text() == "unix:(unnamed)");
  CHECK(Address::parse("127.0.0.1:9999").port() == 9999);
  CHECK(Address::parse("unix:/a").path() == "/a");
  CHECK(Address::inet("::ffff:10.0.0.1", 1).host() == "10.0.0.1");
}

TEST_CASE("addresses: equal is what names the same end point, and no byte more") {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(9999);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::memset(address.sin_zero, 1, sizeof address.sin_zero);  // macOS: a length in another place
  const Address written(reinterpret_cast<const sockaddr*>(&address), sizeof address);
  CHECK(written == Address::parse("127.0.0.1:9999"));
  CHECK_FALSE(written == Address::parse("127.0.0.2:9999"));
  CHECK(Address::parse("[::1]:80") == Address::parse("[::1]:80"));
  CHECK_FALSE(Address::parse("[::1]:80") == Address::parse("[::2]:80"));

  sockaddr_un path{};
  path.sun_family = AF_UNIX;
  std::memcpy(path.sun_path, "/a\0rest", 7);
  const auto* const data = reinterpret_cast<const sockaddr*>(&path);
  CHECK(Address(data, sizeof path) == Address::parse("unix:/a"));
  CHECK(Address(data, offsetof(sockaddr_un, sun_path) + 2) == Address::parse("unix:/a"));
  CHECK_FALSE(Address(data, sizeof path) == Address::parse("unix:/b"));
}

TEST_CASE("addresses: a Unix peer without a name, as each system writes it") {
  sockaddr_un none{};
  none.sun_family = AF_UNIX;
  const auto* const data = reinterpret_cast<const sockaddr*>(&none);
  for (const socklen_t size : {socklen_t{0}, socklen_t{sizeof none.sun_family}, socklen_t{16}}) {
    CHECK(Address(data, size).family() == AF_UNSPEC);
    CHECK(Address(data, size).path().empty());
    CHECK(Address(data, size).text() == "unix:(unnamed)");
    CHECK(Address(data, size) == Address());
  }
  std::memcpy(none.sun_path, "\0name", 5);  // abstract: Linux alone knows such names
#if defined(__linux__)
  CHECK(Address(data, offsetof(sockaddr_un, sun_path) + 5).text() == "unix:@name");
#endif
}

TEST_CASE("options: empty words count, and are joined like the others") {
  CHECK(read({"", "a"}, "WORD...").sentence() == " a");
  CHECK(read({"a", "", "b"}, "WORD...").sentence() == "a  b");
}

TEST_CASE("options: to a client the wildcard is this machine, to a server it is every address") {
  const auto address = [](const char* program, const char* host) {
    const char* words[] = {program, "--host", host};
    return Options(3, const_cast<char* const*>(words), program, {{"--host", "H", ""}}).address();
  };
  CHECK(address("client", "0.0.0.0").host() == "127.0.0.1");
  CHECK(address("client", "::").host() == "::1");
  CHECK(address("server", "0.0.0.0").host() == "0.0.0.0");
  CHECK(address("server", "::").host() == "::");
}

TEST_CASE("options: of several addresses a client takes the one where somebody listens") {
  TCPServer server(any_port(), handler_class<OnceHandler>);
  server.bind_and_activate();
  const std::string port = std::to_string(server.server_address().port());
  const char* words[] = {"client", "--host", "localhost", "--port", port.c_str()};
  const Options options(5, const_cast<char* const*>(words), "client",
                        {{"--host", "H", ""}, {"--port", "N", "", 0, 65535}});
  CHECK(options.addresses().size() >= 1);
  CHECK(options.reachable_address() == server.server_address());
}

TEST_CASE("addresses: whatever the kernel may write comes back from its text") {
  const auto unix_name = [](std::string name, bool ended) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::copy(name.begin(), name.end(), address.sun_path);
    char written[sizeof address + 1] = {};  // Linux may count a byte more than there is room for
    std::memcpy(written, &address, sizeof address);
    return Address(reinterpret_cast<const sockaddr*>(written),
                   static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size() + ended));
  };
  const std::vector<Address> addresses = {
    Address(),
    Address::inet("::ffff:10.0.0.1", 80),
    Address::inet("fe80::1%1", 80),
    Address::inet("fe80::1%4711", 80),
    Address::unix_path("a\nforged line \\ \x7f\xff"),
    Address::unix_path("@file"),
    Address::unix_path("(unnamed)"),
    Address::unix_path("\\x40"),
    unix_name(std::string(sizeof(sockaddr_un::sun_path), 'p'), true),
#if defined(__linux__)
    unix_name(std::string("\0kit-abs", 8), false),
    unix_name(std::string("\0kit\0\n", 6), false),
    unix_name(std::string(1, '\0'), false),
#endif
  };
  for (const Address& address : addresses) {
    INFO(address.text());
    CHECK(Address::parse(address.text()) == address);
    for (const char byte : address.text()) CHECK((byte >= ' ' && byte <= '~'));
    for (const Address& other : addresses) {
      CHECK((other == address) == (other.text() == address.text()));
    }
  }
  CHECK(Address::inet("::ffff:10.0.0.1", 80) == Address::inet("10.0.0.1", 80));
  CHECK_FALSE(Address::inet("fe80::1%1", 80) == Address::inet("fe80::1", 80));
}

TEST_CASE("addresses: a path of all its bytes can be sent to, and an abstract name is no path") {
  const std::string longest(sizeof(sockaddr_un::sun_path), 'p');
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::copy(longest.begin(), longest.end(), address.sun_path);
  // As Linux writes it: with the NUL byte behind it that the structure has no room for.
  char written[sizeof address + 1] = {};
  std::memcpy(written, &address, sizeof address);
  const Address full(reinterpret_cast<const sockaddr*>(written), sizeof written);
  CHECK(full.path() == longest);
  CHECK(full.size() == sizeof address);
#if defined(__linux__)
  CHECK(Address::parse("unix:@abstract").path().empty());
  CHECK(Address::parse("unix:@abstract").text() == "unix:@abstract");
#endif
}

TEST_CASE("addresses: what is none has a sentence") {
  CHECK(invalid([] {
          Address::parse(std::string_view("127.0.0.1\0.evil:80", 18));
        }).starts_with("\"127.0.0.1\\0.evil\" is no address"));
  CHECK(invalid([] { Address::parse("[fe80::1%no-such-zone]:80"); }).find("is no address") !=
        std::string::npos);
  CHECK(invalid([] { Address::parse("nothing"); }).starts_with("\"nothing\" has no port"));
  CHECK(invalid([] { Address::parse("127.0.0.1:"); }).find("no port from 0") != std::string::npos);
  CHECK(invalid([] { Address::parse("127.0.0.1:70000"); }).find("no port") != std::string::npos);
  CHECK(invalid([] { Address::unix_path(std::string(108, 'p')); }).find("108 bytes, 107 at most") !=
        std::string::npos);
  CHECK(Address::unix_path(std::string(107, 'p')).path().size() == 107);
  CHECK(invalid([] { Address::unix_path(std::string_view("a\0b", 3)); }).find("NUL") !=
        std::string::npos);
}

TEST_CASE("escaped shows every byte") {
  CHECK(escaped(std::string_view("a\n\r\t\0\"\\\x7f\xff", 9)) == "a\\n\\r\\t\\0\\\"\\\\\\x7f\\xff");
}

TEST_CASE("a hole ends the process with its own status and one line") {
  int ends[2];
  check(::pipe(ends), "pipe");
  const FileDescriptor read_end(ends[0]);
  FileDescriptor write_end(ends[1]);
  const int status = in_child([&] {
    check(::dup2(write_end.get(), STDERR_FILENO), "dup2");
    not_written("01.B", "TCPServer::server_bind", "lessons/file.cpp", 31);
  });
  write_end.reset();
  char text[256];
  const ssize_t size = check(::read(read_end.get(), text, sizeof text), "read");
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 86);
  CHECK(std::string(text, static_cast<std::size_t>(size)) ==
        "not written: TCPServer::server_bind (01.B)  lessons/file.cpp:31\n");
}

TEST_CASE("the first signal ends the loop in order, whatever the handler waits for") {
  // The client never speaks: the handler sits in recv until the signal ends its input.
  const int status = in_child([] {
    TCPServer server(any_port(), handler_class<OnceHandler>);
    const EndOnSignals end(server);
    server.bind_and_activate();
    const FileDescriptor client = connect_to(server.server_address());
    const pid_t self = ::getpid();
    const pid_t other = check(::fork(), "fork");
    if (other == 0) {
      ::kill(self, SIGTERM);
      ::_exit(0);
    }
    server.serve_forever();
    if (!end.requested()) ::_exit(1);
  });
  CHECK(status == 0);
}

TEST_CASE("the second signal kills") {
  const int status = in_child([] {
    TCPServer server(any_port(), handler_class<OnceHandler>);
    const EndOnSignals end(server);
    std::raise(SIGTERM);
    std::raise(SIGINT);
  });
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGINT);
}
