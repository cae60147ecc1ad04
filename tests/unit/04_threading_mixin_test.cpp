// ThreadingMixIn: what the check of lesson 04 cannot see from outside. The numbers of the behaviour
// are those of Python's socketserver.

#include <unistd.h>
#include <socketserver/datagram_handler.hpp>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <stdexcept>
#include <threading_mixin.hpp>

#include "harness/base/catch.hpp"
#include "loopback.hpp"
#include "second_try.hpp"

using namespace unit;
using namespace std::chrono_literals;

namespace {

Journal threading_journal;

// "close" closes the server from the handler; "shutdown" ends the loop; "throw" throws; every other
// message is answered.
class OrderHandler : public BaseRequestHandler {
 public:
  using BaseRequestHandler::BaseRequestHandler;
  void handle() override {
    char buffer[64];
    const ssize_t count = ::recv(request().fileno(), buffer, sizeof buffer, 0);
    if (count <= 0) return;
    const std::string_view order(buffer, static_cast<std::size_t>(count));
    if (order == "close") server().server_close();
    if (order == "shutdown") server().shutdown();
    if (order == "throw") throw std::runtime_error("told to");
    check(::send(request().fileno(), order.data(), order.size(), MSG_NOSIGNAL), "send");
  }
};

class NotingThreadingServer : public ThreadingTCPServer {
 public:
  using ThreadingTCPServer::ThreadingTCPServer;
  ~NotingThreadingServer() override { ThreadingTCPServer::server_close(); }
  void handle_error(const Request&) override { threading_journal.add("handle_error"); }
  void shutdown_request(Request& request) override {
    threading_journal.add("shutdown_request");
    ThreadingTCPServer::shutdown_request(request);
  }
};

// Counts what goes to handle_error().
template <class Server>
class Noticing : public Server {
 public:
  Noticing(const Address& address, RequestHandlerClass handler, std::atomic<int>& errors)
      : Server(address, handler), errors_(errors) {}
  ~Noticing() override { Server::server_close(); }
  void handle_error(const Request&) override { errors_ += 1; }

 private:
  std::atomic<int>& errors_;
};

}  // namespace

TEST_CASE("threading: an exception goes to handle_error, then the request is shut down once") {
  threading_journal.clear();
  NotingThreadingServer server(any_port(), handler_class<OrderHandler>);
  server.bind_and_activate();
  Running running(server);
  CHECK(ask(server.server_address(), "throw").empty());
  running.stop();
  server.server_close();
  CHECK(threading_journal.lines() == std::vector<std::string>{"handle_error", "shutdown_request"});
}

TEST_CASE("threading: shutdown and server_close from a handler's thread do not deadlock") {
  for (const char* order : {"shutdown", "close"}) {
    ThreadingTCPServer server(any_port(), handler_class<OrderHandler>);
    server.bind_and_activate();
    std::thread loop([&server] { server.serve_forever(); });
    CHECK(ask(server.server_address(), order) == order);
    loop.join();
    server.server_close();
    CHECK(server.fileno() == -1);
  }
}

TEST_CASE("threading: server_close waits for a request under way, unless told otherwise") {
  for (const int told : {0, 1, 2}) {
    ThreadingTCPServer server(any_port(), handler_class<OrderHandler>);
    server.daemon_threads = told == 1;
    server.block_on_close = told != 2;
    server.bind_and_activate();
    Running running(server);
    const FileDescriptor silent = connect_to(server.server_address());
    CHECK(ask(server.server_address(), "x") == "x");  // the silent one has its thread by now
    running.stop();
    auto closed = std::async(std::launch::async, [&server] { server.server_close(); });
    if (told == 0) {
      CHECK(closed.wait_for(50ms) == std::future_status::timeout);
    } else {
      closed.get();
    }
    CHECK(::shutdown(silent.get(), SHUT_WR) == 0);
    CHECK(receive_all(silent).empty());
  }
}

TEST_CASE("threading: a loop that fails interrupts the requests under way") {
  class Failing : public ThreadingTCPServer {
   public:
    using ThreadingTCPServer::ThreadingTCPServer;
    ~Failing() override { ThreadingTCPServer::server_close(); }
    void process_request(Request request) override {
      fails_ = true;
      ThreadingTCPServer::process_request(std::move(request));
    }

   protected:
    bool wait(bool for_requests, std::optional<std::chrono::milliseconds> limit) override {
      if (fails_) throw_system_error("poll", EINVAL);
      return ThreadingTCPServer::wait(for_requests, limit);
    }

   private:
    bool fails_ = false;
  };
  Failing server(any_port(), handler_class<OrderHandler>);
  server.bind_and_activate();
  const FileDescriptor silent = connect_to(server.server_address());
  const timeval longest{60, 0};
  check(::setsockopt(silent.get(), SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest),
        "setsockopt");
  CHECK_THROWS_AS(server.serve_forever(), std::system_error);
  CHECK(receive_all(silent).empty());  // its handler has read an end of file
}

TEST_CASE("threading: a server that never served is closed at once, and again") {
  ThreadingTCPServer server(any_port(), handler_class<OrderHandler>);
  server.bind_and_activate();
  server.server_close();
  server.server_close();
  CHECK(server.fileno() == -1);
}

TEST_CASE("threading: bind_and_activate() can be tried again after a failure") {
  FailsOnce<ThreadingTCPServer> server(any_port(), handler_class<OnceHandler>);
  bind_at_second_try(server);
  CHECK(served(server, "x") == "x");
}

TEST_CASE("threading: 20 servers start and shut down") {
  for (int i = 0; i < 20; ++i) {
    ThreadingTCPServer server(any_port(), handler_class<OrderHandler>);
    server.bind_and_activate();
    Running running(server);
  }
}

TEST_CASE("threading: at the limit the next client waits, and shutdown does not") {
  ThreadingTCPServer server(any_port(), handler_class<OrderHandler>);
  server.max_threads = 1;
  server.bind_and_activate();
  Running running(server);
  FileDescriptor first = connect_to(server.server_address());
  FileDescriptor second = connect_to(server.server_address());
  send_text(second, "mine");
  send_text(first, "one");
  CHECK(receive_all(first) == "one");
  CHECK(receive_all(second) == "mine");
  FileDescriptor third = connect_to(server.server_address());
  FileDescriptor fourth = connect_to(server.server_address());
  running.stop();  // with one silent client served, and another in the queue
  third.reset();
}

TEST_CASE("threading: the limit holds under handle_request as well") {
  ThreadingTCPServer server(any_port(), handler_class<OrderHandler>);
  server.max_threads = 1;
  server.timeout = 20ms;
  server.bind_and_activate();
  FileDescriptor first = connect_to(server.server_address());
  const FileDescriptor second = connect_to(server.server_address());
  CHECK(server.handle_request());
  CHECK_FALSE(server.handle_request());  // no room: the time is over
  first.reset();
  server.timeout.reset();
  CHECK(server.handle_request());
}

TEST_CASE("threading: UDP, each datagram in a thread") {
  class PacketHandler : public BaseRequestHandler {
   public:
    using BaseRequestHandler::BaseRequestHandler;
    void handle() override {
      const std::string_view packet = request().packet();
      const Address& to = client_address();
      check(::sendto(request().fileno(), packet.data(), packet.size(), 0, to.data(), to.size()),
            "sendto");
    }
  };
  ThreadingUDPServer server(any_port(), handler_class<PacketHandler>);
  server.bind_and_activate();
  Running running(server);
  const FileDescriptor client(check(::socket(AF_INET, SOCK_DGRAM, 0), "socket"));
  const Address& to = server.server_address();
  check(::connect(client.get(), to.data(), to.size()), "connect");
  for (int i = 0; i < 10; ++i) {
    send_text(client, "ping");
    char buffer[16];
    CHECK(::recv(client.get(), buffer, sizeof buffer, 0) == 4);
  }
}

TEST_CASE("threading: a datagram that is under way is answered although its server is closed") {
  static std::promise<void>* closed;
  class LateHandler : public BaseRequestHandler {
   public:
    using BaseRequestHandler::BaseRequestHandler;
    void handle() override {
      closed->get_future().wait();
      const Address& to = client_address();
      check(::sendto(request().fileno(), "late", 4, 0, to.data(), to.size()), "sendto");
    }
  };
  std::promise<void> is_closed;
  closed = &is_closed;
  const auto check_end = [&](auto server, const FileDescriptor& client) {
    server->bind_and_activate();
    const int before = open_descriptors();
    const Address to = server->server_address();
    check(::connect(client.get(), to.data(), to.size()), "connect");
    send_text(client, "ping");
    CHECK(server->handle_request());
    auto closing = std::async(std::launch::async, [&server] { server->server_close(); });
    while (server->fileno() != -1) std::this_thread::yield();
    is_closed.set_value();
    char buffer[16];
    CHECK(::recv(client.get(), buffer, sizeof buffer, 0) == 4);
    closing.get();
    CHECK(open_descriptors() == before - 1);
  };
  SECTION("UDP") {
    const FileDescriptor client(check(::socket(AF_INET, SOCK_DGRAM, 0), "socket"));
    check_end(std::make_unique<ThreadingUDPServer>(any_port(), handler_class<LateHandler>), client);
  }
  SECTION("Unix datagrams") {
    const std::string path = "/tmp/kit-unit-late-" + std::to_string(::getpid());
    const Address own = Address::unix_path(path + "c");
    const FileDescriptor client(check(::socket(AF_UNIX, SOCK_DGRAM, 0), "socket"));
    check(::bind(client.get(), own.data(), own.size()), "bind");
    check_end(std::make_unique<ThreadingUnixDatagramServer>(Address::unix_path(path),
                                                            handler_class<LateHandler>),
              client);
    ::unlink((path + "c").c_str());
  }
}

TEST_CASE("threading: several handlers close the server at once, beside the one who runs it") {
  const std::string path = "/tmp/kit-unit-closers-" + std::to_string(::getpid());
  for (int i = 0; i < 20; ++i) {
    ThreadingUnixStreamServer server(Address::unix_path(path), handler_class<OrderHandler>);
    server.bind_and_activate();
    std::thread loop([&server] {
      server.serve_forever();
      server.server_close();
    });
    std::vector<FileDescriptor> clients;
    for (int k = 0; k < 4; ++k) {
      clients.push_back(connect_to(server.server_address()));
      send_text(clients.back(), "x");
    }
    std::vector<FileDescriptor> closers;
    try {
      for (int k = 0; k < 2; ++k) {
        closers.push_back(connect_to(server.server_address()));
        send_text(closers.back(), "close");
      }
    } catch (const std::system_error&) {
      // The first one was faster than the second has come.
    }
    loop.join();
    CHECK(server.fileno() == -1);
    CHECK(::access(path.c_str(), F_OK) == -1);
  }
}

TEST_CASE("threading: a handler closes its datagram server, and all that came before is answered") {
  class PacketOrderHandler : public DatagramRequestHandler {
   public:
    using DatagramRequestHandler::DatagramRequestHandler;
    void handle() override {
      const std::string order(rfile().read());
      if (order == "close") server().server_close();
      wfile().write(order);
    }
  };
  std::atomic<int> errors{0};
  const auto check_close = [&errors](auto server, std::vector<FileDescriptor> clients) {
    server->bind_and_activate();
    const Address to = server->server_address();
    std::thread loop([&server] {
      server->serve_forever();
      server->server_close();
    });
    for (const FileDescriptor& client : clients) {
      check(::connect(client.get(), to.data(), to.size()), "connect");
      send_text(client, &client == &clients.back() ? "close" : "hello");
    }
    loop.join();
    CHECK(server->fileno() == -1);
    for (const FileDescriptor& client : clients) {
      char buffer[16];
      CHECK(::recv(client.get(), buffer, sizeof buffer, 0) == 5);
    }
    CHECK(errors == 0);
  };
  const auto sockets = [](int family, const auto& prepare) {
    std::vector<FileDescriptor> clients;
    for (int i = 0; i < 5; ++i) {
      clients.emplace_back(check(::socket(family, SOCK_DGRAM, 0), "socket"));
      prepare(clients.back(), i);
    }
    return clients;
  };
  const std::string path = "/tmp/kit-unit-packets-" + std::to_string(::getpid());
  const auto path_of = [&path](int client) { return path + std::to_string(client); };
  const auto bind_to_path = [&](const FileDescriptor& client, int i) {
    const Address own = Address::unix_path(path_of(i));
    check(::bind(client.get(), own.data(), own.size()), "bind");
  };
  for (int round = 0; round < 10; ++round) {
    check_close(std::make_unique<Noticing<ThreadingUDPServer>>(
                    any_port(), handler_class<PacketOrderHandler>, errors),
                sockets(AF_INET, [](const FileDescriptor&, int) {}));
    check_close(std::make_unique<Noticing<ThreadingUnixDatagramServer>>(
                    Address::unix_path(path), handler_class<PacketOrderHandler>, errors),
                sockets(AF_UNIX, bind_to_path));
    CHECK(::access(path.c_str(), F_OK) == -1);
    for (int i = 0; i < 5; ++i) ::unlink(path_of(i).c_str());
  }
}
