// ForkingMixIn: what the check of lesson 05 cannot see from outside, and that threading and forking
// cannot be combined. The numbers of the behaviour are those of Python's socketserver.

#include <pthread.h>
#include <sys/wait.h>
#include <socketserver/session.hpp>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <forking_mixin.hpp>
#include <fstream>
#include <new>
#include <sstream>
#include <utility>

#include "harness/base/catch.hpp"
#include "loopback.hpp"
#include "second_try.hpp"

namespace {

// The operators below hold for all tests of this program: AddressSanitizer sees each block, by
// malloc(3), but not whether new and delete fit each other.
thread_local bool starving = false;  // what the parent needs first after a fork, it does not get
thread_local bool no_memory = false;

}  // namespace

void* operator new(std::size_t size) {
  void* const memory = std::exchange(no_memory, false) ? nullptr : std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return std::malloc(size);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

using namespace unit;
using namespace std::chrono_literals;

namespace {

class NotingForkingServer : public ForkingTCPServer {
 public:
  using ForkingTCPServer::ForkingTCPServer;
  ~NotingForkingServer() override { ForkingTCPServer::server_close(); }
  std::vector<int> statuses;
  pid_t last_ended = 0;
  void child_ended(pid_t child, int status) override {
    last_ended = child;
    statuses.push_back(status);
  }
  void handle_error(const Request&) override {}  // says nothing, in the child
};

class ThrowingOnceHandler : public BaseRequestHandler {
 public:
  using BaseRequestHandler::BaseRequestHandler;
  void handle() override { throw 1; }
};

}  // namespace

TEST_CASE("a hook that has found no memory: what stands behind it needs none to say so") {
  class Poor : public TCPServer, public Source {
   public:
    using TCPServer::TCPServer;
    bool room = false;
    static bool fail() {
      no_memory = true;
      throw std::bad_alloc();
    }
    bool has_room() override { return room || fail(); }
    std::optional<Request> get_request() override { return fail(), std::nullopt; }
    bool more(Output&) override { return fail(); }
  };
  Poor server(any_port(), handler_class<OnceHandler>);
  server.bind_and_activate();
  server.timeout = 0ms;
  CHECK_FALSE(server.handle_request());
  CHECK(std::exchange(no_memory, false));

  const FileDescriptor client = connect_to(server.server_address());
  server.room = true;
  server.timeout.reset();
  CHECK_FALSE(server.handle_request());
  CHECK(std::exchange(no_memory, false));

  Output output;
  output.write_later(server);
  CHECK(std::exchange(no_memory, false));
  CHECK(output.ended());
}

TEST_CASE("forking: server_close waits for the children, and none is active afterwards") {
  NotingForkingServer server(any_port(), handler_class<OnceHandler>);
  server.bind_and_activate();
  FileDescriptor client = connect_to(server.server_address());
  CHECK(server.handle_request());
  CHECK(server.active_children().size() == 1);
  send_text(client, "x");
  CHECK(receive_all(client) == "x");
  server.server_close();
  CHECK(server.active_children().empty());
  CHECK(server.statuses == std::vector<int>{0});
}

TEST_CASE("forking: a handler that throws, whatever it throws, ends its child with status 1") {
  NotingForkingServer server(any_port(), handler_class<ThrowingOnceHandler>);
  server.bind_and_activate();
  const FileDescriptor client = connect_to(server.server_address());
  CHECK(server.handle_request());
  CHECK(receive_all(client).empty());
  server.server_close();
  CHECK(server.statuses == std::vector<int>{1 << 8});
}

TEST_CASE("to close a server needs no memory; without any to open one, nothing is left open") {
  TCPServer server(any_port(), handler_class<OnceHandler>);
  const int before = open_descriptors();
  no_memory = true;
  CHECK_THROWS_AS(server.bind_and_activate(), std::bad_alloc);
  CHECK(open_descriptors() == before);
  server.bind_and_activate();
  no_memory = true;
  server.server_close();
  CHECK(std::exchange(no_memory, false));
  CHECK(open_descriptors() == before);
}

TEST_CASE("forking: a child that finds no memory in its parent is ended and collected") {
  static const int registered = ::pthread_atfork(
      nullptr, [] { no_memory = std::exchange(starving, false); }, nullptr);
  CHECK(registered == 0);
  NotingForkingServer server(any_port(), handler_class<OnceHandler>);
  server.bind_and_activate();
  {
    const FileDescriptor client = connect_to(server.server_address());
    starving = true;
    CHECK(server.handle_request());
    CHECK_FALSE(starving);
    CHECK_FALSE(no_memory);
    starving = no_memory = false;
    CHECK(receive_all(client).empty());
  }
  CHECK(server.active_children().empty());
  CHECK(server.statuses == std::vector<int>{SIGKILL});
  CHECK(::waitpid(server.last_ended, nullptr, WNOHANG) == -1);  // it is collected
  CHECK(served(server, "x") == "x");
}

TEST_CASE("forking: a child started before keeps its status") {
  const pid_t stranger = check(::fork(), "fork");
  if (stranger == 0) ::_exit(72);
  {
    NotingForkingServer server(any_port(), handler_class<OnceHandler>);
    server.bind_and_activate();
    for (int i = 0; i < 3; ++i) {
      const FileDescriptor client = connect_to(server.server_address());
      send_text(client, "x");
      CHECK(server.handle_request());
      CHECK(receive_all(client) == "x");
    }
  }
  int status = 0;
  CHECK(::waitpid(stranger, &status, 0) == stranger);
  CHECK(WEXITSTATUS(status) == 72);
}

TEST_CASE("forking: handle_timeout collects what has ended") {
  NotingForkingServer server(any_port(), handler_class<OnceHandler>);
  server.timeout = 20ms;
  server.bind_and_activate();
  const FileDescriptor client = connect_to(server.server_address());
  send_text(client, "x");
  CHECK(server.handle_request());
  CHECK(receive_all(client) == "x");
  while (!server.active_children().empty()) CHECK_FALSE(server.handle_request());
  CHECK(server.statuses == std::vector<int>{0});
}

TEST_CASE("forking: handle_request looks after the children every five minutes") {
  NotingForkingServer server(any_port(), handler_class<OnceHandler>);
  CHECK(server.timeout == 300s);
}

TEST_CASE("forking: at the limit handle_request waits for a child, not for ever") {
  NotingForkingServer server(any_port(), handler_class<OnceHandler>);
  server.max_children = 1;
  server.timeout = 20ms;
  server.bind_and_activate();
  const FileDescriptor first = connect_to(server.server_address());
  const FileDescriptor second = connect_to(server.server_address());
  CHECK(server.handle_request());
  CHECK_FALSE(server.handle_request());
  send_text(first, "x");
  server.timeout.reset();
  CHECK(server.handle_request());  // woken by the first one's end
  send_text(second, "y");
  CHECK(receive_all(second) == "y");
}

TEST_CASE("forking: bind_and_activate() can be tried again after a failure") {
  FailsOnce<NotingForkingServer> server(any_port(), handler_class<OnceHandler>);
  bind_at_second_try(server);
  CHECK(served(server, "x") == "x");
  server.server_close();
  CHECK(server.statuses == std::vector<int>{0});
}

TEST_CASE("forking: servers leave no descriptor behind") {
  const int before = open_descriptors();
  for (int i = 0; i < 20; ++i) {
    ForkingTCPServer server(any_port(), handler_class<OnceHandler>);
    server.bind_and_activate();
  }
  CHECK(open_descriptors() == before);
}

// ---- two ways at once do not compile -----------------------------------------------------------

namespace {

// A word that a shell takes as it is: in apostrophes, with each of its own outside of them.
std::string in_shell(const std::string& word) {
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

// What the compiler says of `code`; the compiler and its folders are those of the kit's own build.
std::string compile(const std::string& code) {
  namespace fs = std::filesystem;
  std::ifstream toolchain(fs::read_symlink("/proc/self/exe").parent_path() / "kit/toolchain.txt");
  std::string command;
  std::string line;
  while (std::getline(toolchain, line)) {
    std::istringstream fields(line);
    std::string key, first, folder;
    for (std::string* field : {&key, &first, &folder}) std::getline(fields, *field, '\t');
    if (key == "compiler") command = in_shell(first) + " -std=c++20 -fsyntax-only -x c++";
    if (key != "include" || !folder.ends_with("common/include")) continue;
    const std::string root = fs::path(folder).parent_path().parent_path().string();
    command += " -I" + in_shell(folder);
    for (const char* lesson : {"03_unix_sockets", "04_threading", "05_forking"}) {
      command += " -I" + in_shell(root + "/solutions/" + lesson);
    }
    break;
  }
  const fs::path file = fs::temp_directory_path() / ("kit-" + std::to_string(::getpid()) + ".cpp");
  std::ofstream(file) << code;
  FILE* const pipe = ::popen((command + ' ' + in_shell(file.string()) + " 2>&1").c_str(), "r");
  std::string said;
  char buffer[4096];
  while (const std::size_t count = std::fread(buffer, 1, sizeof buffer, pipe)) {
    said.append(buffer, count);
  }
  const int status = ::pclose(pipe);
  fs::remove(file);
  return status == 0 ? "compiles" : said;
}

}  // namespace

TEST_CASE("threading and forking cannot be combined, and the compiler says so in a sentence") {
  const std::string begin = "#include <threading_mixin.hpp>\n#include <forking_mixin.hpp>\n";
  const std::string sentence = "threading and forking cannot be combined";
  CHECK(compile(begin + "using namespace socketserver;\n"
                        "static_assert(sizeof(ThreadingMixIn<TCPServer>) > 0);\n"
                        "static_assert(sizeof(ForkingMixIn<UDPServer>) > 0);\n") == "compiles");
  for (const char* both :
       {"ThreadingMixIn<ForkingMixIn<TCPServer>>", "ForkingMixIn<ThreadingMixIn<TCPServer>>"}) {
    const std::string said = compile(
        begin + "using namespace socketserver;\nstatic_assert(sizeof(" + both + ") > 0);\n");
    CHECK(said.find(sentence) != said.npos);
  }
}
