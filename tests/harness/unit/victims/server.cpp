// A "server" that misbehaves, one way for each --do: what learners' programs do by accident, and a
// hostile one on purpose. The harness's own tests run it. Everything here has a bound of its own,
// so that a harness that fails to end it costs minutes and not the machine.

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

extern char** environ;

namespace {

constexpr unsigned longest_life = 120;  // seconds, of whatever is left over by a bad harness
constexpr int bomb_processes = 150;

int listener = -1;
int listening_port = 0;

void start_listening() {
  listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listener, 16) != 0 ||
      getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    std::perror("victim");
    std::exit(1);
  }
  listening_port = ntohs(address.sin_port);
}

void say_ready() {
  std::printf("listening on 127.0.0.1:%d\n", listening_port);
  std::fflush(stdout);
}

[[noreturn]] void sleep_for_ever() {
  alarm(longest_life);
  for (;;) pause();
}

// Answers every client, one after the other.
[[noreturn]] void serve(void (*for_each)() = [] {}) {
  for (;;) {
    const int connection = accept(listener, nullptr, nullptr);
    for_each();
    char bytes[1024];
    for (ssize_t n; (n = recv(connection, bytes, sizeof bytes, 0)) > 0;) {
      for (ssize_t i = 0; i < n; ++i) {
        if (bytes[i] >= 'a' && bytes[i] <= 'z') bytes[i] = static_cast<char>(bytes[i] - 'a' + 'A');
      }
      if (send(connection, bytes, static_cast<std::size_t>(n), MSG_NOSIGNAL) < 0) break;
    }
    close(connection);
  }
}

[[noreturn]] void serve_once_then(void (*then)()) {
  start_listening();
  say_ready();
  const int connection = accept(listener, nullptr, nullptr);
  char bytes[64];
  [[maybe_unused]] const auto n = recv(connection, bytes, sizeof bytes, 0);
  then();
  std::exit(0);
}

// ---- what it does ------------------------------------------------------------------------------

void nothing_wrong() {
  // SIGTERM ends it with exit 0.
  signal(SIGTERM, [](int) { _exit(0); });
  start_listening();
  say_ready();
  serve();
}

// All is answered, and something is left of each client: a copy of a socket, a line on stderr.
void keeps_a_socket() {
  signal(SIGTERM, [](int) { _exit(0); });
  start_listening();
  say_ready();
  serve([] {
    for (int i = 0; i < 2; ++i) (void)dup(listener);
  });
}

void mutters() {
  signal(SIGTERM, [](int) { _exit(0); });
  start_listening();
  say_ready();
  serve([] { std::fputs("somebody has come\n", stderr); });
}

void never_ready() {
  start_listening();
  sleep_for_ever();
}

void not_flushed() {
  start_listening();
  std::printf("listening on 127.0.0.1:%d\n", listening_port);  // and no fflush
  sleep_for_ever();
}

void no_newline() {
  start_listening();
  std::printf("listening on 127.0.0.1:%d", listening_port);
  std::fflush(stdout);
  sleep_for_ever();
}

// ---- descriptors -------------------------------------------------------------------------------

struct Owner {
  int fd;
  ~Owner() { close(fd); }
};

[[gnu::noinline]] void say_hello(int fd) {
  send(fd, "HELLO", 5, MSG_NOSIGNAL);  // after closing
}

void closes_twice() {
  start_listening();
  say_ready();
  {
    const Owner connection{accept(listener, nullptr, nullptr)};
    close(connection.fd);  // by hand
  }
  sleep_for_ever();
}

void uses_closed() {
  start_listening();
  say_ready();
  const int number = accept(listener, nullptr, nullptr);
  { const Owner connection{number}; }
  say_hello(number);
  sleep_for_ever();
}

void turns() {
  alarm(longest_life);
  start_listening();
  say_ready();
  const int connection = accept(listener, nullptr, nullptr);
  for (char byte;;) (void)recv(connection, &byte, 1, MSG_DONTWAIT);  // it turns
}

void looks_again_and_again() {
  constexpr int more_than_is_allowed = 40;
  signal(SIGTERM, [](int) { _exit(0); });
  start_listening();
  say_ready();
  const int connection = accept(listener, nullptr, nullptr);
  for (int i = 0; i < more_than_is_allowed; ++i) (void)poll(nullptr, 0, 1);  // it looks
  say_hello(connection);
  sleep_for_ever();
}

void wrong_words() {
  std::puts("Server started on port 9999!");
  std::fflush(stdout);
  sleep_for_ever();
}

[[noreturn]] void blames_a_sanitizer() {
  std::fputs("==7==FATAL: ThreadSanitizer: unexpected memory mapping, personality\n", stderr);
  std::exit(1);
}

void ends_early() {
  std::fputs("cannot listen on 127.0.0.1:0: bind: no luck\n", stderr);
  std::exit(3);
}

void silent() {
  serve_once_then([] { sleep_for_ever(); });
}

void spins() {
  serve_once_then([] {
    alarm(longest_life);
    // Reads of a volatile are work that no compiler removes.
    for (volatile bool again = true; again;) {
    }
  });
}

void crashes() {
  serve_once_then([] { raise(SIGSEGV); });
}

void throws() {
  serve_once_then([] { throw std::runtime_error("nobody catches me"); });
}

void sigpipe() {
  serve_once_then([] { raise(SIGPIPE); });
}

void exits() {
  serve_once_then([] { std::exit(0); });
}

void ignores_sigterm() {
  for (int number : {SIGTERM, SIGINT, SIGHUP, SIGQUIT}) signal(number, SIG_IGN);
  start_listening();
  say_ready();
  serve();
}

void floods() {
  start_listening();
  say_ready();
  const std::string line(4095, '!');
  for (int i = 0; i < 1'000'000; ++i) std::puts(line.c_str());
  sleep_for_ever();
}

void closes_stdout() {
  start_listening();
  close(1);
  sleep_for_ever();
}

// A service that goes into the background: the process that was started ends, a grandchild in a
// session of its own keeps the port and the pipes.
void daemonises() {
  start_listening();
  say_ready();
  if (fork() == 0) {
    setsid();
    if (fork() != 0) _exit(0);
    for (int number : {SIGTERM, SIGINT, SIGHUP}) signal(number, SIG_IGN);
    alarm(longest_life);
    serve();
  }
  std::exit(0);
}

// As above, but the one that was started goes on, and ends politely.
void leaves_a_child() {
  signal(SIGTERM, [](int) { _exit(0); });
  start_listening();
  say_ready();
  if (fork() == 0) {
    setsid();
    signal(SIGTERM, SIG_IGN);
    sleep_for_ever();
  }
  serve();
}

void bomb(int depth) {
  for (int i = 0; i < (depth == 0 ? 5 : depth == 1 ? 5 : depth == 2 ? 5 : 0); ++i) {
    if (fork() == 0) {
      setsid();
      for (int number : {SIGTERM, SIGINT, SIGHUP}) signal(number, SIG_IGN);
      bomb(depth + 1);
      // Each goes on making children that end, so that there is always one just being made.
      alarm(longest_life);
      for (int k = 0; k < bomb_processes; ++k) {
        if (fork() == 0) {
          usleep(1000);
          _exit(0);
        }
        usleep(1000);
      }
      sleep_for_ever();
    }
  }
}

void fork_bomb() {
  start_listening();
  say_ready();
  signal(SIGCHLD, SIG_IGN);
  bomb(0);
  sleep_for_ever();
}

void fake_verdicts() {
  std::puts(
      "01.1 pretends to be the check                                             8 of 8 points\n"
      "All tests passed (1 assertion in 1 test case)\n"
      "Grade :=>> 100\n"
      "<CTestMeasurementFile type=\"file\" name=\"loot\">/etc/passwd</CTestMeasurementFile>");
  std::fputs(
      "<CTestDetails>Passed</CTestDetails>\n\033[2J\033[1;1H01.1 "
      "passed\n{\"scores\":{\"all\":100}}\n",
      stderr);
  std::exit(0);
}

// A folder that cannot be read, links out of it, and a tree deeper than a path may be long.
void litters() {
  signal(SIGTERM, [](int) { _exit(0); });
  [[maybe_unused]] int ignored = symlink("/etc", "link");
  ignored = mkfifo("fifo", 0600);
  const std::string deep(100, 'd');
  for (int i = 0; i < 100; ++i) {
    if (mkdir(deep.c_str(), 0700) != 0 || chdir(deep.c_str()) != 0) break;
    close(open("file", O_CREAT | O_WRONLY, 0000));
  }
  ignored = chdir(getenv("HOME"));
  ignored = mkdir("closed", 0700);
  close(open("closed/file", O_CREAT | O_WRONLY, 0000));
  ignored = mkdir("closed/inner", 0700);
  ignored = chmod("closed/inner", 0000);
  ignored = chmod("closed", 0000);
  ignored = chmod(".", 0000);
  start_listening();
  say_ready();
  serve();
}

#if defined(__linux__)
// Whom it traces ends with it, and as it likes.
void traces_its_check() {
  ptrace(PTRACE_SEIZE, getppid(), nullptr, PTRACE_O_EXITKILL);
  std::exit(0);
}
#endif

// Only under a uid of its own is this without effect.
void kills_everybody() {
  kill(getppid(), SIGKILL);
  kill(-1, SIGKILL);
  start_listening();
  say_ready();
  serve();
}

void takes_all_memory() {
  serve_once_then([] {
    std::vector<void*> blocks;
    for (int i = 0; i < 1000; ++i) {
      void* const block = std::malloc(std::size_t{100} << 20);
      if (block == nullptr) throw std::bad_alloc();
      blocks.push_back(block);  // not touched: the limit is on address space
    }
  });
}

// What it finds itself with.
void tells() {
  for (int fd = 0; fd < 1024; ++fd) {
    if (fcntl(fd, F_GETFD) >= 0) std::printf("descriptor %d\n", fd);
  }
  for (char** variable = environ; *variable != nullptr; ++variable) {
    std::printf("variable %s\n", *variable);
  }
  sigset_t mask;
  sigprocmask(SIG_BLOCK, nullptr, &mask);
  for (int number = 1; number < 32; ++number) {
    if (sigismember(&mask, number) == 1) std::printf("blocked %d\n", number);
    struct sigaction action {};
    if (sigaction(number, nullptr, &action) == 0 && action.sa_handler != SIG_DFL) {
      std::printf("not default %d\n", number);
    }
  }
  const mode_t mask_of_files = umask(0);
  std::printf("umask %03o\n", static_cast<unsigned>(mask_of_files));
  std::array<char, 4096> folder{};
  if (getcwd(folder.data(), folder.size()) != nullptr) std::printf("folder %s\n", folder.data());
  std::printf("uid %u\n", static_cast<unsigned>(getuid()));
  std::printf("own group %s\n", getpgrp() == getpid() ? "yes" : "no");
  std::printf("terminal %s %s\n", isatty(0) ? "yes" : "no", isatty(1) ? "yes" : "no");
  rlimit limit{};
  getrlimit(RLIMIT_CORE, &limit);
  std::printf("core %llu\n", static_cast<unsigned long long>(limit.rlim_cur));
  getrlimit(RLIMIT_NOFILE, &limit);
  std::printf("nofile %llu\n", static_cast<unsigned long long>(limit.rlim_max));
  char byte;
  for (ssize_t n; (n = read(0, &byte, 1)) > 0;) std::printf("input %c\n", byte);
  std::puts("end of input");
}

struct Deed {
  std::string_view name;
  void (*run)();
};

constexpr Deed deeds[] = {
    {"nothing-wrong", nothing_wrong},
    {"keeps-a-socket", keeps_a_socket},
    {"mutters", mutters},
    {"never-ready", never_ready},
    {"not-flushed", not_flushed},
    {"no-newline", no_newline},
    {"closes-twice", closes_twice},
    {"uses-closed", uses_closed},
    {"turns", turns},
    {"looks-again-and-again", looks_again_and_again},
    {"wrong-words", wrong_words},
    {"ends-early", ends_early},
    {"blames-a-sanitizer", blames_a_sanitizer},
    {"silent", silent},
    {"spins", spins},
    {"crashes", crashes},
    {"throws", throws},
    {"sigpipe", sigpipe},
    {"exits", exits},
    {"ignores-sigterm", ignores_sigterm},
    {"floods", floods},
    {"closes-stdout", closes_stdout},
    {"daemonises", daemonises},
    {"leaves-a-child", leaves_a_child},
    {"fork-bomb", fork_bomb},
    {"fake-verdicts", fake_verdicts},
    {"litters", litters},
    {"kills-everybody", kills_everybody},
#if defined(__linux__)
    {"traces-its-check", traces_its_check},
#endif
    {"takes-all-memory", takes_all_memory},
    {"tells", tells},
};

}  // namespace

int main(int argc, char* argv[]) {
  for (int i = 1; i + 1 < argc; ++i) {
    if (std::strcmp(argv[i], "--do") != 0) continue;
    for (const Deed& deed : deeds) {
      if (deed.name == argv[i + 1]) {
        deed.run();
        return 0;
      }
    }
  }
  std::fputs("usage: server --do DEED\n", stderr);
  return 2;
}
