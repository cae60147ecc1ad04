#include "server_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <socketserver/portable.hpp>
#include <socketserver/system_call.hpp>
#include <string_view>

#if defined(__linux__)
#include <sys/prctl.h>
#endif

#include "interrupt.hpp"
#include "placement.hpp"

namespace kit::bench {
namespace {

using Clock = std::chrono::steady_clock;
using socketserver::check;

constexpr double ready_deadline = 10;    // seconds; a starting server needs milliseconds
constexpr double end_deadline = 3;       // a thousand children have to be told and waited for
constexpr double moment_of_death = 0.5;  // a dying process loses its connections first
constexpr std::size_t kept_output = 2048;

Clock::time_point in(double seconds) {
  return Clock::now() +
         std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

// The signals end the benchmark, not the server behind its back: it gets a group of its own, so
// Ctrl-C does not reach it. Where the benchmark itself is killed, the kernel tells the server.
[[noreturn]] void become(char** words, int output, std::optional<int> processor) {
  ::setpgid(0, 0);
#if defined(__linux__)
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
#endif
  if (processor) run_on(*processor);
  ::signal(SIGPIPE, SIG_DFL);
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (nothing != -1) ::dup2(nothing, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  ::execv(words[0], words);
  const char* why = std::strerror(errno);
  for (const char* part : {"cannot start: ", why, "\n"})
    if (::write(STDERR_FILENO, part, std::strlen(part)) == -1) break;
  ::_exit(127);
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

void pause_briefly() {
  ::poll(nullptr, 0, 2);  // milliseconds
}

}  // namespace

ServerProcess::ServerProcess(const std::vector<std::string>& words, std::optional<int> processor) {
  start(words, processor);
  try {
    wait_until_ready();
  } catch (...) {
    stop();
    throw;
  }
}

ServerProcess::~ServerProcess() {
  stop();
}

void ServerProcess::start(const std::vector<std::string>& words, std::optional<int> processor) {
  int ends[2];
  check(::pipe(ends), "pipe");
  output_.reset(ends[0]);
  socketserver::FileDescriptor write_end(ends[1]);
  for (const int fd : ends) socketserver::set_close_on_exec(fd);
  socketserver::set_nonblocking(output_.get());
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  pid_ = check(::fork(), "fork");
  if (pid_ == 0) become(arguments.data(), write_end.get(), processor);
  ::setpgid(pid_, pid_);  // here too: whoever is first, the group exists before it is signalled
}

void ServerProcess::wait_until_ready() {
  const auto deadline = in(ready_deadline);
  while (!find_ready_line()) {
    stop_if_interrupted();
    if (output_ended_) throw CannotStart("it ended before it listened" + last_words());
    if (Clock::now() > deadline)
      throw CannotStart("it did not say that it listens within 10 seconds" + last_words());
    pollfd output{output_.get(), POLLIN, 0};
    ::poll(&output, 1, 50);
    read_output();
  }
}

bool ServerProcess::find_ready_line() {
  constexpr std::string_view words = "listening on ";
  std::size_t begin = 0;
  for (std::size_t end = 0; (end = printed_.find('\n', begin)) != std::string::npos;
       begin = end + 1) {
    const std::string_view line = std::string_view(printed_).substr(begin, end - begin);
    if (line.substr(0, words.size()) != words) continue;
    address_ = socketserver::Address::parse(line.substr(words.size()));
    return true;
  }
  return false;
}

std::string ServerProcess::last_words() const {
  std::string_view words = printed_;
  while (!words.empty() && words.back() == '\n') words.remove_suffix(1);
  return words.empty() ? "" : ": " + std::string(words.substr(words.rfind('\n') + 1));
}

bool ServerProcess::read_output() {
  char buffer[4096];
  for (;;) {
    const ssize_t size = ::read(output_.get(), buffer, sizeof buffer);
    if (size == 0) output_ended_ = true;
    if (size <= 0) break;
    printed_.append(buffer, static_cast<std::size_t>(size));
  }
  if (printed_.size() > 2 * kept_output) printed_.erase(0, printed_.size() - kept_output);
  return !output_ended_;
}

std::string ServerProcess::obituary() {
  if (!ended_within(moment_of_death)) return {};
  read_output();
  return "; the server itself had ended" + last_words();
}

// The server stays a zombie, so that its number, and its group's, cannot become another's.
bool ServerProcess::ended_within(double seconds) {
  const auto deadline = in(seconds);
  for (;;) {
    siginfo_t info{};
    if (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == -1 &&
        errno != EINTR)
      return true;
    if (info.si_pid == pid_) return true;
    if (Clock::now() > deadline) return false;
    read_output();
    pause_briefly();
  }
}

double ServerProcess::stop() {
  if (pid_ == -1) return 0;
  ::kill(pid_, SIGTERM);
  ended_within(end_deadline);
  ::kill(-pid_, SIGKILL);  // and whatever it left behind
  rusage used{};
  while (::wait4(pid_, nullptr, 0, &used) == -1 && errno == EINTR) continue;
  // Orphans of the group come to this process, which is a subreaper on Linux (see bench.cpp).
  while (::waitpid(-pid_, nullptr, 0) > 0) continue;
  pid_ = -1;
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

}  // namespace kit::bench
