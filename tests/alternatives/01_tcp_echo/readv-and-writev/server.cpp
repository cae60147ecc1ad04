// Differs: readv() and writev() with two buffers; SIGPIPE is ignored by the program.

// A synchronous TCP server that answers in upper case, one client after the other.
// Its partner: client.cpp. Its transport: tcp_server.cpp. See also: socket(7), tcp(7).

#include <sys/socket.h>
#include <sys/uio.h>
#include <socketserver/portable.hpp>
#include <socketserver/program.hpp>
#include <socketserver/system_call.hpp>
#include <socketserver/tcp_server.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

using namespace socketserver;

class EchoHandler : public BaseRequestHandler {
 public:
  using BaseRequestHandler::BaseRequestHandler;

  // Answers whatever has come before it waits for more, until the client's end of file.
  void handle() override {
    std::array<char, 1000> front;
    std::array<char, 15000> back;
    for (;;) {
      std::array<iovec, 2> pieces{iovec{front.data(), front.size()},
                                  iovec{back.data(), back.size()}};
      const ssize_t count = ::readv(request().fileno(), pieces.data(), 2);
      if (count == 0) return;
      if (count == -1) {
        if (errno == EINTR) continue;
        throw_system_error("readv");
      }
      const auto size = static_cast<std::size_t>(count);
      pieces[0].iov_len = std::min(size, front.size());
      pieces[1].iov_len = size - pieces[0].iov_len;

      std::string shown(front.data(), pieces[0].iov_len);
      shown.append(back.data(), pieces[1].iov_len);
      log_received(client_address(), shown);

      for (const iovec& piece : pieces) {
        char* const begin = static_cast<char*>(piece.iov_base);
        std::transform(begin, begin + piece.iov_len, begin, [](char byte) {
          return byte >= 'a' && byte <= 'z' ? static_cast<char>(byte ^ 0x20) : byte;
        });
      }
      write_all(pieces);
    }
  }

 private:
  void write_all(std::array<iovec, 2> pieces) {
    while (pieces[0].iov_len + pieces[1].iov_len > 0) {
      const ssize_t count = ::writev(request().fileno(), pieces.data(), 2);
      if (count == -1) {
        if (errno == EINTR) continue;
        throw_system_error("writev");
      }
      auto gone = static_cast<std::size_t>(count);
      for (iovec& piece : pieces) {
        const std::size_t here = std::min(gone, piece.iov_len);
        piece.iov_base = static_cast<char*>(piece.iov_base) + here;
        piece.iov_len -= here;
        gone -= here;
      }
    }
  }
};

void serve(const Options& options) {
  TCPServer server(options.address(), handler_class<EchoHandler>);
  const EndOnSignals end(server);
  start_listening(server);
  server.serve_forever();
}

int main(int argc, char* argv[]) {
  std::signal(SIGPIPE, SIG_IGN);  // writev has no MSG_NOSIGNAL
  return server_main(argc, argv, {}, serve);
}
