// Differs: the reader keeps the places of the newlines that have come, and a copy of the line.

// StreamRequestHandler: a connection as a file to read lines from and a file to write to.
// The contract: stream_handler.hpp. Used by: server.cpp.

#include "stream_handler.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <socketserver/connection.hpp>
#include <socketserver/portable.hpp>
#include <socketserver/system_call.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace socketserver {

// ---- reading -----------------------------------------------------------------------------------

std::string_view StreamReader::read_line(std::size_t limit) {
  while (ends_.empty()) {
    const std::size_t begun = kept_.size() - taken_;
    if (begun > limit) throw std::length_error("the line is too long: no newline so far");
    if (at_end_) {
      line_.assign(kept_, taken_);
      kept_.clear();
      taken_ = 0;
      return line_;
    }
    kept_.erase(0, std::exchange(taken_, 0));
    const std::size_t before = kept_.size();
    kept_.resize(before + std::clamp<std::size_t>(limit, 1, 65536));
    ssize_t count;
    do {
      count = ::recv(fd_, kept_.data() + before, kept_.size() - before, 0);
    } while (count == -1 && errno == EINTR);
    const int error = errno;
    kept_.resize(before + (count > 0 ? static_cast<std::size_t>(count) : 0));
    if (count == -1) throw_system_error("recv", error == EAGAIN ? ETIMEDOUT : error);
    at_end_ = count == 0;
    for (std::size_t i = before; i < kept_.size(); ++i) {
      if (kept_[i] == '\n') ends_.push_back(i + 1);
    }
  }
  const std::size_t size = ends_.front() - taken_;
  if (size > limit) throw std::length_error("the line is too long: " + std::to_string(size));
  line_.assign(kept_, taken_, size);
  taken_ = ends_.front();
  ends_.pop_front();
  return line_;
}

bool StreamReader::has_line() noexcept {
  return !ends_.empty();
}

// ---- writing -----------------------------------------------------------------------------------

void StreamWriter::write(std::string_view bytes) {
  if (state_ == State::closed) throw std::logic_error("this writer is closed");
  if (size_ == 0) return send_all(fd_, bytes);
  waiting_.insert(waiting_.end(), bytes.begin(), bytes.end());
  if (waiting_.size() >= size_) flush();
}

void StreamWriter::flush() {
  std::vector<char> leaving;
  leaving.swap(waiting_);  // it is out of the buffer, whatever send_all does
  send_all(fd_, {leaving.data(), leaving.size()});
}

void StreamWriter::close() {
  state_ = State::closed;
  flush();
}

// ---- the handler -------------------------------------------------------------------------------

namespace {

template <class Value>
void set_option(int socket, int level, int option, const Value& value) {
  check(::setsockopt(socket, level, option, &value, sizeof value), "setsockopt");
}

// What send says of a client that is not there any more, or does not take anything.
bool is_gone(const std::error_code& code) {
  for (const std::errc gone :
       {std::errc::broken_pipe, std::errc::connection_reset, std::errc::connection_aborted,
        std::errc::not_connected, std::errc::timed_out, std::errc::host_unreachable,
        std::errc::network_unreachable, std::errc::network_down}) {
    if (code == gone) return true;
  }
  return false;
}

}  // namespace

StreamRequestHandler::StreamRequestHandler(Request& request, BaseServer& server) noexcept
    : BaseRequestHandler(request, server), rfile_(request.fileno()), wfile_(request.fileno(), 0) {}

void StreamRequestHandler::setup() {
  const int fd = request().fileno();
  switch (client_address().family()) {
    case AF_INET:
    case AF_INET6:
      if (disable_nagle_algorithm) set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
      break;
    default:
      break;
  }
  if (timeout.has_value()) {
    const long long ms = std::max<long long>(timeout->count(), 0);
    timeval time{};
    time.tv_sec = static_cast<time_t>(ms / 1000);
    time.tv_usec = static_cast<suseconds_t>(ms == 0 ? 1 : ms % 1000 * 1000);
    set_option(fd, SOL_SOCKET, SO_RCVTIMEO, time);
    set_option(fd, SOL_SOCKET, SO_SNDTIMEO, time);
  }
  wfile_ = StreamWriter(fd, wbufsize);
}

void StreamRequestHandler::finish() {
  try {
    wfile_.close();
  } catch (const std::system_error& error) {
    if (!is_gone(error.code())) throw;
  }
}

}  // namespace socketserver
