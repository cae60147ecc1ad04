kit_answer(
  NAME bare-calls
  SENTENCE "A naive server, right as long as no call is interrupted or cut, makes its calls behind the recorder's back."
  FILE server.cpp
  REPLACE [[#include <sys/socket.h>]]
  WITH [[#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>]]
  REPLACE [[using namespace socketserver;]]
  WITH [[using namespace socketserver;

// The instruction itself: no function of any library is called.
static long bare_send(long fd, const void* bytes, std::size_t size) {
#if defined(__x86_64__)
  long result;
  register long flags asm("r10") = MSG_NOSIGNAL;
  register long to asm("r8") = 0;
  register long to_size asm("r9") = 0;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(SYS_sendto), "D"(fd), "S"(bytes), "d"(size), "r"(flags), "r"(to), "r"(to_size)
               : "rcx", "r11", "memory");
  return result;
#else
  return ::syscall(SYS_sendto, fd, bytes, size, MSG_NOSIGNAL, nullptr, 0);
#endif
}]]
  REPLACE [[    for (;;) {
      const ssize_t count = ::recv(request().fileno(), buffer, size, 0);
      if (count >= 0) return static_cast<std::size_t>(count);
      if (errno != EINTR) throw_system_error("recv");  // a signal is no error: ask again
    }]]
  WITH [[    const long count =
        ::syscall(SYS_recvfrom, request().fileno(), buffer, size, 0, nullptr, nullptr);
    if (count < 0) throw_system_error("recv");
    return static_cast<std::size_t>(count);]]
  REPLACE [[  // send() may take fewer bytes than it was given: the rest is still ours to send.
  // MSG_NOSIGNAL: a client that has gone is an error here (EPIPE), not the end of the process.]]
  WITH [[  // Whatever is not taken at once is lost.]]
  REPLACE [[    while (!bytes.empty()) {
]]
  THROUGH [[        throw_system_error("send");
      }
    }]]
  WITH [[    if (bare_send(request().fileno(), bytes.data(), bytes.size()) < 0) throw_system_error("send");]])
