// Differs: recvmsg into two buffers at once, and sendmsg from both.

#include <sys/socket.h>
#include <sys/uio.h>
#include <socketserver/program.hpp>
#include <socketserver/system_call.hpp>
#include <socketserver/tcp_server.hpp>

#include <algorithm>
#include <array>
#include <cerrno>

using namespace socketserver;

class EchoHandler : public BaseRequestHandler {
 public:
  using BaseRequestHandler::BaseRequestHandler;

  void handle() override {
    while (receive()) {
      log_received(client_address(), {first_.data(), std::min(count_, first_.size())});
      for (std::size_t i = 0; i < count_; ++i) {
        char& byte = i < first_.size() ? first_[i] : second_[i - first_.size()];
        if (byte >= 'a' && byte <= 'z') byte = static_cast<char>(byte ^ 0x20);
      }
      answer();
    }
  }

 private:
  bool receive() {
    std::array<iovec, 2> parts{{{first_.data(), first_.size()}, {second_.data(), second_.size()}}};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    ssize_t count;
    do {
      count = ::recvmsg(request().fileno(), &message, 0);
    } while (count == -1 && errno == EINTR);
    count_ = static_cast<std::size_t>(check(count, "recvmsg"));
    return count_ > 0;
  }

  void answer() {
    for (std::size_t done = 0; done < count_;) {
      std::array<iovec, 2> parts{};
      std::size_t used = 0;
      const std::size_t in_first = std::min(count_, first_.size());
      if (done < in_first) parts[used++] = {first_.data() + done, in_first - done};
      const std::size_t from = std::max(done, in_first);
      if (from < count_) parts[used++] = {second_.data() + (from - first_.size()), count_ - from};
      msghdr message{};
      message.msg_iov = parts.data();
      message.msg_iovlen = used;
      const ssize_t count = ::sendmsg(request().fileno(), &message, MSG_NOSIGNAL);
      if (count == -1 && errno == EINTR) continue;
      done += static_cast<std::size_t>(check(count, "sendmsg"));
    }
  }

  std::array<char, 700> first_{};
  std::array<char, 3000> second_{};
  std::size_t count_ = 0;
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
