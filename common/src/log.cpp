#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include <socketserver/log.hpp>

#include <cerrno>
#include <csignal>
#include <exception>
#include <initializer_list>

#include "log_failure.hpp"

namespace socketserver {
namespace {

// Whether this thread is writing a line. SIGPIPE and SIGXFSZ come to the thread that has caused
// them.
thread_local volatile std::sig_atomic_t writing = 0;

extern "C" void on_vain_write(int number) {
  if (writing) return;
  std::signal(number, SIG_DFL);
  std::raise(number);
}

[[maybe_unused]] bool is_regular_file(int fd) {
  struct stat file {};
  return ::fstat(fd, &file) == 0 && S_ISREG(file.st_mode);
}

// Asks first whether there is room. Where several processes write to one pipe another may be
// faster: then this waits after all.
void write_if_ready(int fd, const char* bytes, std::size_t size) {
  pollfd room{fd, POLLOUT, 0};
  if (::poll(&room, 1, 0) != 1 || (room.revents & POLLOUT) == 0) return;
  [[maybe_unused]] const auto ignored = ::write(fd, bytes, size);
}

// O_NONBLOCK would be simpler, but it would hold for every process that has this stdout, too.
void write_without_waiting(int fd, char* bytes, std::size_t size) {
#if defined(RWF_NOWAIT)
  const iovec piece{bytes, size};
  if (::pwritev2(fd, &piece, 1, -1, RWF_NOWAIT) != -1) return;
  const bool full = errno == EAGAIN && !is_regular_file(fd);
  if (full || errno == EPIPE) return;
#endif
  write_if_ready(fd, bytes, size);
}

void write_line(int fd, std::initializer_list<std::string_view> pieces) noexcept {
  const int saved = errno;
  char bytes[PIPE_BUF];
  std::size_t size = 0;
  for (const std::string_view piece : pieces) {
    size += piece.copy(bytes + size, sizeof bytes - 1 - size);
  }
  bytes[size] = '\n';
  const auto outer = writing;  // a signal handler may write between two of our steps
  writing = 1;
  write_without_waiting(fd, bytes, size + 1);
  writing = outer;
  errno = saved;
}

}  // namespace

void log_line(std::string_view line) noexcept {
  write_line(STDOUT_FILENO, {line});
}

void log_error(std::string_view line) noexcept {
  write_line(STDERR_FILENO, {line});
}

void log_failure(std::string_view what, std::string_view why) noexcept {
  write_line(STDERR_FILENO, {what, ": ", why});
}

const char* current_exception_text() noexcept {
  try {
    throw;
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "something that is no std::exception";
  }
}

void occupy_standard_descriptors() noexcept {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(fd, F_GETFD) != -1) continue;
    // The lowest free number is taken, which is this one. The wrong way round on purpose: a client
    // that cannot say what it has received shall notice.
    (void)::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

void survive_readers_of_the_log() noexcept {
  for (const int number : {SIGPIPE, SIGXFSZ}) {
    struct sigaction present {};
    (void)::sigaction(number, nullptr, &present);
    if ((present.sa_flags & SA_SIGINFO) || present.sa_handler != SIG_DFL) continue;  // not ours
    struct sigaction action {};
    action.sa_handler = on_vain_write;
    sigemptyset(&action.sa_mask);
    (void)::sigaction(number, &action, nullptr);
  }
}

}  // namespace socketserver
