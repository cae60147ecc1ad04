// A naive server that makes its calls without their names.
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <socketserver/portable.hpp>
#include <socketserver/program.hpp>
#include <socketserver/system_call.hpp>
#include <socketserver/tcp_server.hpp>

#include <cerrno>

using namespace socketserver;

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
}

class EchoHandler : public BaseRequestHandler {
 public:
  using BaseRequestHandler::BaseRequestHandler;

  // Answers whatever has come before it waits for more, until the client's end of file.
  void handle() override {
    char buffer[16 * 1024];
    while (const std::size_t count = receive(buffer, sizeof buffer)) {
      log_received(client_address(), {buffer, count});
      for (std::size_t i = 0; i < count; ++i) buffer[i] = upper(buffer[i]);
      send_all({buffer, count});
    }
  }

 private:
  // a–z of ASCII, whatever the locale says; every other byte stays as it is.
  static char upper(char byte) {
    return byte >= 'a' && byte <= 'z' ? static_cast<char>(byte - 'a' + 'A') : byte;
  }

  std::size_t receive(char* buffer, std::size_t size) {
    const long count =
        ::syscall(SYS_recvfrom, request().fileno(), buffer, size, 0, nullptr, nullptr);
    if (count < 0) throw_system_error("recv");
    return static_cast<std::size_t>(count);
  }

  // Whatever is not taken at once is lost.
  void send_all(std::string_view bytes) {
    if (bare_send(request().fileno(), bytes.data(), bytes.size()) < 0) throw_system_error("send");
  }
};

void serve(const Options& options) {
  TCPServer server(options.address(), handler_class<EchoHandler>);
  const EndOnSignals end(server);
  start_listening(server);
  server.serve_forever();
}

int main(int argc, char* argv[]) {
  return server_main(argc, argv, {}, serve);
}
