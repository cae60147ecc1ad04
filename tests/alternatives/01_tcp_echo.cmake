# Right answers to lesson 01, written differently: every step must accept them. The form of an answer:
# tests/cmake/mutants.cmake. A file of which little remains stands whole in 01_tcp_echo/.

kit_answer(
  NAME accept4-and-a-big-buffer
  SENTENCE "accept4() takes connections from a socket that never blocks; one buffer of 1 MiB serves all."
  FILE server.cpp
  REPLACE [[// A synchronous TCP server that answers in upper case, one client after the other.]]
  THROUGH [[      }
    }
  }]]
  WITH [[// Differs: one buffer of 1 MiB for all clients, MSG_WAITALL never, recv as large as it comes.

#include <sys/socket.h>
#include <socketserver/program.hpp>
#include <socketserver/system_call.hpp>
#include <socketserver/tcp_server.hpp>

#include <cerrno>
#include <vector>

using namespace socketserver;

static std::vector<char> buffer(1 << 20);

class EchoHandler : public BaseRequestHandler {
 public:
  using BaseRequestHandler::BaseRequestHandler;

  void handle() override {
    while (true) {
      ssize_t count = ::recv(request().fileno(), buffer.data(), buffer.size(), 0);
      if (count == -1 && errno == EINTR) continue;
      if (check(count, "recv") == 0) break;
      log_received(client_address(), {buffer.data(), static_cast<std::size_t>(count)});
      char* at = buffer.data();
      for (ssize_t i = 0; i < count; ++i) {
        if (at[i] >= 'a' && at[i] <= 'z') at[i] = static_cast<char>(at[i] - 'a' + 'A');
      }
      while (count > 0) {
        const ssize_t sent =
            ::send(request().fileno(), at, static_cast<std::size_t>(count), MSG_NOSIGNAL);
        if (sent == -1 && errno == EINTR) continue;
        check(sent, "send");
        at += sent;
        count -= sent;
      }
    }
  }]]
  WHOLE tcp_server.cpp)

kit_answer(
  NAME by-hand
  SENTENCE "The address is taken apart and put together by hand; descriptors are numbers."
  WHOLE tcp_server.cpp)

kit_answer(
  NAME byte-at-a-time
  SENTENCE "The server receives one byte and sends one byte."
  FILE server.cpp
  REPLACE [[// A synchronous TCP server that answers in upper case, one client after the other.]]
  THROUGH [[};]]
  WITH [[// Differs: one byte a recv, one byte a send.

#include <sys/socket.h>
#include <socketserver/program.hpp>
#include <socketserver/system_call.hpp>
#include <socketserver/tcp_server.hpp>

#include <cerrno>

using namespace socketserver;

class EchoHandler : public BaseRequestHandler {
 public:
  using BaseRequestHandler::BaseRequestHandler;

  void handle() override {
    for (char byte; receive(byte);) {
      log_received(client_address(), {&byte, 1});
      if (byte >= 'a' && byte <= 'z') byte = static_cast<char>(byte - 32);
      while (::send(request().fileno(), &byte, 1, MSG_NOSIGNAL) != 1) {
        if (errno != EINTR) return;  // the client has gone
      }
    }
  }

 private:
  bool receive(char& byte) {
    ssize_t count;
    while ((count = ::recv(request().fileno(), &byte, 1, 0)) == -1 && errno == EINTR) {
    }
    return count == 1;
  }
};]])

kit_answer(
  NAME client-that-never-blocks
  SENTENCE "The client's socket never blocks: ppoll() waits for connect(), and SO_ERROR says how it went."
  FILE client.cpp
  REPLACE [[#include <sys/socket.h>]]
  WITH [[#include <poll.h>
#include <sys/socket.h>]]
  REPLACE [[FileDescriptor connect_to(const Address& server) {
  FileDescriptor connection(
      check(::socket(server.family(), SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
  check(::connect(connection.get(), server.data(), server.size()), "connect");]]
  WITH [[namespace {

// Sleeps until `fd` is ready for `events`, or has failed: the call that follows says which.
void wait_for(int fd, short events) {
  pollfd waiting{fd, events, 0};
  int ready = 0;
  do {
    ready = ::ppoll(&waiting, 1, nullptr, nullptr);
  } while (ready == -1 && errno == EINTR);
  check(ready, "ppoll");
}

bool passes(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

}  // namespace

FileDescriptor connect_to(const Address& server) {
  FileDescriptor connection(
      check(::socket(server.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket"));
  if (::connect(connection.get(), server.data(), server.size()) == 0) return connection;
  if (errno != EINPROGRESS && errno != EINTR) throw_system_error("connect");
  wait_for(connection.get(), POLLOUT);
  int error = 0;
  socklen_t size = sizeof error;
  check(::getsockopt(connection.get(), SOL_SOCKET, SO_ERROR, &error, &size), "getsockopt");
  if (error != 0) throw_system_error("connect", error);]]
  REPLACE [[  while (!bytes.empty()) {]]
  THROUGH [[    } else if (errno != EINTR) {]]
  WITH [[  const char* next = bytes.data();
  const char* const end = next + bytes.size();
  while (next != end) {
    const ssize_t count =
        ::send(connection.get(), next, static_cast<std::size_t>(end - next), MSG_NOSIGNAL);
    if (count >= 0) {
      next += count;
    } else if (passes(errno)) {
      wait_for(connection.get(), POLLOUT);
    } else {]]
  REPLACE [[  check(::shutdown(connection.get(), SHUT_WR), "shutdown");]]
  WITH [[  if (::shutdown(connection.get(), SHUT_WR) == -1 && errno != ENOTCONN) {
    throw_system_error("shutdown");
  }]]
  REPLACE [[  char buffer[4096];
]]
  THROUGH [[    } else if (errno != EINTR) {]]
  WITH [[  for (;;) {
    char block[2048];
    const ssize_t count = ::recv(connection.get(), block, sizeof block, 0);
    if (count > 0) {
      answer += std::string_view(block, static_cast<std::size_t>(count));
    } else if (count == 0) {
      return answer;
    } else if (passes(errno)) {
      wait_for(connection.get(), POLLIN);
    } else {]])

kit_answer(
  NAME client-with-waitall
  SENTENCE "The client asks for all there is (MSG_WAITALL), into a string that doubles."
  FILE client.cpp
  REPLACE [[  FileDescriptor connection(
]]
  THROUGH [[      throw_system_error("send");
    }]]
  WITH [[  const int fd = ::socket(server.family(), SOCK_STREAM, 0);
  if (fd < 0) throw_system_error("socket");
  FileDescriptor owner(fd);
  if (::connect(fd, server.data(), server.size()) != 0) throw_system_error("connect");
  return owner;
}

// One block, or what the kernel takes of it; none if a signal came first.
static std::size_t send_some(int fd, std::string_view block) {
  const ssize_t count = ::sendto(fd, block.data(), block.size(), MSG_NOSIGNAL, nullptr, 0);
  if (count >= 0) return static_cast<std::size_t>(count);
  if (errno == EINTR) return 0;
  throw_system_error("sendto");
}

void send_all(const FileDescriptor& connection, std::string_view bytes) {
  for (std::size_t at = 0; at < bytes.size();) {
    at += send_some(connection.get(), bytes.substr(at, 1000));]]
  REPLACE [[  check(::shutdown(connection.get(), SHUT_WR), "shutdown");]]
  WITH [[  const int failed = ::shutdown(connection.get(), SHUT_WR) == -1 ? errno : 0;
  switch (failed) {
    case 0:
    case ENOTCONN:    // reset: what recv says next is the reason
    case ECONNRESET:  // the same, on other systems
      return;
    default:
      throw_system_error("shutdown", failed);
  }]]
  REPLACE [[  std::string answer;
]]
  THROUGH [[      throw_system_error("recv");
    }
  }]]
  WITH [[  // The answer is received where it stays, in a string that doubles when it is full. MSG_WAITALL
  // may return less at a signal or at the end: only 0 is the end.
  std::string answer(256, '\0');
  std::size_t size = 0;
  for (;;) {
    if (size == answer.size()) answer.resize(2 * size);
    const ssize_t count =
        ::recv(connection.get(), answer.data() + size, answer.size() - size, MSG_WAITALL);
    if (count == -1 && errno == EINTR) continue;
    if (count == -1) throw_system_error("recv");
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
  }
  answer.resize(size);
  answer.shrink_to_fit();
  return answer;]])

kit_answer(
  NAME options-from-a-table
  SENTENCE "The options stand in a table and are set in another order; getsockname() is called by hand."
  WHOLE tcp_server.cpp)

kit_answer(
  NAME poll-before-each-recv
  SENTENCE "The server waits in poll(), and receives and sends without blocking."
  FILE server.cpp
  REPLACE [[// A synchronous TCP server that answers in upper case, one client after the other.]]
  THROUGH [[};]]
  WITH [[// Differs: waits in poll, receives and sends without blocking.

#include <poll.h>
#include <sys/socket.h>
#include <socketserver/program.hpp>
#include <socketserver/system_call.hpp>
#include <socketserver/tcp_server.hpp>

#include <cerrno>
#include <string>

using namespace socketserver;

class EchoHandler : public BaseRequestHandler {
 public:
  using BaseRequestHandler::BaseRequestHandler;

  void handle() override {
    std::string buffer(8192, '\0');
    for (;;) {
      wait_for(POLLIN);
      const ssize_t count = ::recv(request().fileno(), buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (count == 0) return;
      if (count == -1) {
        if (errno == EINTR || errno == EAGAIN) continue;
        throw_system_error("recv");
      }
      std::string answer = buffer.substr(0, static_cast<std::size_t>(count));
      log_received(client_address(), answer);
      for (char& byte : answer)
        byte = 'a' <= byte && byte <= 'z' ? static_cast<char>(byte & ~0x20) : byte;
      while (!answer.empty()) {
        wait_for(POLLOUT);
        const ssize_t sent =
            ::send(request().fileno(), answer.data(), answer.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent >= 0) {
          answer.erase(0, static_cast<std::size_t>(sent));
        } else if (errno != EINTR && errno != EAGAIN) {
          throw_system_error("send");
        }
      }
    }
  }

 private:
  void wait_for(short events) {
    pollfd entry{request().fileno(), events, 0};
    while (::poll(&entry, 1, -1) == -1 && errno == EINTR) {
    }
  }
};]])

kit_answer(
  NAME read-and-write
  SENTENCE "read() and write() in place of recv() and send(); the whole process ignores SIGPIPE."
  WHOLE client.cpp
  FILE server.cpp
  REPLACE [[// A synchronous TCP server that answers in upper case, one client after the other.]]
  THROUGH [[void serve(const Options& options) {]]
  WITH [[// Differs: read and write in place of recv and send, and SIGPIPE ignored for the whole process.

#include <unistd.h>
#include <socketserver/program.hpp>
#include <socketserver/system_call.hpp>
#include <socketserver/tcp_server.hpp>

#include <cctype>
#include <cerrno>
#include <csignal>
#include <vector>

using namespace socketserver;

struct EchoHandler : BaseRequestHandler {
  using BaseRequestHandler::BaseRequestHandler;

  void handle() override {
    std::vector<unsigned char> buffer(1024);
    ssize_t count;
    while ((count = ::read(request().fileno(), buffer.data(), buffer.size())) != 0) {
      if (count < 0) {
        if (errno == EINTR) continue;
        return;
      }
      log_received(client_address(),
                   {reinterpret_cast<const char*>(buffer.data()), static_cast<std::size_t>(count)});
      for (ssize_t i = 0; i < count; ++i) {
        unsigned char& byte = buffer[static_cast<std::size_t>(i)];
        if (byte < 128) byte = static_cast<unsigned char>(std::toupper(byte));
      }
      for (ssize_t done = 0; done < count;) {
        const ssize_t written = ::write(request().fileno(), buffer.data() + done,
                                        static_cast<std::size_t>(count - done));
        if (written < 0 && errno != EINTR) return;
        if (written > 0) done += written;
      }
    }
  }
};

void serve(const Options& options) {
  std::signal(SIGPIPE, SIG_IGN);]])

kit_answer(
  NAME readv-and-writev
  SENTENCE "The server uses readv() and writev() with two buffers; SIGPIPE is ignored by the program."
  FILE server.cpp
  REPLACE [[// A synchronous TCP server that answers in upper case, one client after the other.]]
  THROUGH [[#include <cerrno>]]
  WITH [[// Differs: readv() and writev() with two buffers; SIGPIPE is ignored by the program.

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
#include <csignal>]]
  REPLACE [[    char buffer[16 * 1024];]]
  THROUGH [[      }
    }
  }]]
  WITH [[    std::array<char, 1000> front;
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
  }]]
  REPLACE [[int main(int argc, char* argv[]) {]]
  WITH [[int main(int argc, char* argv[]) {
  std::signal(SIGPIPE, SIG_IGN);  // writev has no MSG_NOSIGNAL]])

kit_answer(
  NAME recvmsg-and-sendmsg
  SENTENCE "recvmsg() fills two buffers at once, and sendmsg() sends from both."
  FILE server.cpp
  REPLACE [[// A synchronous TCP server that answers in upper case, one client after the other.]]
  THROUGH [[};]]
  WITH [[// Differs: recvmsg into two buffers at once, and sendmsg from both.

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
};]])
