// BaseServer: the loop, its states, and the order of the hooks. The numbers are those of the
// behaviour that Python's socketserver has; where this one is better, the test says so.

#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>
#include <socketserver/server_with.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <stdexcept>
#include <typeinfo>

#include "harness/base/catch.hpp"
#include "loopback.hpp"
#include "second_try.hpp"

using namespace unit;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

namespace {

Journal journal;

// Notes its three calls; what it throws, and where, is told by the first letter it receives.
class NotingHandler : public BaseRequestHandler {
 public:
  using BaseRequestHandler::BaseRequestHandler;
  void setup() override {
    journal.add("setup");
    char letter = 0;
    check(::recv(request().fileno(), &letter, 1, 0), "recv");
    if (letter == 's') throw std::runtime_error("from setup");
    throws_ = letter == 'h';
  }
  void handle() override {
    journal.add("handle");
    if (throws_) throw std::runtime_error("from handle");
  }
  void finish() override { journal.add(handled() ? "finish" : "finish after an exception"); }

 private:
  bool throws_ = false;
};

class NotingServer : public TCPServer {
 public:
  using TCPServer::TCPServer;
  bool denies = false;
  bool verify_throws = false;
  bool handle_error_throws = false;
  std::atomic<int> turns{0};

  ~NotingServer() override { TCPServer::server_close(); }
  void server_bind() override { journal.add("server_bind"), TCPServer::server_bind(); }
  void server_activate() override { journal.add("server_activate"), TCPServer::server_activate(); }
  std::optional<Request> get_request() override {
    std::optional<Request> request = TCPServer::get_request();
    if (request) journal.add("get_request");
    return request;
  }
  bool verify_request(const Request&) override {
    journal.add("verify_request");
    if (verify_throws) throw std::runtime_error("from verify_request");
    return !denies;
  }
  void process_request(Request request) override {
    journal.add("process_request");
    TCPServer::process_request(std::move(request));
  }
  void finish_request(Request& request) override {
    journal.add("finish_request");
    TCPServer::finish_request(request);
  }
  void shutdown_request(Request& request) override {
    journal.add("shutdown_request");
    TCPServer::shutdown_request(request);
  }
  void close_request(Request& request) override {
    journal.add("close_request");
    TCPServer::close_request(request);
  }
  void handle_error(const Request&) override {
    journal.add("handle_error");
    if (handle_error_throws) throw std::runtime_error("from handle_error");
  }
  void handle_timeout() override { journal.add("handle_timeout"); }
  void service_actions() override { turns += 1; }
};

using Lines = std::vector<std::string>;

// One request with the first letter `letter`, answered by handle_request(); returns the calls.
Lines calls_for(NotingServer& server, const char* letter) {
  server.bind_and_activate();
  const FileDescriptor client = connect_to(server.server_address());
  send_text(client, letter);
  journal.clear();
  CHECK(server.handle_request());
  CHECK(receive_all(client).empty());  // a clean end of file
  return journal.lines();
}

}  // namespace

TEST_CASE("the hooks are called in Python's order") {
  journal.clear();
  NotingServer server(any_port(), handler_class<NotingHandler>);
  server.bind_and_activate();
  CHECK(journal.lines() == Lines{"server_bind", "server_activate"});
  server.server_close();
  CHECK(calls_for(server, "x") == Lines{"get_request", "verify_request", "process_request",
                                        "finish_request", "setup", "handle", "finish",
                                        "shutdown_request", "close_request"});
}

TEST_CASE("an exception in handle: finish, handle_error, and a clean end for the client") {
  NotingServer server(any_port(), handler_class<NotingHandler>);
  CHECK(calls_for(server, "h") == Lines{"get_request", "verify_request", "process_request",
                                        "finish_request", "setup", "handle",
                                        "finish after an exception", "handle_error",
                                        "shutdown_request", "close_request"});
}

TEST_CASE("an exception in setup: neither handle nor finish") {
  NotingServer server(any_port(), handler_class<NotingHandler>);
  CHECK(calls_for(server, "s") == Lines{"get_request", "verify_request", "process_request",
                                        "finish_request", "setup", "handle_error",
                                        "shutdown_request", "close_request"});
}

TEST_CASE("a denied request is shut down once and never handled") {
  NotingServer server(any_port(), handler_class<NotingHandler>);
  server.denies = true;
  CHECK(calls_for(server, "") ==
        Lines{"get_request", "verify_request", "shutdown_request", "close_request"});
}

TEST_CASE("an exception in verify_request neither leaks the request nor ends the loop") {
  NotingServer server(any_port(), handler_class<NotingHandler>);
  server.verify_throws = true;
  CHECK(calls_for(server, "") == Lines{"get_request", "verify_request", "handle_error",
                                       "shutdown_request", "close_request"});
}

TEST_CASE("an exception in handle_error neither leaks the request nor ends the loop") {
  NotingServer server(any_port(), handler_class<NotingHandler>);
  server.handle_error_throws = true;
  server.bind_and_activate();
  const Running loop(server);
  for (int i = 0; i < 3; ++i) {
    const FileDescriptor client = connect_to(server.server_address());
    send_text(client, "h");
    CHECK(receive_all(client).empty());
  }
}

TEST_CASE("handle_error sees the request: its connection is still open, and names the client") {
  class SeeingServer : public TCPServer {
   public:
    using TCPServer::TCPServer;
    ~SeeingServer() override { TCPServer::server_close(); }
    void handle_error(const Request& request) override {
      CHECK(::send(request.fileno(), "sorry", 5, 0) == 5);
      seen = request.client_address().text();
    }
    std::string seen;
  };
  SeeingServer server(any_port(), handler_class<NotingHandler>);
  server.bind_and_activate();
  const FileDescriptor client = connect_to(server.server_address());
  send_text(client, "h");
  CHECK(server.handle_request());
  CHECK(receive_all(client) == "sorry");
  CHECK(server.seen == Address::of_socket(client.get()).text());
}

TEST_CASE("handle_error gets a request that process_request has lost: closed, with its address") {
  class LosingServer : public TCPServer {
   public:
    using TCPServer::TCPServer;
    ~LosingServer() override { TCPServer::server_close(); }
    void process_request(Request) override { throw std::runtime_error("lost"); }
    void handle_error(const Request& request) override {
      CHECK(request.fileno() == -1);
      seen = request.client_address().text();
    }
    std::string seen;
  };
  LosingServer server(any_port(), handler_class<NotingHandler>);
  server.bind_and_activate();
  const FileDescriptor client = connect_to(server.server_address());
  CHECK(server.handle_request());
  CHECK(server.seen == Address::of_socket(client.get()).text());
}

TEST_CASE("a handler reaches what its server has, by type") {
  struct Attributes {
    std::string greeting;
  };
  struct Others {};
  class GreetingHandler : public BaseRequestHandler {
   public:
    using BaseRequestHandler::BaseRequestHandler;
    void handle() override {
      CHECK_THROWS_AS(server_as<Others>(server()), std::bad_cast);
      CHECK(&server_as<TCPServer>(server()) == &server());
      const std::string& greeting = server_as<Attributes>(server()).greeting;
      CHECK(::send(request().fileno(), greeting.data(), greeting.size(), 0) == 12);
    }
  };
  ServerWith<Attributes, TCPServer> server(any_port(), handler_class<GreetingHandler>);
  server.greeting = "good evening";
  server.bind_and_activate();
  const FileDescriptor client = connect_to(server.server_address());
  CHECK(server.handle_request());
  CHECK(receive_all(client) == "good evening");
}

TEST_CASE("handle_error names the client and what was thrown") {
  const int status = in_child([] {
    int ends[2];
    check(::pipe(ends), "pipe");
    check(::dup2(ends[1], STDERR_FILENO), "dup2");
    TCPServer server(any_port(), handler_class<NotingHandler>);
    server.bind_and_activate();
    const FileDescriptor client = connect_to(server.server_address());
    send_text(client, "h");
    server.handle_request();
    char text[512];
    const ssize_t size = check(::read(ends[0], text, sizeof text), "read");
    const std::string line(text, static_cast<std::size_t>(size));
    const std::string expected = "Exception occurred during processing of request from " +
                                 Address::of_socket(client.get()).text() + ": from handle\n";
    if (line != expected) ::_exit(1);
  });
  CHECK(status == 0);
}

TEST_CASE("server_address is what the socket has got, and is IPv6 too") {
  TCPServer four(any_port(), handler_class<OnceHandler>);
  four.bind_and_activate();
  CHECK(four.server_address().port() != 0);
  CHECK(four.server_address() == Address::of_socket(four.fileno()));
  TCPServer six(Address::inet("::1", 0), handler_class<OnceHandler>);
  six.bind_and_activate();
  const Running loop(six);
  CHECK(ask(six.server_address(), "six") == "six");
}

TEST_CASE("dual stack: an IPv4 client of an IPv6 server is shown as IPv4") {
  static std::string shown;
  class Shows : public OnceHandler {
   public:
    using OnceHandler::OnceHandler;
    void setup() override { shown = client_address().host(); }
  };
  TCPServer server(Address::inet("::", 0), handler_class<Shows>);
  server.dual_stack = true;
  server.bind_and_activate();
  {
    const Running loop(server);
    CHECK(ask(Address::inet("127.0.0.1", server.server_address().port()), "four") == "four");
  }
  CHECK(shown == "127.0.0.1");
}

TEST_CASE("without dual stack an IPv6 server leaves the IPv4 port alone") {
  TCPServer six(Address::inet("::", 0), handler_class<OnceHandler>);
  six.bind_and_activate();
  TCPServer four(Address::inet("127.0.0.1", six.server_address().port()),
                 handler_class<OnceHandler>);
  CHECK_NOTHROW(four.bind_and_activate());
}

TEST_CASE("the listener: options as set, non-blocking, closed on exec") {
  TCPServer server(any_port(), handler_class<OnceHandler>);
  CHECK(server.request_queue_size == SOMAXCONN);
  server.bind_and_activate();
  int value = 0;
  socklen_t size = sizeof value;
  check(::getsockopt(server.fileno(), SOL_SOCKET, SO_REUSEADDR, &value, &size), "getsockopt");
  CHECK(value != 0);
  check(::getsockopt(server.fileno(), SOL_SOCKET, SO_REUSEPORT, &value, &size), "getsockopt");
  CHECK(value == 0);
  CHECK((::fcntl(server.fileno(), F_GETFL) & O_NONBLOCK) != 0);
  CHECK((::fcntl(server.fileno(), F_GETFD) & FD_CLOEXEC) != 0);
  const FileDescriptor client = connect_to(server.server_address());
  const std::optional<Request> request = server.get_request();
  REQUIRE(request);
  CHECK((::fcntl(request->fileno(), F_GETFD) & FD_CLOEXEC) != 0);
  CHECK_FALSE(server.get_request());  // nobody else: does not block
}

TEST_CASE("two servers on one port: only with allow_reuse_port on both") {
  TCPServer first(any_port(), handler_class<OnceHandler>);
  first.bind_and_activate();
  TCPServer second(first.server_address(), handler_class<OnceHandler>);
  CHECK_THROWS_AS(second.bind_and_activate(), std::system_error);
  TCPServer third(any_port(), handler_class<OnceHandler>);
  third.allow_reuse_port = true;
  third.bind_and_activate();
  TCPServer fourth(third.server_address(), handler_class<OnceHandler>);
  fourth.allow_reuse_port = true;
  CHECK_NOTHROW(fourth.bind_and_activate());
}

TEST_CASE("1,024 failing constructions leak no descriptor") {
  TCPServer server(any_port(), handler_class<OnceHandler>);
  server.bind_and_activate();
  const int before = open_descriptors();
  for (int i = 0; i < 1024; ++i) {
    TCPServer rival(server.server_address(), handler_class<OnceHandler>);
    CHECK_THROWS_AS(rival.bind_and_activate(), std::system_error);
    CHECK(rival.fileno() == -1);
  }
  CHECK(open_descriptors() == before);
}

TEST_CASE("bind_and_activate() can be tried again after a failure") {
  FailsOnce<TCPServer> server(any_port(), handler_class<OnceHandler>);
  bind_at_second_try(server);
  CHECK(served(server, "x") == "x");
}

TEST_CASE("the error of a failed bind names the call") {
  TCPServer server(any_port(), handler_class<OnceHandler>);
  server.bind_and_activate();
  TCPServer rival(server.server_address(), handler_class<OnceHandler>);
  try {
    rival.bind_and_activate();
    FAIL("two servers on one port");
  } catch (const std::system_error& error) {
    CHECK(error.code() == std::errc::address_in_use);
    CHECK(std::string(error.what()).starts_with("bind: "));
  }
}

TEST_CASE("shutdown wakes an idle loop that waits for ever") {
  TCPServer server(any_port(), handler_class<OnceHandler>);
  server.bind_and_activate();
  Running loop(server);
  CHECK(ask(server.server_address(), "hello") == "hello");
  loop.stop();  // would hang, and the test time out, if nothing woke the loop
}

TEST_CASE("20 servers started and shut down at once all end") {
  for (int i = 0; i < 20; ++i) {
    TCPServer server(any_port(), handler_class<OnceHandler>);
    server.bind_and_activate();
    Running loop(server);
    loop.stop();
  }
}

TEST_CASE("shutdown before the loop makes it return at once; after the loop it does no harm") {
  TCPServer server(any_port(), handler_class<OnceHandler>);
  server.bind_and_activate();
  server.shutdown();
  server.serve_forever();
  server.shutdown();  // after the loop: must not poison the next one
  server.shutdown();
  const Running loop(server);
  CHECK(ask(server.server_address(), "again") == "again");
}

TEST_CASE("shutdown on the loop's own thread does not deadlock") {
  class EndsItsServer : public OnceHandler {
   public:
    using OnceHandler::OnceHandler;
    void finish() override { server().shutdown(); }
  };
  TCPServer server(any_port(), handler_class<EndsItsServer>);
  server.bind_and_activate();
  std::thread loop([&] { server.serve_forever(); });
  CHECK(ask(server.server_address(), "last") == "last");
  loop.join();
}

TEST_CASE("no request is taken once the loop has been told to end") {
  static std::atomic<int> served;
  served = 0;
  class CountsAndEnds : public OnceHandler {
   public:
    using OnceHandler::OnceHandler;
    void setup() override { served += 1, server().shutdown(); }
  };
  TCPServer server(any_port(), handler_class<CountsAndEnds>);
  server.bind_and_activate();
  const FileDescriptor first = connect_to(server.server_address());
  const FileDescriptor second = connect_to(server.server_address());
  send_text(first, "a");
  send_text(second, "b");
  server.serve_forever();
  CHECK(served == 1);
}

TEST_CASE("server_close under a live loop ends the loop first") {
  TCPServer server(any_port(), handler_class<OnceHandler>);
  server.bind_and_activate();
  std::thread loop([&] { server.serve_forever(); });
  CHECK(ask(server.server_address(), "hello") == "hello");
  server.server_close();
  loop.join();
  CHECK(server.fileno() == -1);
  server.server_close();  // the second one does nothing
}

TEST_CASE("serve_forever on two threads is refused") {
  TCPServer server(any_port(), handler_class<OnceHandler>);
  server.bind_and_activate();
  const Running loop(server);
  CHECK(ask(server.server_address(), "running") == "running");
  CHECK_THROWS_AS(server.serve_forever(), std::logic_error);
}

TEST_CASE("a failing get_request is said once, pauses the listener, and does not spin") {
  class Fails : public TCPServer {
   public:
    using TCPServer::TCPServer;
    int failures = 0;
    std::optional<Request> get_request() override {
      if (failures < 5) {
        failures += 1;
        throw std::system_error(EMFILE, std::generic_category(), "accept");
      }
      return TCPServer::get_request();
    }
  };
  Fails server(any_port(), handler_class<OnceHandler>);
  server.bind_and_activate();
  const Clock::time_point begin = Clock::now();
  const Running loop(server);
  CHECK(ask(server.server_address(), "patience") == "patience");
  CHECK(server.failures == 5);
  // Five failures cost five pauses: fewer would be a loop that asks again at once. (poll(2) may
  // round a pause down by the part of a millisecond.)
  CHECK(Clock::now() - begin >= 5 * (BaseServer::pause_after_failure - milliseconds(1)));
}

TEST_CASE("a burst is taken in one turn, at most 64 requests, chores between them") {
  NotingServer server(any_port(), handler_class<OnceHandler>);
  server.bind_and_activate();
  std::vector<FileDescriptor> clients;
  for (int i = 0; i < 65; ++i) {
    clients.push_back(connect_to(server.server_address()));
    check(::shutdown(clients.back().get(), SHUT_WR), "shutdown");
  }
  {
    const Running loop(server);
    for (const FileDescriptor& client : clients) CHECK(receive_all(client).empty());
  }
  // After each of the 65 requests, and once for each turn that ended before the loop did.
  CHECK(server.turns >= 65);
}

TEST_CASE("watch: a readable descriptor runs service_actions on the loop's thread") {
  class Watches : public TCPServer {
   public:
    using TCPServer::TCPServer;
    int fd = -1;
    std::string seen;
    void service_actions() override {
      char buffer[16];
      const ssize_t count = ::read(fd, buffer, sizeof buffer);
      if (count > 0) seen.append(buffer, static_cast<std::size_t>(count));
      if (seen == "stop") shutdown();
    }
  };
  Watches server(any_port(), handler_class<OnceHandler>);
  server.bind_and_activate();
  int ends[2];
  check(::pipe(ends), "pipe");
  const FileDescriptor read_end(ends[0]);
  const FileDescriptor write_end(ends[1]);
  set_nonblocking(read_end.get());
  server.fd = read_end.get();
  server.watch(read_end.get());
  std::thread loop([&] { server.serve_forever(); });
  check(::write(write_end.get(), "stop", 4), "write");
  loop.join();
  CHECK(server.seen == "stop");
  server.unwatch(read_end.get());
  server.unwatch(read_end.get());  // what is not watched may be taken out too
}

TEST_CASE("handle_request: timeout and handle_timeout, without service_actions") {
  NotingServer server(any_port(), handler_class<OnceHandler>);
  server.bind_and_activate();
  journal.clear();
  server.timeout = milliseconds(20);
  const Clock::time_point begin = Clock::now();
  CHECK_FALSE(server.handle_request());
  CHECK(Clock::now() - begin >= milliseconds(20));
  CHECK(journal.lines() == Lines{"handle_timeout"});
  server.timeout = milliseconds(0);
  CHECK_FALSE(server.handle_request());
  CHECK(server.turns == 0);
}

TEST_CASE("handle_request: signals do not shorten the timeout") {
  struct sigaction ignore_it {};
  struct sigaction old {};
  ignore_it.sa_handler = [](int) {};
  check(::sigaction(SIGALRM, &ignore_it, &old), "sigaction");
  const itimerval every_5_ms{{0, 5000}, {0, 5000}};
  const itimerval off{};
  NotingServer server(any_port(), handler_class<OnceHandler>);
  server.bind_and_activate();
  server.timeout = milliseconds(60);
  check(::setitimer(ITIMER_REAL, &every_5_ms, nullptr), "setitimer");
  const Clock::time_point begin = Clock::now();
  CHECK_FALSE(server.handle_request());
  check(::setitimer(ITIMER_REAL, &off, nullptr), "setitimer");
  check(::sigaction(SIGALRM, &old, nullptr), "sigaction");
  CHECK(Clock::now() - begin >= milliseconds(60));
}

TEST_CASE("serve_forever does not look at timeout") {
  NotingServer server(any_port(), handler_class<OnceHandler>);
  server.timeout = milliseconds(0);
  server.bind_and_activate();
  journal.clear();
  {
    const Running loop(server);
    CHECK(ask(server.server_address(), "x") == "x");
  }
  for (const std::string& line : journal.lines()) CHECK(line != "handle_timeout");
}

TEST_CASE("a client that has gone before it was accepted is passed over") {
  TCPServer server(any_port(), handler_class<OnceHandler>);
  server.bind_and_activate();
  {
    const FileDescriptor gone = connect_to(server.server_address());
    const linger reset{1, 0};
    check(::setsockopt(gone.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset), "setsockopt");
  }
  const Running loop(server);
  CHECK(ask(server.server_address(), "still here") == "still here");
}

TEST_CASE("a server destroyed in the middle of nothing leaves no descriptor") {
  const int before = open_descriptors();
  {
    TCPServer server(any_port(), handler_class<OnceHandler>);
    server.bind_and_activate();
    const Running loop(server);
    CHECK(ask(server.server_address(), "x") == "x");
  }
  CHECK(open_descriptors() == before);
}

TEST_CASE("a server that is not bound says so, and does not wait for ever") {
  TCPServer server(any_port(), handler_class<OnceHandler>);
  CHECK_THROWS_AS(server.serve_forever(), std::logic_error);
  CHECK_THROWS_AS(server.handle_request(), std::logic_error);
  server.bind_and_activate();
  const Running loop(server);
  CHECK(ask(server.server_address(), "x") == "x");
}

TEST_CASE("handle_request serves after a loop that shutdown has ended") {
  TCPServer server(any_port(), handler_class<OnceHandler>);
  server.bind_and_activate();
  {
    Running loop(server);
    CHECK(ask(server.server_address(), "x") == "x");
    loop.stop();
  }
  const FileDescriptor client = connect_to(server.server_address());
  send_text(client, "y");
  CHECK(server.handle_request());
  CHECK(receive_all(client) == "y");
}

TEST_CASE(
    "handle_request without room: a watched descriptor that stays readable does not spin it") {
  class Full : public TCPServer {
   public:
    using TCPServer::TCPServer;
    int asked = 0;
    bool has_room() override {
      asked += 1;
      return false;
    }
  };
  Full server(any_port(), handler_class<OnceHandler>);
  server.bind_and_activate();
  int ends[2];
  check(::pipe(ends), "pipe");
  const FileDescriptor read_end(ends[0]);
  const FileDescriptor write_end(ends[1]);
  check(::write(write_end.get(), "!", 1), "write");
  server.watch(read_end.get());
  server.timeout = milliseconds(200);
  const Clock::time_point begin = Clock::now();
  CHECK_FALSE(server.handle_request());
  CHECK(Clock::now() - begin >= milliseconds(200));
  CHECK(server.asked < 100);  // it was 10,000 and more
}

TEST_CASE("want of memory passes: the loop waits, says so once, and goes on") {
  class Poor : public TCPServer {
   public:
    using TCPServer::TCPServer;
    std::atomic<int> failures{0};
    int error = ENOMEM;

   protected:
    bool wait(bool for_requests, std::optional<milliseconds> limit) override {
      if (failures < 3) {
        failures += 1;
        if (failures == 3 && error == ENOMEM) throw std::bad_alloc();
        const bool again = failures == 2 && error == ENOMEM;  // as some kernels call it
        throw std::system_error(again ? EAGAIN : error, std::generic_category(), "poll");
      }
      return TCPServer::wait(for_requests, limit);
    }
  };
  Poor server(any_port(), handler_class<OnceHandler>);
  server.bind_and_activate();
  {
    const Running loop(server);
    CHECK(ask(server.server_address(), "x") == "x");
  }
  CHECK(server.failures == 3);
  server.failures = 0;
  server.error = EBADF;
  CHECK_THROWS_AS(server.serve_forever(), std::system_error);
}

TEST_CASE("serve_forever with a poll_interval: service_actions has its turn while nothing comes") {
  class Counts : public TCPServer {
   public:
    using TCPServer::TCPServer;
    int turns = 0;
    void service_actions() override {
      if (++turns == 5) shutdown();
    }
  };
  Counts server(any_port(), handler_class<OnceHandler>);
  server.bind_and_activate();
  server.serve_forever(milliseconds(1));  // would wait for ever
  CHECK(server.turns == 5);
}
