#include <unistd.h>
#include <socketserver/portable.hpp>
#include <socketserver/system_call.hpp>
#include <socketserver/wake_pipe.hpp>

#include <cerrno>

namespace socketserver {

static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler uses it");

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
  woken_ = true;
  errno = saved;
}

bool WakePipe::drain() noexcept {
  // wake() writes first: whoever sees its mark finds the byte, too.
  if (!woken_.exchange(false)) return false;
  char bytes[64];
  while (::read(read_end_.get(), bytes, sizeof bytes) == sizeof bytes) {
  }
  return true;
}

void WakePipe::close() noexcept {
  read_end_.reset();
  write_end_.reset();
}

}  // namespace socketserver
