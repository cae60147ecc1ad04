// Differs: see the header.

#include "stream_handler.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <socketserver/portable.hpp>
#include <socketserver/system_call.hpp>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace socketserver {

namespace {

constexpr std::size_t first_capacity = 16 * 1024;

void wait_for(int fd, short events, int limit, const char* call) {
  for (;;) {
    pollfd waiting{fd, events, 0};
    const int ready = ::poll(&waiting, 1, limit);
    if (ready > 0) return;
    if (ready == 0) throw_system_error(call, ETIMEDOUT);
    if (errno != EINTR) throw_system_error("poll");
  }
}

void send_all(int fd, std::string_view bytes, int limit) {
  while (!bytes.empty()) {
    wait_for(fd, POLLOUT, limit, "send");
    const ssize_t count = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno != EINTR && errno != EAGAIN) {
      throw_system_error("send");
    }
  }
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
    wait_for(fd_, POLLIN, limit_, "recv");
    const ssize_t count = ::recv(fd_, &buffer_[end_], capacity_ - end_, MSG_DONTWAIT);
    if (count >= 0) {
      end_ += static_cast<std::size_t>(count);
      return count > 0;
    }
    if (errno != EINTR && errno != EAGAIN) throw_system_error("recv");
  }
}

// Moves what is left to the front; a line that fills the whole buffer gets one twice as large.
void StreamReader::make_room() {
  if (end_ < capacity_ && begin_ < end_) return;
  const std::size_t left = end_ - begin_;
  std::size_t capacity = capacity_;
  std::unique_ptr<char[]> larger;
  if (left == capacity_) {
    capacity = capacity_ == 0 ? first_capacity : 2 * capacity_;
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
  if (size_ == 0) return send_all(fd_, bytes, limit_);
  gathered_ += bytes;
  if (gathered_.size() >= size_) flush();
}

void StreamWriter::flush() {
  const std::string_view bytes = gathered_;
  struct Emptied {  // also when send throws: what has failed once is not sent again
    std::string& gathered;
    ~Emptied() { gathered.clear(); }
  } emptied{gathered_};
  send_all(fd_, bytes, limit_);
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
  const int limit = timeout ? static_cast<int>(timeout->count()) : -1;
  rfile_ = StreamReader(fd, limit);
  wfile_ = StreamWriter(fd, wbufsize, limit);
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
