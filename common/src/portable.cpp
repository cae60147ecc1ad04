#include <socketserver/portable.hpp>
#include <socketserver/system_call.hpp>

#include <cerrno>

namespace socketserver {

void set_nonblocking(int fd) {
  const int flags = check(::fcntl(fd, F_GETFL), "fcntl");
  check(::fcntl(fd, F_SETFL, flags | O_NONBLOCK), "fcntl");
}

void set_close_on_exec(int fd) {
  check(::fcntl(fd, F_SETFD, FD_CLOEXEC), "fcntl");
}

bool nobody_to_accept(int error) noexcept {
  switch (error) {
    case EAGAIN:
#if EWOULDBLOCK != EAGAIN
    case EWOULDBLOCK:
#endif
    case EINTR:
    case ECONNABORTED:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENETDOWN:
    case ENETUNREACH:
    case ENOPROTOOPT:
    case EPERM:  // a rule of the firewall
    case EPROTO:
#if defined(ENONET)
    case ENONET:
#endif
      return true;
    default:
      return false;
  }
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
