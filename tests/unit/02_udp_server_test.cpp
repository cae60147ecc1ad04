// UDPServer and DatagramRequestHandler. Where they are better than Python's, the test says so.

#include <netinet/in.h>
#include <poll.h>
#include <socketserver/datagram_handler.hpp>
#include <socketserver/udp_server.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <stdexcept>
#include <type_traits>

#if defined(__linux__)
#include <linux/sock_diag.h>
#endif

#include "harness/base/catch.hpp"
#include "loopback.hpp"
#include "second_try.hpp"

using namespace unit;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

constexpr auto deadline = 10s;  // for one datagram; far more than it takes

Journal journal;

// What it does is told by the datagram.
class TalkingHandler : public DatagramRequestHandler {
 public:
  using DatagramRequestHandler::DatagramRequestHandler;
  void setup() override { journal.add("setup"), DatagramRequestHandler::setup(); }
  void handle() override {
    const std::string_view text = rfile().read();
    journal.add("handle");
    if (text == "say nothing") return;
    wfile().write(text);
    if (text == "throw") throw std::runtime_error("from handle");
    if (text == "too much") wfile().write(std::string(70'000, 'x'));
    if (text == "twice") wfile().write(text);
  }
  void finish() override { DatagramRequestHandler::finish(), journal.add("finish"); }
};

class TalkingServer : public UDPServer {
 public:
  explicit TalkingServer(const Address& address = any_port())
      : UDPServer(address, handler_class<TalkingHandler>) {}
  ~TalkingServer() override { UDPServer::server_close(); }
  std::optional<Request> get_request() override {
    auto request = UDPServer::get_request();
    if (request) journal.add("get_request");
    return request;
  }
  bool verify_request(const Request& request) override {
    journal.add("verify_request");
    return UDPServer::verify_request(request);
  }
  void process_request(Request request) override {
    journal.add("process_request");
    UDPServer::process_request(std::move(request));
  }
  void finish_request(Request& request) override {
    journal.add("finish_request");
    UDPServer::finish_request(request);
  }
  void shutdown_request(Request& request) override {
    journal.add("shutdown_request");
    UDPServer::shutdown_request(request);
  }
  void close_request(Request& request) override {
    journal.add("close_request");
    UDPServer::close_request(request);
  }
  void handle_error(const Request&) override {
    try {
      throw;
    } catch (const std::exception& error) {
      journal.add(std::string("error: ") + error.what());
    }
  }
};

FileDescriptor datagram_socket(const Address& server) {
  FileDescriptor socket(check(::socket(server.family(), SOCK_DGRAM, 0), "socket"));
  check(::connect(socket.get(), server.data(), server.size()), "connect");
  return socket;
}

bool readable(const FileDescriptor& socket, std::chrono::milliseconds limit = deadline) {
  pollfd waiting{socket.get(), POLLIN, 0};
  return ::poll(&waiting, 1, static_cast<int>(limit.count())) == 1;
}

std::string receive(const FileDescriptor& socket) {
  REQUIRE(readable(socket));
  std::string bytes(70'000, '\0');
  const ssize_t count = check(::recv(socket.get(), bytes.data(), bytes.size(), 0), "recv");
  bytes.resize(static_cast<std::size_t>(count));
  return bytes;
}

std::string ask_once(const FileDescriptor& socket, std::string_view text) {
  send_text(socket, text);
  return receive(socket);
}

int option_of(int fd, int level, int option) {
  int value = -1;
  socklen_t size = sizeof value;
  check(::getsockopt(fd, level, option, &value, &size), "getsockopt");
  return value;
}

}  // namespace

TEST_CASE("UDPServer is a TCPServer with another socket, as in Python") {
  STATIC_REQUIRE(std::is_base_of_v<BaseServer, TCPServer>);
  STATIC_REQUIRE(std::is_base_of_v<TCPServer, UDPServer>);
  STATIC_REQUIRE(std::is_base_of_v<BaseRequestHandler, DatagramRequestHandler>);
}

TEST_CASE("UDPServer: the order of the hooks is that of every server") {
  TalkingServer server;
  server.bind_and_activate();
  const FileDescriptor client = datagram_socket(server.server_address());
  journal.clear();
  send_text(client, "hello");
  CHECK(server.handle_request());
  CHECK(receive(client) == "hello");
  CHECK(journal.lines() == std::vector<std::string>{
                               "get_request", "verify_request", "process_request", "finish_request",
                               "setup", "handle", "finish", "shutdown_request", "close_request"});
}

TEST_CASE("UDPServer binds IPv4 and IPv6, and answers from the port it says it has") {
  for (const char* const host : {"127.0.0.1", "::1"}) {
    TalkingServer server(Address::inet(host, 0));
    server.bind_and_activate();
    CHECK(server.server_address().port() != 0);
    CHECK(server.server_address() == Address::of_socket(server.fileno()));
    const Running running(server);
    // A connected socket takes an answer from that address alone.
    const FileDescriptor client = datagram_socket(server.server_address());
    CHECK(ask_once(client, "hello") == "hello");
  }
}

TEST_CASE("UDPServer: an IPv6 server takes IPv4 clients if it is told to, and shows them as IPv4") {
  TalkingServer ipv6(Address::inet("::", 0));
  ipv6.bind_and_activate();
  CHECK(option_of(ipv6.fileno(), IPPROTO_IPV6, IPV6_V6ONLY) == 1);
  TalkingServer server(Address::inet("::", 0));
  server.dual_stack = true;
  server.bind_and_activate();
  CHECK(option_of(server.fileno(), IPPROTO_IPV6, IPV6_V6ONLY) == 0);
  const FileDescriptor client =
      datagram_socket(Address::inet("127.0.0.1", server.server_address().port()));
  send_text(client, "hello");
  const auto request = server.get_request();
  REQUIRE(request);
  CHECK(request->client_address().text() == Address::of_socket(client.get()).text());
}

TEST_CASE("UDPServer never shares its port by SO_REUSEADDR (Python lets a second one take it)") {
  TalkingServer first;
  first.allow_reuse_address = true;
  first.bind_and_activate();
  CHECK(option_of(first.fileno(), SOL_SOCKET, SO_REUSEADDR) == 0);
  TalkingServer second(first.server_address());
  second.allow_reuse_address = true;
  CHECK_THROWS_AS(second.bind_and_activate(), std::system_error);
  CHECK(second.fileno() == -1);
}

TEST_CASE("UDPServer shares its port by SO_REUSEPORT if all of them ask for it") {
  TalkingServer first;
  first.allow_reuse_port = true;
  first.bind_and_activate();
  TalkingServer second(first.server_address());
  second.allow_reuse_port = true;
  CHECK_NOTHROW(second.bind_and_activate());
}

TEST_CASE("UDPServer: a bind that fails leaks nothing, and closing twice does no harm") {
  TalkingServer first;
  first.bind_and_activate();
  const int before = open_descriptors();
  for (int i = 0; i < 64; ++i) {
    TalkingServer second(first.server_address());
    CHECK_THROWS_AS(second.bind_and_activate(), std::system_error);
  }
  CHECK(open_descriptors() == before);
  first.server_close();
  first.server_close();
  CHECK(first.fileno() == -1);
}

TEST_CASE("UDPServer: bind_and_activate() can be tried again after a failure") {
  FailsOnce<TalkingServer> server;
  bind_at_second_try(server);
  const FileDescriptor client = datagram_socket(server.server_address());
  send_text(client, "hello");
  CHECK(server.handle_request());
  CHECK(receive(client) == "hello");
}

TEST_CASE("UDPServer: an empty datagram is a request, and has an empty answer") {
  TalkingServer server;
  server.bind_and_activate();
  const Running running(server);
  const FileDescriptor client = datagram_socket(server.server_address());
  CHECK(ask_once(client, "").empty());
  CHECK(ask_once(client, "then") == "then");
}

TEST_CASE("UDPServer: the longest datagram comes back whole") {
  TalkingServer server;
  server.bind_and_activate();
  const Running running(server);
  const FileDescriptor client = datagram_socket(server.server_address());
  std::string longest(65'507, '\0');
  for (std::size_t i = 0; i < longest.size(); ++i) longest[i] = static_cast<char>(i * 7 + i / 251);
  CHECK(ask_once(client, longest) == longest);
}

TEST_CASE(
    "UDPServer: a datagram that is too long is reported, not half-answered (Python cuts it)") {
  TalkingServer server;
  server.max_packet_size = 10;
  server.bind_and_activate();
  const FileDescriptor client = datagram_socket(server.server_address());
  send_text(client, "0123456789");
  auto request = server.get_request();
  REQUIRE(request);
  CHECK_FALSE(request->truncated());
  CHECK(request->packet() == "0123456789");

  send_text(client, "0123456789!");
  request = server.get_request();
  REQUIRE(request);
  CHECK(request->truncated());
  CHECK(request->packet() == "0123456789");
  journal.clear();
  server.process_request(std::move(*request));
  const std::vector<std::string> lines = journal.lines();
  CHECK(std::count(lines.begin(), lines.end(), "handle") == 0);
  CHECK(std::count_if(lines.begin(), lines.end(), [](const std::string& line) {
          return line.find("error: the datagram is too long") == 0;
        }) == 1);
  const Running running(server);
  CHECK(ask_once(client, "next") == "next");  // and nothing came before it
}

TEST_CASE("DatagramRequestHandler answers if and only if handle() returned and wrote") {
  TalkingServer server;
  server.bind_and_activate();
  const Running running(server);
  const FileDescriptor client = datagram_socket(server.server_address());
  send_text(client, "say nothing");                  // Python sends an empty datagram
  send_text(client, "throw");                        // Python sends what was written before
  CHECK(ask_once(client, "twice") == "twicetwice");  // several writes, one datagram
}

TEST_CASE(
    "DatagramRequestHandler: an answer that is too long, or a client that has gone, is "
    "survived") {
  TalkingServer server;
  server.bind_and_activate();
  const Running running(server);
  journal.clear();
  for (int i = 0; i < 10; ++i) send_text(datagram_socket(server.server_address()), "gone");
  const FileDescriptor client = datagram_socket(server.server_address());
  send_text(client, "too much");
  CHECK(ask_once(client, "hello") == "hello");
  const std::vector<std::string> lines = journal.lines();
  CHECK(std::count_if(lines.begin(), lines.end(),
                      [](const std::string& line) { return line.find("error: ") == 0; }) == 1);
  CHECK(std::count(lines.begin(), lines.end(), "error: sendto: Message too long") == 1);
}

TEST_CASE("PacketReader reads lines as a stream does, and PacketWriter makes one datagram") {
  PacketReader rfile("one\n\ntwo");
  CHECK(rfile.has_line());
  CHECK(rfile.read_line(4) == "one\n");
  CHECK(rfile.read_line(1) == "\n");
  CHECK_FALSE(rfile.has_line());
  CHECK_THROWS_AS(rfile.read_line(2), std::length_error);
  CHECK(rfile.read_line(3) == "two");
  CHECK(rfile.read_line(3).empty());
  PacketWriter wfile;
  CHECK_FALSE(wfile.written());
  wfile.write("");
  CHECK(wfile.written());
  wfile.write("a");
  wfile.flush();
  wfile.write("b");
  CHECK(wfile.bytes() == "ab");
}

#if defined(__linux__)
TEST_CASE(
    "UDPServer: 10,000 datagrams from 50 peers at once: every answer reaches its asker, and "
    "what is missing the kernel has counted") {
  constexpr unsigned peers = 50;
  constexpr unsigned each = 200;
  const auto dropped_at = [](int fd) {
    std::uint32_t memory[SK_MEMINFO_VARS] = {};
    socklen_t size = sizeof memory;
    check(::getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &size), "getsockopt");
    return memory[SK_MEMINFO_DROPS];
  };
  TalkingServer server;
  server.bind_and_activate();
  std::vector<FileDescriptor> clients;
  std::vector<pollfd> waiting;
  for (unsigned peer = 0; peer < peers; ++peer) {
    clients.push_back(datagram_socket(server.server_address()));
    waiting.push_back({clients.back().get(), POLLIN, 0});
  }
  const Running running(server);
  for (unsigned i = 0; i < each; ++i) {
    for (unsigned peer = 0; peer < peers; ++peer) {
      send_text(clients[peer], "peer " + std::to_string(peer) + " message " + std::to_string(i));
    }
  }
  std::uint32_t answers = 0;
  const auto dropped = [&] {
    std::uint32_t sum = dropped_at(server.fileno());
    for (const FileDescriptor& client : clients) sum += dropped_at(client.get());
    return sum;
  };
  std::vector<std::map<std::string, int>> got(peers);
  const Clock::time_point end = Clock::now() + deadline;
  while (answers + dropped() < peers * each && Clock::now() < end) {
    if (::poll(waiting.data(), waiting.size(), 10) <= 0) continue;
    for (unsigned peer = 0; peer < peers; ++peer) {
      if (waiting[peer].revents == 0) continue;
      got[peer][receive(clients[peer])] += 1;
      answers += 1;
    }
  }
  INFO(answers << " answers, " << dropped() << " dropped by the kernel");
  CHECK(answers + dropped() == peers * each);
  CHECK(answers >= peers);
  for (unsigned peer = 0; peer < peers; ++peer) {
    const std::string begin = "peer " + std::to_string(peer) + " message ";
    for (const auto& [text, times] : got[peer]) {
      if (text.compare(0, begin.size(), begin) != 0 || times != 1) FAIL(peer << " got " << text);
    }
  }
}
#endif
