// StreamRequestHandler: what a line is, what is gathered and when it leaves, and how long is
// waited.

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>
#include <socketserver/datagram_handler.hpp>
#include <socketserver/lines.hpp>
#include <socketserver/unix_server.hpp>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <new>
#include <stdexcept>
#include <stream_handler.hpp>

#include "harness/base/catch.hpp"
#include "loopback.hpp"
#include "probes/socket_pair.hpp"

namespace {

bool no_memory = false;  // for arrays

}  // namespace

// While there is no memory, `new char[n]` fails as it may on any day.
void* operator new[](std::size_t size) {
  void* const memory = no_memory ? nullptr : std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  std::free(memory);
}

using namespace unit;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t limit = 65536;

using Pair = probe::SocketPair;

std::string receive_now(const FileDescriptor& connection) {
  char buffer[4096];
  const ssize_t count = ::recv(connection.get(), buffer, sizeof buffer, MSG_DONTWAIT);
  return count > 0 ? std::string(buffer, static_cast<std::size_t>(count)) : "";
}

Journal journal;

// What it does is told by the first line.
class TalkingHandler : public StreamRequestHandler {
 public:
  using StreamRequestHandler::StreamRequestHandler;
  inline static std::size_t gathered = 0;
  inline static std::optional<std::chrono::milliseconds> patience;
  inline static bool no_delay = false;

  void setup() override {
    wbufsize = gathered;
    timeout = patience;
    disable_nagle_algorithm = no_delay;
    StreamRequestHandler::setup();
  }
  void handle() override {
    const std::string line(rfile().read_line(limit));
    if (line == "options\n") {
      int value = 0;
      socklen_t size = sizeof value;
      check(::getsockopt(request().fileno(), IPPROTO_TCP, TCP_NODELAY, &value, &size),
            "getsockopt");
      return wfile().write(value != 0 ? "no delay\n" : "delay\n");
    }
    wfile().write("A");
    if (line == "throw\n") throw std::runtime_error("from handle");
    if (line == "wait\n") (void)rfile().read_line(limit);
    wfile().write("B");
    if (line == "close\n") {
      wfile().close();
      wfile().close();
      wfile().write("C");
    }
  }
};

template <class Server>
class TalkingServer : public Server {
 public:
  explicit TalkingServer(const Address& address) : Server(address, handler_class<TalkingHandler>) {
    TalkingHandler::gathered = 0;
    TalkingHandler::patience = std::nullopt;
    TalkingHandler::no_delay = false;
    journal.clear();
  }
  void handle_error(const Request&) override {
    try {
      throw;
    } catch (const std::exception& error) {
      journal.add(error.what());
    }
  }
};

class TCPTalkingServer : public TalkingServer<TCPServer> {
 public:
  TCPTalkingServer() : TalkingServer(any_port()) { bind_and_activate(); }
};

// read_line keeps only a line at a time, so what was read before has to be copied.
std::vector<std::string> all_lines(StreamReader& rfile) {
  std::vector<std::string> lines;
  for (;;) {
    lines.emplace_back(rfile.read_line(limit));
    if (lines.back().empty()) return lines;
  }
}

}  // namespace

TEST_CASE("a line is what ends with a newline; the last one may lack it; the end is empty") {
  Pair pair;
  StreamReader rfile(pair.near.get());
  send_text(pair.far, "one\n\ntwo\nthree");
  check(::shutdown(pair.far.get(), SHUT_WR), "shutdown");
  CHECK(all_lines(rfile) == std::vector<std::string>{"one\n", "\n", "two\n", "three", ""});
  CHECK(rfile.read_line(limit).empty());
}

TEST_CASE("a line that comes byte by byte is one line, and none of it is seen before") {
  Pair pair;
  StreamReader rfile(pair.near.get());
  const std::string line = std::string("a\0b", 3) + std::string(100, 'x') + "\n";
  std::thread sender([&] {
    for (const char byte : line) send_text(pair.far, {&byte, 1});
  });
  CHECK(rfile.read_line(limit) == line);
  sender.join();
  CHECK_FALSE(rfile.has_line());
}

TEST_CASE("a line that finds no memory is not written beyond the buffer, and can be read again") {
  Pair pair;
  StreamReader rfile(pair.near.get());
  send_text(pair.far, "short\n");
  CHECK(rfile.read_line(limit) == "short\n");  // from now on it has a buffer: of 16 KiB
  const std::string line = std::string(40'000, 'x') + "\n";
  std::thread sender([&] { send_text(pair.far, line); });
  for (int i = 0; i < 2; ++i) {
    no_memory = true;
    CHECK_THROWS_AS(rfile.read_line(limit), std::bad_alloc);
    no_memory = false;
  }
  CHECK(rfile.read_line(limit) == line);
  sender.join();
}

TEST_CASE("read: so many bytes, in however many pieces they come; fewer only at the end") {
  Pair pair;
  StreamReader rfile(pair.near.get(), 4);
  std::thread sender([&] {
    for (const char byte : std::string("abcdefgh\nlast")) send_text(pair.far, {&byte, 1});
    check(::shutdown(pair.far.get(), SHUT_WR), "shutdown");
  });
  CHECK(rfile.read(0).empty());
  CHECK(rfile.read(3) == "abc");
  CHECK(rfile.read_line(limit) == "defgh\n");
  CHECK(rfile.read(100) == "last");
  CHECK(rfile.read(1).empty());
  sender.join();
  PacketReader packet("abc\ndef");
  CHECK(packet.read(2) == "ab");
  CHECK(packet.read_line(limit) == "c\n");
  CHECK(packet.read(9) == "def");
}

TEST_CASE("the lines of a reader, in a loop") {
  Pair pair;
  send_text(pair.far, "one\n\nthree");
  check(::shutdown(pair.far.get(), SHUT_WR), "shutdown");
  StreamReader rfile(pair.near.get());
  std::vector<std::string> seen;
  for (const std::string_view line : lines(rfile, limit)) seen.emplace_back(line);
  CHECK(seen == std::vector<std::string>{"one\n", "\n", "three"});
  PacketReader packet("a\nb");
  seen.clear();
  for (const std::string_view line : lines(packet, limit)) seen.emplace_back(line);
  CHECK(seen == std::vector<std::string>{"a\n", "b"});
}

TEST_CASE("Python's address_family and socket_type") {
  const Address tcp = any_port(), local = Address::unix_path("/p");
  CHECK(TCPServer(tcp, nullptr).address_family() == AF_INET);
  CHECK(TCPServer(tcp, nullptr).socket_type() == SOCK_STREAM);
  CHECK(UDPServer(tcp, nullptr).socket_type() == SOCK_DGRAM);
  CHECK(UnixStreamServer(local, nullptr).address_family() == AF_UNIX);
  CHECK(UnixStreamServer(local, nullptr).socket_type() == SOCK_STREAM);
  CHECK(UnixDatagramServer(local, nullptr).socket_type() == SOCK_DGRAM);
}

TEST_CASE("has_line says whether read_line would wait, and does not wait itself") {
  Pair pair;
  StreamReader rfile(pair.near.get());
  CHECK_FALSE(rfile.has_line());
  send_text(pair.far, "one\ntwo\nthr");
  CHECK(rfile.read_line(limit) == "one\n");
  CHECK(rfile.has_line());
  CHECK(rfile.has_line());
  CHECK(rfile.read_line(limit) == "two\n");
  CHECK_FALSE(rfile.has_line());
  send_text(pair.far, "ee\n");
  CHECK(rfile.read_line(limit) == "three\n");
}

TEST_CASE("lines of every length around the buffer's, in pieces of every length") {
  std::string all;
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < 400; ++i) {
    const std::size_t length = i < 200 ? i * 7 % 90 : 16 * 1024 * (i % 3 + 1) / 2 - 10 + i % 23;
    lines.push_back(std::string(length, static_cast<char>('a' + i % 26)) + "\n");
    all += lines.back();
  }
  lines.emplace_back();
  Pair pair;
  std::thread sender([&] {
    std::string_view rest = all;
    for (std::size_t i = 0; !rest.empty(); ++i) {
      const std::string_view piece = rest.substr(0, 1 + i * i % 9001);
      const ssize_t count = ::send(pair.far.get(), piece.data(), piece.size(), MSG_NOSIGNAL);
      rest.remove_prefix(static_cast<std::size_t>(check(count, "send")));
    }
    check(::shutdown(pair.far.get(), SHUT_WR), "shutdown");
  });
  StreamReader rfile(pair.near.get());
  CHECK(all_lines(rfile) == lines);
  sender.join();
}

TEST_CASE("the limit counts the newline; one byte more is refused, with or without newline") {
  for (const std::string_view line : {"12345678\n", "123456789"}) {
    Pair pair;
    send_text(pair.far, line);
    check(::shutdown(pair.far.get(), SHUT_WR), "shutdown");
    StreamReader exact(pair.near.get());
    CHECK(exact.read_line(9) == line);
  }
  for (const std::string_view line : {"12345678\n", "123456789"}) {
    Pair pair;
    send_text(pair.far, line);
    check(::shutdown(pair.far.get(), SHUT_WR), "shutdown");
    StreamReader short_by_one(pair.near.get());
    CHECK_THROWS_AS(short_by_one.read_line(8), std::length_error);
  }
}

TEST_CASE("a line of 10 MB without end is refused, and what is read of it stays near the limit") {
  Pair pair;
  std::size_t taken = 0;
  std::thread sender([&] {
    const std::string piece(64 * 1024, 'x');
    while (taken < 10'000'000) {
      const ssize_t count = ::send(pair.far.get(), piece.data(), piece.size(), MSG_NOSIGNAL);
      if (count == -1) return;
      taken += static_cast<std::size_t>(count);
    }
  });
  StreamReader rfile(pair.near.get());
  CHECK_THROWS_AS(rfile.read_line(limit), std::length_error);
  pair.near.reset();
  sender.join();
  // Twice the limit here, and what the kernel holds of a Unix stream.
  CHECK(taken < 1'500'000);
}

TEST_CASE("unbuffered, each write leaves at once; buffered, all leave together") {
  for (const std::size_t gathered : {0U, 65536U}) {
    TCPTalkingServer server;
    TalkingHandler::gathered = gathered;
    const Running running(server);
    const FileDescriptor client = connect_to(server.server_address());
    send_text(client, "wait\n");
    if (gathered == 0) {
      char byte = 0;
      CHECK(check(::recv(client.get(), &byte, 1, 0), "recv") == 1);
      CHECK(byte == 'A');
    }
    send_text(client, "\n");
    CHECK(receive_all(client) == (gathered == 0 ? "B" : "AB"));
  }
}

TEST_CASE("StreamWriter sends when it has gathered enough, and once") {
  Pair pair;
  StreamWriter wfile(pair.near.get(), 4);
  wfile.write("abc");
  CHECK(receive_now(pair.far).empty());
  wfile.write("de");
  CHECK(receive_now(pair.far) == "abcde");
  wfile.write("f");
  wfile.flush();
  wfile.flush();
  CHECK(receive_now(pair.far) == "f");
  wfile.write("g");
  wfile.close();
  CHECK(receive_now(pair.far) == "g");
  CHECK_THROWS_AS(wfile.write("h"), std::logic_error);
  wfile.close();
  CHECK(receive_now(pair.far).empty());
}

TEST_CASE("finish sends what was gathered, after an exception too; what was closed is left alone") {
  TCPTalkingServer server;
  TalkingHandler::gathered = 65536;
  const Running running(server);
  CHECK(ask(server.server_address(), "throw\n") == "A");
  CHECK(ask(server.server_address(), "close\n") == "AB");
  CHECK(journal.lines() == std::vector<std::string>{"from handle", "write: wfile is closed"});
}

TEST_CASE("a client that has gone before the flush at the end is no error (Python reports one)") {
  TCPTalkingServer server;
  TalkingHandler::gathered = 65536;
  {
    const FileDescriptor client = connect_to(server.server_address());
    send_text(client, "hello\nnot read");
    const linger reset{1, 0};
    check(::setsockopt(client.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset), "setsockopt");
  }
  CHECK(server.handle_request());
  for (const std::string& line : journal.lines()) CHECK(line.find("recv") == 0);
  const Running running(server);
  CHECK(ask(server.server_address(), "hello\n") == "AB");
}

TEST_CASE("StreamWriter writes all, or throws, though signals and a slow reader cut it short") {
  struct sigaction ignore {};
  ignore.sa_handler = [](int) {};  // no SA_RESTART: a blocked send is cut short
  struct sigaction old {};
  check(::sigaction(SIGALRM, &ignore, &old), "sigaction");
  const itimerval often{{0, 500}, {0, 500}};
  check(::setitimer(ITIMER_REAL, &often, nullptr), "setitimer");
  const std::string bytes(8 << 20, 'x');
  for (const std::size_t size : {0U, 65536U}) {
    Pair pair;
    std::string got;
    sigset_t alarm;
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    std::thread reader([&] {
      ::pthread_sigmask(SIG_BLOCK, &alarm, nullptr);
      got = receive_all(pair.far);
    });
    StreamWriter wfile(pair.near.get(), size);
    wfile.write(bytes);
    wfile.close();
    pair.near.reset();
    reader.join();
    CHECK((got == bytes));
  }
  const itimerval never{};
  check(::setitimer(ITIMER_REAL, &never, nullptr), "setitimer");
  check(::sigaction(SIGALRM, &old, nullptr), "sigaction");
}

TEST_CASE("a silent client's time is limited, and a client that only reads nothing has one too") {
  TCPTalkingServer server;
  TalkingHandler::patience = 20ms;
  const Running running(server);
  const FileDescriptor silent = connect_to(server.server_address());
  CHECK(receive_all(silent).empty());
  const FileDescriptor half = connect_to(server.server_address());
  send_text(half, "no newline");
  CHECK(receive_all(half).empty());
  CHECK(journal.lines() ==
        std::vector<std::string>{"recv: Connection timed out", "recv: Connection timed out"});
}

TEST_CASE("a limit of no time at all is not the same as no limit") {
  TCPTalkingServer server;
  TalkingHandler::patience = 0ms;
  const Running running(server);
  const FileDescriptor silent = connect_to(server.server_address());
  CHECK(receive_all(silent).empty());  // would wait for ever
}

TEST_CASE("disable_nagle_algorithm is for this connection, and for TCP alone") {
  TCPTalkingServer server;
  const Running running(server);
  CHECK(ask(server.server_address(), "options\n") == "delay\n");
  TalkingHandler::no_delay = true;
  CHECK(ask(server.server_address(), "options\n") == "no delay\n");
  TalkingHandler::no_delay = false;
  CHECK(ask(server.server_address(), "options\n") == "delay\n");
  int value = 1;
  socklen_t size = sizeof value;
  check(::getsockopt(server.fileno(), IPPROTO_TCP, TCP_NODELAY, &value, &size), "getsockopt");
  CHECK(value == 0);
}
