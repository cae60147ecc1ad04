// SelectorMixIn: what a server on a selector is beside the conversations that lesson 07's check
// looks at: its loop, its end, its limits.

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <selector_mixin.hpp>
#include <socketserver/descriptor_limit.hpp>
#include <socketserver/select_selector.hpp>
#include <socketserver/unix_server.hpp>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "harness/base/catch.hpp"
#include "loopback.hpp"
#include "second_try.hpp"

using namespace unit;
using namespace std::chrono_literals;

namespace {

// Answers what comes; "throw" throws, "end" ends the conversation, "shutdown" the loop.
class TalkingSession : public Session {
 public:
  TalkingSession(const Address&, BaseServer& server) : server_(server) {}
  void received(std::string_view bytes, Output& out) override {
    out.write(bytes);
    if (bytes == "throw") throw std::runtime_error("from received");
    if (bytes == "end") out.end();
    if (bytes == "shutdown") server_.shutdown();
  }
  void ended(Output& out) override { out.write("bye"); }

 private:
  BaseServer& server_;
};

using Selecting = SelectorMixIn<TCPServer>;

class NotingServer : public Selecting {
 public:
  using Selecting::Selecting;
  std::atomic<int> turns{0};
  std::atomic<int> errors{0};
  std::atomic<int> refusals{0};
  std::atomic<bool> has_a_room{true};
  std::atomic<bool> denies{false};
  ~NotingServer() override { Selecting::server_close(); }
  void service_actions() override { turns += 1; }
  void handle_error(const Request&) override { errors += 1; }
  bool has_room() override {
    const bool room = has_a_room;
    if (!room) refusals += 1;
    return room;
  }
  bool verify_request(const Request&) override { return !denies; }
  void make_room() {
    has_a_room = true;
    wake();
  }
};

std::string receive_some(const FileDescriptor& connection) {
  char bytes[256];
  const ssize_t count = check(::recv(connection.get(), bytes, sizeof bytes, 0), "recv");
  return {bytes, static_cast<std::size_t>(count)};
}

}  // namespace

TEST_CASE("output: what is written comes out in order, however it is taken") {
  Output output;
  CHECK(output.empty());
  for (char& byte : output.write("hello ")) byte = static_cast<char>(byte - 'a' + 'A');
  output.write("world");
  CHECK(output.unsent().substr(0, 5) == "HELLO");
  output.sent(6);
  CHECK(output.unsent() == "world");
  output.write("!");
  CHECK(output.unsent() == "world!");
  output.sent(4);
  output.write(" again");
  CHECK(output.unsent() == "d! again");
  CHECK(output.size() == 8);
  output.sent(8);
  CHECK(output.empty());
  output.release_memory();
  CHECK_FALSE(output.ended());
  output.end();
  output.end();
  CHECK(output.ended());
}

TEST_CASE("a server on a selector: conversations, last words, and chores once a turn") {
  NotingServer server(any_port(), session_class<TalkingSession>);
  server.bind_and_activate();
  const Running loop(server);
  CHECK(ask(server.server_address(), "hello") == "hellobye");
  CHECK(ask(server.server_address(), "") == "bye");
  CHECK(ask(server.server_address(), "throw") == "throw");  // and nothing more
  CHECK(ask(server.server_address(), "end") == "end");
  CHECK(server.errors == 1);
  CHECK(server.turns > 0);
}

TEST_CASE(
    "a server on a selector: shutdown ends the loop at once, from outside and from a session") {
  for (int i = 0; i < 5; ++i) {
    NotingServer server(any_port(), session_class<TalkingSession>);
    server.bind_and_activate();
    Running loop(server);
    const FileDescriptor silent = connect_to(server.server_address());
    send_text(silent, "hello");
    CHECK(receive_some(silent) == "hello");
    loop.stop();  // would hang if it did not wake the loop
    server.server_close();
    CHECK(receive_all(silent).empty());  // a clean end of file
  }
  NotingServer server(any_port(), session_class<TalkingSession>);
  server.bind_and_activate();
  std::thread loop([&] { server.serve_forever(); });
  const FileDescriptor client = connect_to(server.server_address());
  send_text(client, "shutdown");
  CHECK(receive_some(client) == "shutdown");
  loop.join();
}

TEST_CASE("a server on a selector: server_close stops a loop that runs, and may be called twice") {
  NotingServer server(any_port(), session_class<TalkingSession>);
  server.bind_and_activate();
  const int before = open_descriptors();
  {
    const Running loop(server);
    const FileDescriptor client = connect_to(server.server_address());
    send_text(client, "x");
    CHECK(receive_some(client) == "x");
    server.server_close();
    server.server_close();
    CHECK(server.fileno() == -1);
  }
  CHECK(open_descriptors() < before);
}

TEST_CASE("a server on a selector: a client is turned away, and another waits for room") {
  NotingServer server(any_port(), session_class<TalkingSession>);
  server.bind_and_activate();
  server.denies = true;
  server.has_a_room = false;
  const Running loop(server);
  const FileDescriptor waiting = connect_to(server.server_address());
  send_text(waiting, "x");
  char byte;
  CHECK(::recv(waiting.get(), &byte, 1, MSG_DONTWAIT) == -1);
  server.make_room();
  bool over = false;  // turned away: the end, or a reset because of the byte that nobody has read
  try {
    over = receive_all(waiting).empty();
  } catch (const std::system_error&) {
    over = true;
  }
  CHECK(over);
  server.denies = false;
  CHECK(ask(server.server_address(), "y") == "ybye");
}

TEST_CASE("a server on a selector: every kind of selector, and Unix streams") {
  const std::string path = "/tmp/kit-unit-" + std::to_string(::getpid());
  SelectorMixIn<UnixStreamServer> local(Address::unix_path(path), session_class<TalkingSession>,
                                        std::make_unique<PollSelector>());
  local.bind_and_activate();
  Selecting other(any_port(), session_class<TalkingSession>, std::make_unique<SelectSelector>());
  other.bind_and_activate();
  const Running first(local);
  const Running second(other);
  CHECK(ask(local.server_address(), "a") == "abye");
  CHECK(ask(other.server_address(), "b") == "bbye");
}

TEST_CASE("a server on a selector serves in its own way alone") {
  CHECK_FALSE(Selecting::serves_in_turn);
}

TEST_CASE("the limit of descriptors is raised as far as it may be") {
  CHECK(in_child([] {
          rlimit limit{};
          check(::getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
          const rlimit small{64, limit.rlim_max};
          check(::setrlimit(RLIMIT_NOFILE, &small), "setrlimit");
          if (raise_descriptor_limit(100) < limit.rlim_max) ::_exit(1);
          const rlimit hard{64, 64};
          check(::setrlimit(RLIMIT_NOFILE, &hard), "setrlimit");
          if (::geteuid() == 0 && ::setuid(60'999) == -1) ::_exit(2);
          if (raise_descriptor_limit(100) != 64) ::_exit(3);
        }) == 0);
}

// The clients are in a process of their own: each end of a connection is a descriptor.
TEST_CASE(
    "ten thousand silent clients cost no processor time, and each is answered when it speaks") {
  const std::size_t limit = raise_descriptor_limit(10'200);
  const std::size_t clients = limit >= 10'200 ? 10'000 : limit - 200;
  Selecting server(any_port(), session_class<TalkingSession>);
  server.bind_and_activate();
  const Running loop(server);
  int all_there[2], go[2];
  check(::pipe(all_there), "pipe");
  check(::pipe(go), "pipe");
  const pid_t child = ::fork();
  REQUIRE(child != -1);
  if (child == 0) {
    char byte = '!';
    const auto talk = [&](const FileDescriptor& connection) {
      if (::send(connection.get(), "x", 1, MSG_NOSIGNAL) != 1) ::_exit(1);
      if (::recv(connection.get(), &byte, 1, MSG_WAITALL) != 1 || byte != 'x') ::_exit(2);
    };
    try {
      std::vector<FileDescriptor> connections;
      for (std::size_t i = 0; i < clients; ++i) {
        connections.push_back(connect_to(server.server_address()));
      }
      for (const FileDescriptor& connection : connections) talk(connection);
      if (::write(all_there[1], &byte, 1) != 1 || ::read(go[0], &byte, 1) != 1) ::_exit(3);
      for (const FileDescriptor& connection : connections) talk(connection);
    } catch (...) {
      ::_exit(4);
    }
    ::_exit(0);
  }
  char byte;
  REQUIRE(::read(all_there[0], &byte, 1) == 1);
  const auto processor_time = [] {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return std::chrono::seconds(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           std::chrono::microseconds(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
  };
  std::this_thread::sleep_for(50ms);  // the last answer is out, the loop goes to sleep
  const auto before = processor_time();
  std::this_thread::sleep_for(200ms);
  CHECK(processor_time() - before < 20ms);
  CHECK(::write(go[1], "!", 1) == 1);
  int status = -1;
  CHECK(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  for (const int fd : {all_there[0], all_there[1], go[0], go[1]}) ::close(fd);
}

TEST_CASE("a server on a selector: handle_request serves its client to the end") {
  Selecting server(any_port(), session_class<TalkingSession>);
  server.bind_and_activate();
  for (int i = 0; i < 3; ++i) {
    const FileDescriptor client = connect_to(server.server_address());
    send_text(client, "x");
    check(::shutdown(client.get(), SHUT_WR), "shutdown");
    CHECK(server.handle_request());
    CHECK(receive_all(client) == "xbye");
  }
  server.timeout = 1ms;
  CHECK_FALSE(server.handle_request());
}

TEST_CASE("a server on a selector: want of memory does not end handle_request") {
  class Poor : public PollSelector {
   public:
    std::span<const Ready> select(Timeout timeout) override {
      if (!std::exchange(failed_, true)) throw_system_error("poll", ENOMEM);
      return PollSelector::select(timeout);
    }

   private:
    bool failed_ = false;
  };
  Selecting server(any_port(), session_class<TalkingSession>, std::make_unique<Poor>());
  server.bind_and_activate();
  CHECK(served(server, "x") == "xbye");
}

TEST_CASE("a server on a selector: bind_and_activate() can be tried again after a failure") {
  // Registers the listener, and then what wakes the loop: one of the two cannot be had at first.
  class Poor : public PollSelector {
   public:
    explicit Poor(int fails) : left_(fails) {}
    SelectorKey register_fd(int fd, Events events, void* data) override {
      if (left_-- == 0) throw_system_error("epoll_ctl", ENOSPC);
      return PollSelector::register_fd(fd, events, data);
    }

   private:
    int left_;
  };
  for (const int before : {0, 1}) {
    Selecting server(any_port(), session_class<TalkingSession>, std::make_unique<Poor>(before));
    bind_at_second_try(server);
    CHECK(served(server, "x") == "xbye");
  }
  FailsOnce<Selecting> server(any_port(), session_class<TalkingSession>);
  bind_at_second_try(server);
  CHECK(served(server, "y") == "ybye");
}

TEST_CASE(
    "a server on a selector: what could not be bound may be tried again, and closed reopened") {
  TCPServer other(any_port(), handler_class<OnceHandler>);
  other.bind_and_activate();
  Selecting server(other.server_address(), session_class<TalkingSession>);
  CHECK_THROWS_AS(server.bind_and_activate(), std::system_error);
  other.server_close();
  for (int i = 0; i < 2; ++i) {
    server.bind_and_activate();
    Running loop(server);
    CHECK(ask(server.server_address(), "x") == "xbye");
    loop.stop();
    server.server_close();
  }
}

TEST_CASE("a server on a selector: the longest idle_timeout is for ever, and has_room may throw") {
  class Unsure : public Selecting {
   public:
    using Selecting::Selecting;
    ~Unsure() override { Selecting::server_close(); }
    bool has_room() override { throw std::runtime_error("from has_room"); }
  };
  Unsure server(any_port(), session_class<TalkingSession>);
  server.idle_timeout = std::chrono::milliseconds::max();
  server.bind_and_activate();
  const Running loop(server);
  const FileDescriptor client = connect_to(server.server_address());
  send_text(client, "x");
  CHECK(receive_some(client) == "x");
  CHECK(ask(server.server_address(), "y") == "ybye");
  send_text(client, "z");
  CHECK(receive_some(client) == "z");
}

TEST_CASE("a server on a selector: a session may close its server, and so may others meanwhile") {
  class ClosingSession : public TalkingSession {
   public:
    ClosingSession(const Address& address, BaseServer& server)
        : TalkingSession(address, server), closes_(server) {}
    void received(std::string_view bytes, Output& out) override {
      if (bytes == "close") closes_.server_close();
      TalkingSession::received(bytes, out);
    }

   private:
    BaseServer& closes_;
  };
  for (int i = 0; i < 20; ++i) {
    Selecting server(any_port(), session_class<ClosingSession>);
    server.bind_and_activate();
    std::thread loop([&server] {
      server.serve_forever();
      server.server_close();
    });
    const FileDescriptor silent = connect_to(server.server_address());
    const FileDescriptor client = connect_to(server.server_address());
    send_text(client, "x");
    CHECK(receive_some(client) == "x");
    std::thread closer([&server] { server.server_close(); });
    (void)::send(client.get(), "close", 5, MSG_NOSIGNAL);
    loop.join();
    closer.join();
    CHECK(server.fileno() == -1);
    CHECK(receive_all(silent).empty());
  }
  // The session alone: its answer still goes out.
  Selecting server(any_port(), session_class<ClosingSession>);
  server.bind_and_activate();
  std::thread loop([&server] { server.serve_forever(); });
  const FileDescriptor client = connect_to(server.server_address());
  send_text(client, "close");
  CHECK(receive_all(client) == "close");
  loop.join();
  CHECK(server.fileno() == -1);
}

TEST_CASE("a server on a selector: a listener that cannot be registered again is tried again") {
  class Poor : public PollSelector {
   public:
    int failures = 0;
    int listener = -1;
    SelectorKey register_fd(int fd, Events events, void* data) override {
      if (fd == listener && failures < 3) {
        failures += 1;
        throw std::system_error(ENOSPC, std::generic_category(), "epoll_ctl");
      }
      return PollSelector::register_fd(fd, events, data);
    }
  };
  auto poor = std::make_unique<Poor>();
  Poor& selector = *poor;
  NotingServer server(any_port(), session_class<TalkingSession>, std::move(poor));
  server.bind_and_activate();
  const Running loop(server);
  const FileDescriptor client = connect_to(server.server_address());
  send_text(client, "x");
  CHECK(receive_some(client) == "x");
  server.has_a_room = false;  // the listener is left alone, and must be registered again
  send_text(client, "y");
  CHECK(receive_some(client) == "y");
  while (server.refusals == 0) std::this_thread::yield();  // the turn after that answer …
  send_text(client, "y");
  CHECK(receive_some(client) == "y");  // … has left it alone before it answers
  selector.listener = server.fileno();
  server.make_room();
  send_text(client, "z");
  CHECK(receive_some(client) == "z");
  CHECK(ask(server.server_address(), "new") == "newbye");
  CHECK(selector.failures == 3);
}
