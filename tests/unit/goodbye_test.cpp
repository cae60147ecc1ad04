// The goodbye: a client gets the whole answer and then the end of file, however long the answer is,
// however late it reads, and whatever it goes on to send.

#include <unistd.h>
#include <forking_mixin.hpp>
#include <selector_mixin.hpp>
#include <socketserver/unix_server.hpp>
#include <stream_handler.hpp>
#include <threading_mixin.hpp>

#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>

#include "harness/base/catch.hpp"
#include "loopback.hpp"

using namespace unit;

namespace {

constexpr std::size_t line_limit = 1000;
constexpr std::size_t answer_size = 30'000;  // to each line
constexpr int few_lines = 12;                // their answers wait in the kernel's buffers
constexpr int many_lines = 400;              // theirs do not fit there

std::string answers(int lines) {
  return std::string(answer_size * static_cast<std::size_t>(lines), 'A');
}

std::string questions(int lines) {
  std::string text;
  for (int i = 0; i < lines; ++i) text += "question\n";
  return text;
}

// Answers lines until one is too long: then much of the input is still unread.
class LongHandler : public StreamRequestHandler {
 public:
  using StreamRequestHandler::StreamRequestHandler;
  void handle() override {
    while (!rfile().read_line(line_limit).empty()) wfile().write(answers(1));
  }
};

// The same in pieces.
class LongSession : public Session {
 public:
  LongSession(const Address&, BaseServer&) {}
  void received(std::string_view bytes, Output& out) override {
    for (const char byte : bytes) {
      size_ = byte == '\n' ? 0 : size_ + 1;
      if (byte == '\n') out.write(answers(1));
      if (size_ > line_limit) throw std::length_error("the line is too long");
    }
  }

 private:
  std::size_t size_ = 0;
};

template <class Server>
class QuietServer : public Server {
 public:
  using Server::Server;
  ~QuietServer() override { QuietServer::server_close(); }
  void handle_error(const Request&) override {}
};

using Selecting = QuietServer<SelectorMixIn<TCPServer>>;

template <class Server>
auto service() {
  if constexpr (std::is_same_v<Server, Selecting>) {
    return session_class<LongSession>;
  } else {
    return handler_class<LongHandler>;
  }
}

template <class Server>
void expect_whole_answers() {
  Server server(any_port(), service<Server>());
  server.bind_and_activate();
  Running running(server);
  for (const int lines : {few_lines, many_lines}) {
    const FileDescriptor client = connect_to(server.server_address());
    send_text(client, questions(lines) + std::string(30'000, 'x'));
    CHECK(receive_all(client) == answers(lines));
  }
}

}  // namespace

TEST_CASE("a line over the limit: the answers to the lines before it come whole") {
  SECTION("in turn") {
    expect_whole_answers<QuietServer<TCPServer>>();
  }
  SECTION("a thread each") {
    expect_whole_answers<QuietServer<ThreadingMixIn<TCPServer>>>();
  }
  SECTION("a process each") {
    QuietServer<ForkingMixIn<TCPServer>> server(any_port(), handler_class<LongHandler>);
    server.bind_and_activate();
    const FileDescriptor client = connect_to(server.server_address());
    send_text(client, questions(many_lines) + std::string(30'000, 'x'));
    CHECK(server.handle_request());  // in this thread: a program that forks has no other
    CHECK(receive_all(client) == answers(many_lines));
  }
  SECTION("a selector") {
    expect_whole_answers<Selecting>();
  }
}

namespace {

// Reads only when the server has closed its end, so long after its goodbye.
template <class Server>
void expect_answer_to_late_reader() {
  Server server(any_port(), service<Server>());
  server.bind_and_activate();
  Running running(server);
  const int before = open_descriptors();
  const FileDescriptor client = connect_to(server.server_address());
  send_text(client, questions(few_lines) + std::string(30'000, 'x'));
  // First the server accepts, then it closes.
  const auto wait_for = [](auto condition) {
    while (!condition()) ::poll(nullptr, 0, 5);
  };
  wait_for([&] { return open_descriptors() >= before + 2; });
  wait_for([&] { return open_descriptors() <= before + 1; });
  CHECK(receive_all(client) == answers(few_lines));
}

// Goes on to send for as long as it is let, and reads meanwhile.
template <class Server>
void expect_answer_to_talkative_client() {
  Server server(any_port(), service<Server>());
  server.bind_and_activate();
  Running running(server);
  const FileDescriptor client = connect_to(server.server_address());
  send_text(client, questions(many_lines));
  std::thread talking([&] {
    const std::string more(8 * 1024 * 1024, 'x');
    for (std::string_view rest = more; !rest.empty();) {
      const ssize_t count = ::send(client.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
      if (count == -1) return;
      rest.remove_prefix(static_cast<std::size_t>(count));
    }
  });
  CHECK(receive_all(client) == answers(many_lines));
  talking.join();
}

}  // namespace

TEST_CASE("a client that reads late gets the whole answer and the end of file") {
  SECTION("in turn") {
    expect_answer_to_late_reader<QuietServer<TCPServer>>();
  }
  SECTION("a selector") {
    expect_answer_to_late_reader<Selecting>();
  }
}

TEST_CASE("a client that goes on to send gets the whole answer and the end of file") {
  SECTION("in turn") {
    expect_answer_to_talkative_client<QuietServer<TCPServer>>();
  }
  SECTION("a thread each") {
    expect_answer_to_talkative_client<QuietServer<ThreadingMixIn<TCPServer>>>();
  }
  SECTION("a selector") {
    expect_answer_to_talkative_client<Selecting>();
  }
}

TEST_CASE("a client that sends for ever, or never ends, keeps nobody from the server for ever") {
  QuietServer<TCPServer> server(any_port(), handler_class<LongHandler>);
  server.bind_and_activate();
  Running running(server);
  const FileDescriptor silent = connect_to(server.server_address());
  send_text(silent, std::string(line_limit + 1, 'x'));
  FileDescriptor endless = connect_to(server.server_address());
  std::thread talking([&] {
    const std::string more(64 * 1024, 'x');
    while (::send(endless.get(), more.data(), more.size(), MSG_NOSIGNAL) > 0) {
    }
  });
  CHECK(ask(server.server_address(), questions(1)) == answers(1));
  talking.join();
}

TEST_CASE("a client that is turned away does not keep the loop waiting, and sees end of file") {
  class Denying : public QuietServer<TCPServer> {
   public:
    using QuietServer::QuietServer;
    bool verify_request(const Request&) override { return false; }
  };
  Denying server(any_port(), handler_class<LongHandler>);
  server.bind_and_activate();
  const FileDescriptor client = connect_to(server.server_address());
  send_text(client, "unread");
  CHECK(server.handle_request());
  CHECK(receive_all(client).empty());
}

TEST_CASE("a Unix stream's client sees the end of file, though its input was left unread") {
  const std::string path = "/tmp/kit-goodbye-" + std::to_string(::getpid());
  QuietServer<UnixStreamServer> server(Address::unix_path(path), handler_class<LongHandler>);
  server.bind_and_activate();
  Running running(server);
  const FileDescriptor client = connect_to(server.server_address());
  send_text(client, questions(few_lines) + std::string(20'000, 'x'));
  CHECK(receive_all(client) == answers(few_lines));
}
