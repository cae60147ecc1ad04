#include <socketserver/portable.hpp>
#include <socketserver/system_call.hpp>

namespace socketserver {

void set_nonblocking(int fd) {
  const int flags = check(::fcntl(fd, F_GETFL), "fcntl");
  check(::fcntl(fd, F_SETFL, flags | O_NONBLOCK), "fcntl");
}

void set_close_on_exec(int fd) {
  check(::fcntl(fd, F_SETFD, FD_CLOEXEC), "fcntl");
}

#if defined(__APPLE__)
int accept4(int listener, sockaddr* address, socklen_t* size, int) noexcept {
  const int fd = ::accept(listener, address, size);
  if (fd == -1) return -1;
  const int on = 1;
  // All three can fail only for a descriptor that is none.
  (void)::fcntl(fd, F_SETFD, FD_CLOEXEC);
  (void)::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) & ~O_NONBLOCK);
  (void)::setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
  return fd;
}
#endif

}  // namespace socketserver
