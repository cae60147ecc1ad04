// Differs: see the header; read() of at most 1000 bytes, sendmsg() for the way back.

#include "stream_handler.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>
#include <socketserver/portable.hpp>
#include <socketserver/system_call.hpp>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace socketserver {

namespace {

// A blocking socket says EAGAIN when its SO_RCVTIMEO or SO_SNDTIMEO is over. socket(7)
[[noreturn]] void throw_stream_error(const char* call) {
  throw_system_error(call, errno == EAGAIN ? ETIMEDOUT : errno);
}

void send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    const ssize_t count = ::sendmsg(fd, &message, MSG_NOSIGNAL);
    if (count >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      throw_stream_error("send");
    }
  }
}

void limit_waiting(int fd, std::chrono::milliseconds time) {
  timeval limit{};
  limit.tv_sec = static_cast<time_t>(time.count() / 1000);
  limit.tv_usec = static_cast<suseconds_t>(time.count() % 1000 * 1000);
  if (time.count() <= 0) limit = {0, 1};  // nothing at all would be no limit. socket(7)
  check(::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), "setsockopt");
  check(::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit), "setsockopt");
}

}  // namespace

// ---- reading -----------------------------------------------------------------------------------

std::string_view StreamReader::read_line(std::size_t limit) {
  std::size_t newline;
  while ((newline = come_.find('\n')) == std::string::npos && come_.size() <= limit) {
    char buffer[1000];
    const ssize_t count = ::read(fd_, buffer, sizeof buffer);
    if (count == -1 && errno == EINTR) continue;
    if (count == -1) throw_stream_error("read");
    if (count == 0) break;
    come_.append(buffer, static_cast<std::size_t>(count));
  }
  const std::size_t size = newline == std::string::npos ? come_.size() : newline + 1;
  if (size > limit) throw std::length_error("the line is too long");
  line_ = come_.substr(0, size);
  come_.erase(0, size);
  return line_;
}

bool StreamReader::has_line() noexcept {
  return come_.find('\n') != std::string::npos;
}

// ---- writing -----------------------------------------------------------------------------------

void StreamWriter::write(std::string_view bytes) {
  if (closed_) throw std::logic_error("write: wfile is closed");
  parts_.emplace_back(bytes);
  gathered_ += bytes.size();
  if (gathered_ >= size_) flush();
}

void StreamWriter::flush() {
  std::string all;
  for (const std::string& part : std::exchange(parts_, {})) all += part;
  gathered_ = 0;
  send_all(fd_, all);
}

void StreamWriter::close() {
  if (!closed_) flush();
  closed_ = true;
}

// ---- the handler -------------------------------------------------------------------------------

StreamRequestHandler::StreamRequestHandler(Request& request, BaseServer& server) noexcept
    : BaseRequestHandler(request, server), rfile_(request.fileno()), wfile_(request.fileno(), 0) {}

void StreamRequestHandler::setup() {
  const int fd = request().fileno();
  wfile_ = StreamWriter(fd, wbufsize);
  if (timeout) limit_waiting(fd, *timeout);
  const sa_family_t family = client_address().family();
  if (disable_nagle_algorithm && (family == AF_INET || family == AF_INET6)) {
    const int on = 1;
    check(::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "setsockopt");
  }
}

void StreamRequestHandler::finish() {
  try {
    wfile_.close();
  } catch (const std::system_error&) {
    // The client has gone, and with it the one who would have missed the rest.
  }
}

}  // namespace socketserver
