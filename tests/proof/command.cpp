#include "command.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>

#include "harness/base/descriptor.hpp"

#ifdef __linux__
#include <sys/prctl.h>
#endif

namespace kit {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t most_output = 256 * 1024;
/// poll(2) does not see a child's end: once its output is closed, it is looked for this often.
constexpr milliseconds look_again{5};

std::atomic<int> signal_seen{0};
/// Readable for ever once a signal has come: every thread that waits looks at it.
int wake_pipe[2] = {-1, -1};

extern "C" void note_signal(int number) {
  const int saved = errno;
  signal_seen.store(number);
  // A full pipe wakes as well.
  [[maybe_unused]] const auto written = ::write(wake_pipe[1], "", 1);
  errno = saved;
}

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> result;
  result.reserve(strings.size() + 1);
  for (const std::string& string : strings) result.push_back(const_cast<char*>(string.c_str()));
  result.push_back(nullptr);
  return result;
}

/// What the child does between fork and exec: only what is safe where other threads held locks.
[[noreturn]] void become(char* const* arguments, char* const* environment, const char* folder,
                         int output, pid_t parent) {
  ::setpgid(0, 0);
#ifdef __linux__
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(127);
#else
  (void)parent;
#endif
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const int nothing = ::open("/dev/null", O_RDONLY);
  if (nothing < 0 || ::dup2(nothing, STDIN_FILENO) < 0 || ::dup2(output, STDOUT_FILENO) < 0 ||
      ::dup2(output, STDERR_FILENO) < 0 || ::chdir(folder) != 0) {
    ::_exit(127);
  }
  ::execve(arguments[0], arguments, environment);
  ::_exit(127);
}

/// One running command, and how it is brought to its end.
class Running {
 public:
  Running(pid_t pid, int output, const Command& command)
      : pid_(pid),
        output_(output),
        command_(command),
        deadline_(Clock::now() + command.time_limit) {}

  Outcome wait() {
    const auto start = Clock::now();
    while (!ended()) {
      look_at_time();
      wait_for_something();
    }
    outcome_.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    return std::move(outcome_);
  }

 private:
  /// Whether the command has ended; takes its exit status.
  bool ended() {
    siginfo_t info = {};
    if (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
        info.si_pid != pid_) {
      return false;
    }
    // What it started and left goes too: before it is reaped, so that the number is still its own.
    ::kill(-pid_, SIGKILL);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    if (output_ >= 0) read_output();
    if (!stopped_as_) {
      outcome_.end = WIFSIGNALED(status) ? Outcome::End::killed : Outcome::End::exited;
    } else {
      outcome_.end = *stopped_as_;
    }
    outcome_.code = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
    return true;
  }

  void look_at_time() {
    const auto now = Clock::now();
    if (!stopped_as_ && (interrupted() != 0 || now >= deadline_)) {
      stopped_as_ = interrupted() != 0 ? Outcome::End::interrupted : Outcome::End::timed_out;
      if (command_.grace.count() > 0) ::kill(pid_, SIGTERM);
      deadline_ = now + command_.grace;
    }
    if (stopped_as_ && now >= deadline_) {
      ::kill(-pid_, SIGKILL);
      ::kill(pid_, SIGKILL);
      deadline_ = Clock::time_point::max();
    }
  }

  void wait_for_something() {
    auto timeout = milliseconds{1000};
    if (deadline_ != Clock::time_point::max()) {
      timeout = std::min(timeout, std::chrono::ceil<milliseconds>(deadline_ - Clock::now()));
    }
    if (output_ < 0 || deadline_ == Clock::time_point::max()) timeout = look_again;
    pollfd watched[2] = {{output_, POLLIN, 0}, {stopped_as_ ? -1 : wake_pipe[0], POLLIN, 0}};
    ::poll(watched, 2, static_cast<int>(std::max(timeout.count(), milliseconds::rep{0})));
    if (watched[0].revents != 0) read_output();
  }

  /// Takes what is there (the pipe does not block) and drops what is over the limit.
  void read_output() {
    char buffer[16384];
    for (;;) {
      const ssize_t n = ::read(output_, buffer, sizeof buffer);
      if (n > 0) {
        if (command_.heard) command_.heard({buffer, static_cast<std::size_t>(n)});
        const std::size_t room = most_output - outcome_.output.size();
        outcome_.output.append(buffer, std::min(room, static_cast<std::size_t>(n)));
        continue;
      }
      if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
      output_ = -1;
      return;
    }
  }

  pid_t pid_;
  int output_;
  const Command& command_;
  Clock::time_point deadline_;
  std::optional<Outcome::End> stopped_as_;
  Outcome outcome_;
};

}  // namespace

Outcome run_command(const Command& command) {
  if (interrupted() != 0) return {Outcome::End::interrupted, 0, {}, 0};
  auto alone = no_child_meanwhile();
  int ends[2];
  if (::pipe(ends) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  Descriptor reading(ends[0]);
  Descriptor writing(ends[1]);
  ::fcntl(reading.get(), F_SETFD, FD_CLOEXEC);
  ::fcntl(writing.get(), F_SETFD, FD_CLOEXEC);
  ::fcntl(reading.get(), F_SETFL, O_NONBLOCK);

  auto arguments = pointers(command.arguments);
  auto environment = pointers(command.environment);
  const std::string folder = command.folder.empty() ? "." : command.folder.string();
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (pid == 0) {
    become(arguments.data(), environment.data(), folder.c_str(), writing.get(), parent);
  }
  alone.unlock();
  ::setpgid(pid, pid);  // here too: whichever comes first
  writing.close();
  return Running(pid, reading.get(), command).wait();
}

std::unique_lock<std::mutex> no_child_meanwhile() {
  static std::mutex mutex;
  return std::unique_lock(mutex);
}

void end_commands_on_signals() {
  if (::pipe(wake_pipe) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  for (const int fd : wake_pipe) {
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    ::fcntl(fd, F_SETFL, O_NONBLOCK);
  }
  struct sigaction action = {};
  action.sa_handler = note_signal;
  sigemptyset(&action.sa_mask);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) ::sigaction(number, &action, nullptr);
#ifdef __linux__
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
#endif
}

int interrupted() {
  return signal_seen.load();
}

int end_what_is_left() {
  int count = 0;
  for (;;) {
    int status = 0;
    const pid_t pid = ::waitpid(-1, &status, WNOHANG);
    if (pid > 0) continue;  // a zombie that somebody left: harmless
    if (pid < 0) return count;
#ifdef __linux__
    // The children of this process, by the kernel's own list; each kill may hand us grandchildren.
    const std::string list = "/proc/self/task/" + std::to_string(::getpid()) + "/children";
    FILE* file = std::fopen(list.c_str(), "r");
    if (file == nullptr) return count;
    long child = 0;
    while (std::fscanf(file, "%ld", &child) == 1) {
      ::kill(static_cast<pid_t>(child), SIGKILL);
      ++count;
    }
    std::fclose(file);
    ::waitpid(-1, &status, 0);
#else
    return count;
#endif
  }
}

void in_parallel(std::size_t count, unsigned jobs, const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next{0};
  std::mutex failed;
  std::exception_ptr failure;
  const auto take = [&] {
    for (;;) {
      const std::size_t i = next.fetch_add(1);
      if (i >= count || interrupted() != 0) return;
      try {
        work(i);
      } catch (...) {
        const std::scoped_lock lock(failed);
        if (!failure) failure = std::current_exception();
      }
    }
  };
  const std::size_t threads = std::min<std::size_t>(std::max(jobs, 1u), count);
  std::vector<std::thread> team;
  for (std::size_t i = 1; i < threads; ++i) team.emplace_back(take);
  take();
  for (std::thread& thread : team) thread.join();
  if (failure) std::rethrow_exception(failure);
}

std::vector<std::string> plain_environment() {
  std::vector<std::string> result{"LC_ALL=C"};
  for (const char* name : {"PATH", "TMPDIR", "HOME"}) {
    if (const char* value = std::getenv(name)) result.push_back(std::string(name) + "=" + value);
  }
  return result;
}

}  // namespace kit
