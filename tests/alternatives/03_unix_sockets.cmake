# Right answers to lesson 03, written differently: every step must accept them. The form of an answer:
# tests/cmake/mutants.cmake. A file of which little remains stands whole in 03_unix_sockets/.

kit_answer(
  NAME a-list-of-newlines
  SENTENCE "The reader keeps the places of the newlines that have come, and a copy of the line."
  FILE stream_handler.hpp
  REPLACE [[#include <memory>
#include <optional>
#include <string>
#include <string_view>]]
  WITH [[#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>]]
  REPLACE [[  /// @param size  how many bytes it has room for at first
  explicit StreamReader(int fd, std::size_t size = 16 * 1024) noexcept
      : fd_(fd), first_capacity_(size > 0 ? size : 1) {}]]
  WITH [[  explicit StreamReader(int fd) noexcept : fd_(fd) {}]]
  REPLACE [[  /// The next `size` bytes; fewer before end of file, none at it. Blocks until they have come.]]
  THROUGH [[  std::string_view read(std::size_t size);

]]
  WITH [[]]
  REPLACE [[  /// Whether all has been read, the end of file too.
]]
  THROUGH [[  std::size_t searched_ = 0;  // no newline in [begin_, searched_)]]
  WITH [[ private:
  int fd_;
  bool at_end_ = false;
  std::string line_;              // what the last read_line() has returned
  std::string kept_;              // what has come and was not taken
  std::size_t taken_ = 0;         // how much of kept_ is taken all the same, and not yet erased
  std::deque<std::size_t> ends_;  // in kept_, behind each newline that was not taken yet]]
  REPLACE [[  std::string gathered_;
  bool closed_ = false;]]
  WITH [[  std::vector<char> waiting_;
  enum class State { open, closed } state_ = State::open;]]
  REPLACE [[  /// How many bytes rfile() has room for at first, and asks the kernel for at once. Python: 8192.
  std::size_t rbufsize = 16 * 1024;

]]
  WITH [[]]
  WHOLE stream_handler.cpp)

kit_answer(
  NAME a-lock-on-the-folder
  SENTENCE "The server looks before it binds, with a lock on the folder: of two that start at once one waits."
  FILE unix_server.cpp
  REPLACE [[#include <sys/socket.h>]]
  WITH [[#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>]]
  REPLACE [[#include <filesystem>
]]
  WITH [[]]
  REPLACE [[  if (path.empty()) {  // an abstract name is no file: nothing of it is left behind]]
  THROUGH [[    throw_system_error("lstat", error);
  }]]
  WITH [[  const std::size_t slash = path.rfind('/');
  std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const FileDescriptor lock(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (lock) ::flock(lock.get(), LOCK_EX);
  if (is_left_behind(address)) ::unlink(path.c_str());
  check(bind_with_mode(socket, address, mode), "bind");
  struct stat file {};
  check(::lstat(path.c_str(), &file), "lstat");
  path_ = path;]])

kit_answer(
  NAME a-string-as-buffer
  SENTENCE "What has come is kept in a string, the line returned in another, what is to be sent in a list."
  FILE stream_handler.hpp
  REPLACE [[#include <string_view>]]
  WITH [[#include <string_view>
#include <vector>]]
  REPLACE [[  /// @param size  how many bytes it has room for at first
  explicit StreamReader(int fd, std::size_t size = 16 * 1024) noexcept
      : fd_(fd), first_capacity_(size > 0 ? size : 1) {}]]
  WITH [[  explicit StreamReader(int fd) noexcept : fd_(fd) {}]]
  REPLACE [[  /// The next `size` bytes; fewer before end of file, none at it. Blocks until they have come.]]
  THROUGH [[  std::string_view read(std::size_t size);

]]
  WITH [[]]
  REPLACE [[  /// Whether all has been read, the end of file too.
]]
  THROUGH [[  std::size_t searched_ = 0;  // no newline in [begin_, searched_)]]
  WITH [[ private:
  int fd_;
  std::string come_;
  std::string line_;]]
  REPLACE [[  std::string gathered_;]]
  WITH [[  std::vector<std::string> parts_;
  std::size_t gathered_ = 0;]]
  REPLACE [[  /// How many bytes rfile() has room for at first, and asks the kernel for at once. Python: 8192.
  std::size_t rbufsize = 16 * 1024;

]]
  WITH [[]]
  FILE stream_handler.cpp
  REPLACE [[// StreamRequestHandler: a connection as a file to read lines from and a file to write to.]]
  THROUGH [[}]]
  WITH [==[// Differs: see the header; read() of at most 1000 bytes, sendmsg() for the way back.

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
}]==]
  REPLACE [[  for (;;) {
    const bool whole = has_line();]]
  THROUGH [[  rfile_ = StreamReader(fd, rbufsize);]]
  WITH [[  std::size_t newline;
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
  const int fd = request().fileno();]]
  REPLACE [[void StreamRequestHandler::finish() {
  if (rfile_.at_end()) request().note_end();  // the goodbye has nothing to read away]]
  WITH [[void StreamRequestHandler::finish() {]])

kit_answer(
  NAME answers-all-lines-at-once
  SENTENCE "The handler collects answers, and writes them together when no whole line is left."
  FILE server.cpp
  REPLACE [[#include <socketserver/connection.hpp>
]]
  WITH [[]]
  REPLACE [[    for (;;) {]]
  THROUGH [[      if (!this->rfile().has_line()) this->wfile().flush();]]
  WITH [[    std::string answers;
    for (;;) {
      const std::string line(this->rfile().read_line(settings_.line_limit));
      if (line.empty()) break;
      log_received(this->client_address(), line);
      for (const char byte : line) answers += upper(byte);
      if (this->rfile().has_line()) continue;
      this->wfile().write(answers);
      this->wfile().flush();
      answers.clear();]]
  REPLACE [[  void answer(std::string_view line) {
]]
  THROUGH [[  std::string answer_;]]
  WITH [[  // a–z of ASCII, whatever the locale says; every other byte stays as it is.
  static char upper(char byte) {
    return byte >= 'a' && byte <= 'z' ? static_cast<char>(byte - 'a' + 'A') : byte;
  }]])

kit_answer(
  NAME client-with-an-abstract-name
  SENTENCE "The kernel picks an abstract name for the client (Linux: unix(7), autobind)."
  FILE client.cpp
  REPLACE [[// A client for the same service over four kinds of sockets: sends its words as one line, and prints]]
  THROUGH [[  }
};]]
  WITH [[// Differs: the kernel picks an abstract name, which no file system knows (Linux: unix(7),
// autobind).

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <socketserver/file_descriptor.hpp>
#include <socketserver/portable.hpp>
#include <socketserver/program.hpp>
#include <socketserver/system_call.hpp>
#include <socketserver/unix_server.hpp>

#include <cerrno>
#include <chrono>
#include <stdexcept>

using namespace socketserver;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

// The longest datagram that any of the kinds carries to us.
constexpr std::size_t longest_datagram = 256 * 1024;

FileDescriptor open_socket(const Address& server, int type) {
  return FileDescriptor(check(::socket(server.family(), type | SOCK_CLOEXEC, 0), "socket"));
}

void connect_to(const FileDescriptor& socket, const Address& server) {
  check(::connect(socket.get(), server.data(), server.size()), "connect");
}

// ---- over a stream: as in lesson 01 ------------------------------------------------------------

void send_all(const FileDescriptor& connection, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(connection.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      throw_system_error("send");
    }
  }
}

std::string receive_all(const FileDescriptor& connection) {
  std::string answer;
  char buffer[4096];
  for (;;) {
    const ssize_t count = ::recv(connection.get(), buffer, sizeof buffer, 0);
    if (count == 0) return answer;
    if (count > 0) {
      answer.append(buffer, static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      throw_system_error("recv");
    }
  }
}

std::string ask_stream(const Address& server, const std::string& message) {
  const FileDescriptor connection = open_socket(server, SOCK_STREAM);
  connect_to(connection, server);
  send_all(connection, message);
  check(::shutdown(connection.get(), SHUT_WR), "shutdown");
  const std::string answer = receive_all(connection);
  if (answer.empty()) throw std::runtime_error("the server closed without an answer");
  return answer;
}

// ---- over datagrams ----------------------------------------------------------------------------]]
  REPLACE [[  std::optional<OwnName> name;]]
  THROUGH [[  check(::connect(socket.get(), server.data(), server.size()), "connect");]]
  WITH [[  const FileDescriptor socket = open_socket(server, SOCK_DGRAM);
  if (server.family() == AF_UNIX) {
    const sa_family_t family = AF_UNIX;
    check(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&family), sizeof family), "bind");
  }
  connect_to(socket, server);]]
  REPLACE [[  const Address server = is_unix
                             ? unix_address(options.required("--path"))
                             : (kind == "tcp" ? options.reachable_address() : options.address());]]
  WITH [[  const Address server = is_unix ? unix_address(options.required("--path")) : options.address();]])

kit_answer(
  NAME client-with-autobind
  SENTENCE "The kernel chooses the datagram client's name: there is no file, and nothing to remove."
  FILE client.cpp
  REPLACE [[// A client for the same service over four kinds of sockets: sends its words as one line, and prints]]
  THROUGH [[using Clock = std::chrono::steady_clock;]]
  WITH [[// Differs: a datagram client whose name the kernel has chosen: no file, nothing to remove.

// A client for the same service over four kinds of sockets: sends its words as one line, and prints
// what comes back. Its partner: server.cpp. See also: unix(7).

#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <socketserver/connection.hpp>
#include <socketserver/file_descriptor.hpp>
#include <socketserver/portable.hpp>
#include <socketserver/program.hpp>
#include <socketserver/system_call.hpp>
#include <socketserver/unix_server.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <stdexcept>

using namespace socketserver;
using std::chrono::milliseconds;]]
  REPLACE [[// A name of our own, in a folder of our own, for as long as this object lives: to a client without]]
  THROUGH [[  return receive_datagram(socket);
}]]
  WITH [[// Sends the message as one datagram and returns the answer, for which it waits at most `timeout`.
std::string ask_datagram(const Address& server, const std::string& message, milliseconds timeout) {
  const FileDescriptor socket(
      check(::socket(server.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket"));
  if (server.family() == AF_UNIX) {
    // The family alone: the kernel gives us an abstract name that no other socket has (unix(7),
    // "Autobind feature"). No file has it, and it ends with the socket, however this process ends.
    const sa_family_t family = AF_UNIX;
    check(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&family), sizeof family), "bind");
  }
  // From here on nobody but the server can answer.
  check(::connect(socket.get(), server.data(), server.size()), "connect");
  ssize_t count;
  do count = ::send(socket.get(), message.data(), message.size(), MSG_NOSIGNAL);
  while (count == -1 && errno == EINTR);
  check(count, "send");

  const auto end = std::chrono::steady_clock::now() + timeout;
  std::string answer;
  do {
    const auto left = std::chrono::ceil<milliseconds>(end - std::chrono::steady_clock::now());
    pollfd waiting{socket.get(), POLLIN, 0};
    const long wait = std::clamp<long>(static_cast<long>(left.count()), 0, INT_MAX);
    const int ready = ::poll(&waiting, 1, static_cast<int>(wait));
    if (ready == -1 && errno != EINTR) throw_system_error("poll");
    if (ready == 0) throw std::runtime_error("nobody has answered in time");
    count = -1;
    if (ready < 0) continue;
    answer.resize(longest_datagram);
    count = ::recvfrom(socket.get(), answer.data(), answer.size(), MSG_DONTWAIT, nullptr, nullptr);
    if (count == -1 && errno != EINTR && errno != EAGAIN) throw_system_error("recvfrom");
  } while (count == -1);
  answer.resize(static_cast<std::size_t>(count));
  return answer;
}]])

kit_answer(
  NAME client-with-sendto
  LIKE client-with-an-abstract-name
  SENTENCE "The client's name is made of the process and the time, in /tmp itself; it calls sendto()."
  FILE client.cpp
  REPLACE [[// Differs: the kernel picks an abstract name, which no file system knows (Linux: unix(7),
// autobind).]]
  WITH [[// A client for the same service over four kinds of sockets: sends its words as one line, and prints
// what comes back. Its partner: server.cpp. See also: unix(7).]]
  REPLACE [[#include <cerrno>
#include <chrono>]]
  WITH [[#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>]]
  REPLACE [[void wait_readable(const FileDescriptor& socket, milliseconds timeout) {]]
  WITH [=[std::atomic<bool> ended{false};

extern "C" void note_end(int) {
  ended = true;
}

class OwnName {
 public:
  OwnName()
      : path_("/tmp/kit-" + std::to_string(::getpid()) + "-" +
              std::to_string(Clock::now().time_since_epoch().count())) {
    struct sigaction action {};
    action.sa_handler = note_end;
    ::sigaction(SIGINT, &action, nullptr);
    ::sigaction(SIGTERM, &action, nullptr);
  }
  OwnName(const OwnName&) = delete;
  OwnName& operator=(const OwnName&) = delete;
  ~OwnName() { ::unlink(path_.c_str()); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

void wait_readable(const FileDescriptor& socket, milliseconds timeout) {]=]
  REPLACE [[    if (errno != EINTR) throw_system_error("poll");  // a signal: wait for the rest of the time]]
  WITH [[    if (errno != EINTR) throw_system_error("poll");  // a signal: wait for the rest of the time
    if (ended) throw std::runtime_error("interrupted");]]
  REPLACE [[  const FileDescriptor socket = open_socket(server, SOCK_DGRAM);
  if (server.family() == AF_UNIX) {
    const sa_family_t family = AF_UNIX;
    check(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&family), sizeof family), "bind");
  }
  connect_to(socket, server);
  check(::send(socket.get(), message.data(), message.size(), MSG_NOSIGNAL), "send");]]
  WITH [[  std::optional<OwnName> name;
  const FileDescriptor socket = open_socket(server, SOCK_DGRAM);
  if (server.family() == AF_UNIX) {
    name.emplace();
    const Address own = unix_address(name->path());
    check(::bind(socket.get(), own.data(), own.size()), "bind");
  }
  check(::sendto(socket.get(), message.data(), message.size(), MSG_NOSIGNAL, server.data(),
                 server.size()),
        "sendto");]])

kit_answer(
  NAME fchmod-before-bind
  SENTENCE "The mode is set on the socket itself, before bind() makes the file (Linux)."
  FILE unix_server.cpp
  REPLACE [[#include <filesystem>
]]
  WITH [[]]
  REPLACE [[// While it lives, new files get exactly the rights of `mode`: a chmod(2) after bind(2) would come
]]
  THROUGH [[  mode_t old_;
};

]]
  WITH [[]]
  REPLACE [[  std::optional<ModeOfNewFiles> rights;
  if (mode) rights.emplace(*mode);]]
  WITH [[  if (mode) check(::fchmod(socket, *mode), "fchmod");]]
  REPLACE [[  if (path.empty()) {  // an abstract name is no file: nothing of it is left behind]]
  THROUGH [[  }
]]
  WITH [[]]
  REPLACE [[  path_ = std::filesystem::absolute(path).string();  // a later chdir(2) moves it nowhere]]
  WITH [[  path_ = path;]])

kit_answer(
  NAME poll-for-the-time
  SENTENCE "The time is limited by poll(), before each call that would block."
  FILE stream_handler.cpp
  REPLACE [[#include <sys/socket.h>
#include <sys/time.h>
#include <socketserver/connection.hpp>]]
  WITH [[#include <poll.h>
#include <sys/socket.h>]]
  REPLACE [[#include <algorithm>
]]
  WITH [[]]
  REPLACE [[// A blocking socket says EAGAIN when its SO_RCVTIMEO or SO_SNDTIMEO is over. socket(7)
]]
  THROUGH [[  check(::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit), "setsockopt");]]
  WITH [[constexpr std::size_t first_capacity = 16 * 1024;

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
  }]]
  REPLACE [[std::string_view StreamReader::read(std::size_t size) {]]
  THROUGH [[}

]]
  WITH [[]]
  REPLACE [[    const ssize_t count = ::recv(fd_, &buffer_[end_], capacity_ - end_, 0);
]]
  THROUGH [[    if (errno != EINTR) throw_stream_error("recv");]]
  WITH [[    wait_for(fd_, POLLIN, limit_, "recv");
    const ssize_t count = ::recv(fd_, &buffer_[end_], capacity_ - end_, MSG_DONTWAIT);
    if (count >= 0) {
      end_ += static_cast<std::size_t>(count);
      return count > 0;
    }
    if (errno != EINTR && errno != EAGAIN) throw_system_error("recv");]]
  REPLACE [[    capacity = capacity_ == 0 ? first_capacity_ : 2 * capacity_;]]
  WITH [[    capacity = capacity_ == 0 ? first_capacity : 2 * capacity_;]]
  REPLACE [[  if (size_ == 0) return send_all(fd_, bytes);]]
  WITH [[  if (size_ == 0) return send_all(fd_, bytes, limit_);]]
  REPLACE [[  send_all(fd_, bytes);]]
  WITH [[  send_all(fd_, bytes, limit_);]]
  REPLACE [[  rfile_ = StreamReader(fd, rbufsize);
  wfile_ = StreamWriter(fd, wbufsize);
  if (timeout) limit_waiting(fd, *timeout);]]
  WITH [[  const int limit = timeout ? static_cast<int>(timeout->count()) : -1;
  rfile_ = StreamReader(fd, limit);
  wfile_ = StreamWriter(fd, wbufsize, limit);]]
  REPLACE [[  if (rfile_.at_end()) request().note_end();  // the goodbye has nothing to read away
]]
  WITH [[]]
  FILE stream_handler.hpp
  REPLACE [[  /// @param size  how many bytes it has room for at first
  explicit StreamReader(int fd, std::size_t size = 16 * 1024) noexcept
      : fd_(fd), first_capacity_(size > 0 ? size : 1) {}]]
  WITH [[  explicit StreamReader(int fd, int limit = -1) noexcept : fd_(fd), limit_(limit) {}]]
  REPLACE [[  /// The next `size` bytes; fewer before end of file, none at it. Blocks until they have come.]]
  THROUGH [[  std::string_view read(std::size_t size);

]]
  WITH [[]]
  REPLACE [=[  /// Whether all has been read, the end of file too.
  [[nodiscard]] bool at_end() const noexcept { return at_end_ && begin_ == end_; }

]=]
  WITH [[]]
  REPLACE [[  std::size_t first_capacity_;]]
  WITH [[  int limit_;]]
  REPLACE [[  bool at_end_ = false;       // its end of file has come
]]
  WITH [[]]
  REPLACE [[  StreamWriter(int fd, std::size_t size) noexcept : fd_(fd), size_(size) {}]]
  WITH [[  StreamWriter(int fd, std::size_t size, int limit = -1) noexcept
      : fd_(fd), limit_(limit), size_(size) {}]]
  REPLACE [[  int fd_;
  std::size_t size_;]]
  WITH [[  int fd_;
  int limit_;
  std::size_t size_;]]
  REPLACE [[  /// How many bytes rfile() has room for at first, and asks the kernel for at once. Python: 8192.
  std::size_t rbufsize = 16 * 1024;

]]
  WITH [[]])

kit_answer(
  NAME private-folder-and-link
  SENTENCE "The server binds in a folder that nobody else can enter; link() gives the socket its public name."
  FILE unix_server.cpp
  REPLACE [[#include <cstring>
#include <filesystem>]]
  WITH [[#include <cstdlib>
#include <cstring>]]
  REPLACE [[// While it lives, new files get exactly the rights of `mode`: a chmod(2) after bind(2) would come
]]
  THROUGH [[  mode_t old_;
};

]]
  WITH [[]]
  REPLACE [[int bind_with_mode(int socket, const Address& address, std::optional<mode_t> mode) {]]
  THROUGH [[}

]]
  WITH [[]]
  REPLACE [[  const std::string path = address.path();]]
  THROUGH [[    throw_system_error("lstat", error);
  }]]
  WITH [[  int type = 0;
  socklen_t type_size = sizeof type;
  check(::getsockopt(socket, SOL_SOCKET, SO_TYPE, &type, &type_size), "getsockopt");
  // A datagram comes from the name that its socket was bound to: a hidden one will not do.
  const bool hides = type == SOCK_STREAM;
  const std::string path = address.path();
  const std::size_t slash = path.rfind('/');
  std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  folder += "/.XXXXXX";
  if (hides && ::mkdtemp(folder.data()) == nullptr) throw_system_error("mkdtemp");
  const std::string hidden = hides ? folder + "/s" : path;
  const Address inside = unix_address(hidden);
  struct stat file {};
  int error = 0;
  if (!hides && mode) check(::fchmod(socket, *mode), "fchmod");
  if (!hides && is_left_behind(address)) ::unlink(path.c_str());
  if (::bind(socket, inside.data(), inside.size()) == -1) error = errno;
  if (hides && error == 0 && mode && ::chmod(hidden.c_str(), *mode) == -1) error = errno;
  if (hides && error == 0 && is_left_behind(address)) ::unlink(path.c_str());
  if (hides && error == 0 && ::link(hidden.c_str(), path.c_str()) == -1) {
    error = errno == EEXIST ? EADDRINUSE : errno;
  }
  if (error == 0 && ::lstat(path.c_str(), &file) == -1) error = errno;
  if (hides) ::unlink(hidden.c_str());
  if (hides) ::rmdir(folder.c_str());
  if (error != 0) throw_system_error("bind", error);
  path_ = path;]])
