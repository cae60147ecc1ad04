#include <unistd.h>
#include <socketserver/portable.hpp>
#include <socketserver/system_call.hpp>
#include <socketserver/wake_pipe.hpp>

#include <cerrno>

namespace socketserver {

WakePipe::WakePipe() {
  int ends[2];
  check(::pipe(ends), "pipe");
  read_end_.reset(ends[0]);
  write_end_.reset(ends[1]);
  for (const int fd : ends) {
    set_nonblocking(fd);
    set_close_on_exec(fd);
  }
}

void WakePipe::wake() noexcept {
  const int saved = errno;
  // A full pipe (EAGAIN) is readable, which is all that is wanted.
  [[maybe_unused]] const auto ignored = ::write(write_end_.get(), "!", 1);
  errno = saved;
}

bool WakePipe::drain() noexcept {
  char bytes[64];
  ssize_t count = ::read(read_end_.get(), bytes, sizeof bytes);
  const bool woken = count > 0;
  while (count == sizeof bytes) count = ::read(read_end_.get(), bytes, sizeof bytes);
  return woken;
}

void WakePipe::close() noexcept {
  read_end_.reset();
  write_end_.reset();
}

}  // namespace socketserver
