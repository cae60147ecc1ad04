// StreamRequestHandler: a connection as a file to read lines from and a file to write to.
// The contract: stream_handler.hpp. Used by: server.cpp.

#include "stream_handler.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <socketserver/connection.hpp>
#include <socketserver/portable.hpp>
#include <socketserver/system_call.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace socketserver {

namespace {

// A blocking socket says EAGAIN when its SO_RCVTIMEO or SO_SNDTIMEO is over. socket(7)
[[noreturn]] void throw_stream_error(const char* call) {
  throw_system_error(call, errno == EAGAIN ? ETIMEDOUT : errno);
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
  for (;;) {
    const bool whole = has_line();
    const std::size_t size = whole ? searched_ + 1 - begin_ : end_ - begin_;
    if (size > limit)
      throw std::length_error("the line is longer than " + std::to_string(limit) + " bytes");
    if (whole || !fill()) return take(size);
  }
}

std::string_view StreamReader::read(std::size_t size) {
  while (end_ - begin_ < size && fill()) {
  }
  return take(std::min(size, end_ - begin_));
}

// Looks at each byte once, however often it is asked: searched_ stops at the newline.
bool StreamReader::has_line() noexcept {
  if (searched_ < end_) {
    const void* const newline = std::memchr(&buffer_[searched_], '\n', end_ - searched_);
    searched_ =
        newline ? static_cast<std::size_t>(static_cast<const char*>(newline) - &buffer_[0]) : end_;
  }
  return searched_ < end_;
}

std::string_view StreamReader::take(std::size_t size) noexcept {
  const std::string_view taken(buffer_.get() + begin_, size);
  begin_ += size;
  searched_ = begin_;
  return taken;
}

// Waits for more bytes; says whether any came before end of file.
bool StreamReader::fill() {
  make_room();
  for (;;) {
    const ssize_t count = ::recv(fd_, &buffer_[end_], capacity_ - end_, 0);
    if (count >= 0) {
      end_ += static_cast<std::size_t>(count);
      at_end_ = count == 0;
      return count > 0;
    }
    if (errno != EINTR) throw_stream_error("recv");
  }
}

// Moves what is left to the front; a line that fills the whole buffer gets one twice as large.
void StreamReader::make_room() {
  if (end_ < capacity_ && begin_ < end_) return;
  const std::size_t left = end_ - begin_;
  std::size_t capacity = capacity_;
  std::unique_ptr<char[]> larger;
  if (left == capacity_) {
    capacity = capacity_ == 0 ? first_capacity_ : 2 * capacity_;
    larger.reset(new char[capacity]);  // not zeroed: recv fills it. Nothing has changed if it fails
  }
  if (left > 0) std::memmove(larger ? larger.get() : buffer_.get(), &buffer_[begin_], left);
  if (larger) buffer_ = std::move(larger);
  capacity_ = capacity;
  searched_ -= begin_;
  begin_ = 0;
  end_ = left;
}

// ---- writing -----------------------------------------------------------------------------------

void StreamWriter::write(std::string_view bytes) {
  if (closed_) throw std::logic_error("write: wfile is closed");
  if (size_ == 0) return send_all(fd_, bytes);
  gathered_ += bytes;
  if (gathered_.size() >= size_) flush();
}

void StreamWriter::flush() {
  const std::string_view bytes = gathered_;
  struct Emptied {  // also when send throws: what has failed once is not sent again
    std::string& gathered;
    ~Emptied() { gathered.clear(); }
  } emptied{gathered_};
  send_all(fd_, bytes);
}

void StreamWriter::close() {
  if (closed_) return;
  closed_ = true;
  flush();
}

// ---- the handler -------------------------------------------------------------------------------

StreamRequestHandler::StreamRequestHandler(Request& request, BaseServer& server) noexcept
    : BaseRequestHandler(request, server), rfile_(request.fileno()), wfile_(request.fileno(), 0) {}

void StreamRequestHandler::setup() {
  const int fd = request().fileno();
  rfile_ = StreamReader(fd, rbufsize);
  wfile_ = StreamWriter(fd, wbufsize);
  if (timeout) limit_waiting(fd, *timeout);
  const sa_family_t family = client_address().family();
  if (disable_nagle_algorithm && (family == AF_INET || family == AF_INET6)) {
    const int on = 1;
    check(::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "setsockopt");
  }
}

void StreamRequestHandler::finish() {
  if (rfile_.at_end()) request().note_end();  // the goodbye has nothing to read away
  try {
    wfile_.close();
  } catch (const std::system_error&) {
    // The client has gone, and with it the one who would have missed the rest.
  }
}

}  // namespace socketserver
