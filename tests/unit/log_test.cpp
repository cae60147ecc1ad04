// The log of a server: whoever reads it may stop reading, or leave, and no client notices.

#include <limits.h>
#include <sys/resource.h>
#include <socketserver/log.hpp>

#include <csignal>
#include <cstdio>
#include <forking_mixin.hpp>
#include <stdexcept>
#include <threading_mixin.hpp>

#include "harness/base/catch.hpp"
#include "server_program.hpp"

using namespace unit;

namespace {

// Says what it has received, once on stdout and once on stderr, before it answers.
class TalkativeHandler : public OnceHandler {
 public:
  using OnceHandler::OnceHandler;
  void setup() override {
    log_received(client_address(), "hello");
    try {
      throw std::runtime_error("hello");
    } catch (...) {
      server().handle_error(request());
    }
  }
};

bool fills_log = false;  // whether a server under test fills the log before it serves

template <class Server>
void serve(const Options& options) {
  Server server(options.address(), handler_class<TalkativeHandler>);
  const EndOnSignals end(server);
  start_listening(server);
  for (int i = 0; fills_log && i < 100'000; ++i) log_line("nobody reads this");
  tell_address(server);
  server.serve_forever();
  server.server_close();
}

void check_answers(Program& program) {
  for (int i = 0; i < 20; ++i) CHECK(ask(program.address(), "x") == "x");
  CHECK(program.end() == 0);
}

template <class Server>
void check_log() {
  {
    Pipe log;
    fills_log = false;
    Program program(serve<Server>, {}, [&] {
      check(::dup2(log.write_end.get(), STDOUT_FILENO), "dup2");
      check(::dup2(log.write_end.get(), STDERR_FILENO), "dup2");
      log.read_end.reset();
      log.write_end.reset();
    });
    log.read_end.reset();  // the reader has left
    check_answers(program);
  }
  {
    Pipe log;
    fills_log = true;
    Program program(serve<Server>, {}, [&] {
      check(::dup2(log.write_end.get(), STDOUT_FILENO), "dup2");
      check(::dup2(log.write_end.get(), STDERR_FILENO), "dup2");
    });
    check_answers(program);  // the reader sleeps
  }
  fills_log = false;
  for (const char* file : {"/dev/full", "/dev/null"}) {
    Program program(serve<Server>, {}, [&] {
      const int full = check(::open(file, O_WRONLY), "open");
      check(::dup2(full, STDOUT_FILENO), "dup2");
      check(::dup2(full, STDERR_FILENO), "dup2");
    });
    check_answers(program);
  }
  {
    (void)std::fflush(stdout);  // a child has a copy of what waits there, and would write it
    Program program(serve<Server>, {}, [&] {
      char name[] = "/tmp/kit-unit-log-XXXXXX";
      const int file = check(::mkstemp(name), "mkstemp");
      ::unlink(name);
      check(::dup2(file, STDOUT_FILENO), "dup2");
      check(::dup2(file, STDERR_FILENO), "dup2");
      const rlimit ten_bytes{10, 10};  // setrlimit(2), RLIMIT_FSIZE: SIGXFSZ
      check(::setrlimit(RLIMIT_FSIZE, &ten_bytes), "setrlimit");
    });
    check_answers(program);
  }
  for (const int closed : {0, 1, 2, 3}) {  // 3: all of them
    Program program(serve<Server>, {}, [&] {
      const int null = check(::open("/dev/null", O_RDWR), "open");
      for (int fd = 0; fd < 3; ++fd) {
        closed == 3 || fd == closed ? ::close(fd) : ::dup2(null, fd);
      }
      ::close(null);
    });
    CHECK(program.listener() > STDERR_FILENO);
    check_answers(program);
  }
}

}  // namespace

TEST_CASE("a log that nobody reads, that is full or that is closed: every client is answered") {
  SECTION("one after the other") {
    check_log<TCPServer>();
  }
  SECTION("with threads") {
    check_log<ThreadingTCPServer>();
  }
  SECTION("with forks") {
    check_log<ForkingTCPServer>();
  }
}

TEST_CASE("the log: a line is one piece, and goes to a file, a pipe and a socket") {
  const Pipe log;
  int pair[2];
  check(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "socketpair");
  const FileDescriptor near_end(pair[0]), far_end(pair[1]);
  char name[] = "/tmp/kit-unit-log-XXXXXX";
  const FileDescriptor file(check(::mkstemp(name), "mkstemp"));
  ::unlink(name);
  CHECK(in_child([&] {
          for (const int fd : {log.write_end.get(), near_end.get(), file.get()}) {
            check(::dup2(fd, STDOUT_FILENO), "dup2");
            log_line("first");
            log_line(std::string(10'000, 'x'));
          }
        }) == 0);
  check(::lseek(file.get(), 0, SEEK_SET), "lseek");
  for (const int fd : {log.read_end.get(), far_end.get(), file.get()}) {
    std::string text(20'000, '\0');
    text.resize(static_cast<std::size_t>(check(::read(fd, text.data(), text.size()), "read")));
    CHECK(text.starts_with("first\nxxx"));
    CHECK(text.ends_with("x\n"));
    CHECK(text.size() == 6 + PIPE_BUF);
  }
}

TEST_CASE("a send without MSG_NOSIGNAL to a client that has gone still ends the process") {
  const int status = in_child([] {
    survive_readers_of_the_log();
    log_error("");
    Pipe gone;
    gone.read_end.reset();
    (void)::write(gone.write_end.get(), "x", 1);
  });
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGPIPE);
}

TEST_CASE("a client without stdout says so, and sends nothing to the server that is not for it") {
  static int connection;
  const int status = in_child([] {
    TCPServer server(any_port(), handler_class<OnceHandler>);
    for (const int fd : {0, 1}) ::close(fd);
    char name[] = "client", word[] = "hello";
    char* arguments[]{name, word, nullptr};
    const int result = client_main(2, arguments, {}, "WORD...", [](const Options&) {
      const FileDescriptor socket(check(::socket(AF_INET, SOCK_STREAM, 0), "socket"));
      connection = socket.get();
      print_exchange("hello\n", "HELLO\n");
    });
    if (connection <= STDERR_FILENO) ::_exit(98);
    ::_exit(result);
  });
  CHECK(WEXITSTATUS(status) == 1);
}
