# Wrong answers to lesson 03. Each is one plausible mistake in the solution, and must be caught at
# its step, with its words. The form of a mutant: tests/cmake/mutants.cmake.

# ---- the address ---------------------------------------------------------------------------------

kit_mutant(
  NAME guard-that-guards-nothing
  SENTENCE "--allow-uid is taken with every kind, and looked at with one."
  FILE server.cpp
  REPLACE [[  if (kind != "unix-stream" && options.has("--allow-uid")) {
    throw UsageError("--allow-uid: only --kind unix-stream knows its clients' users");
  }
]]
  WITH [[
]]
  STEP 03.13
  WORDS "A guard that cannot be kept must be refused")

kit_mutant(
  NAME path-cut
  SENTENCE "A path that is too long is cut, as strncpy would."
  FILE unix_server.cpp
  REPLACE [[    throw std::invalid_argument('"' + std::string(path) + "\" is too long for a Unix socket: " +
                                std::to_string(path.size()) + " bytes, " +
                                std::to_string(sizeof address.sun_path - 1) + " at most");]]
  WITH [[    path = path.substr(0, sizeof address.sun_path - 1);]]
  STEP 03.6
  WORDS "too long")

kit_mutant(
  NAME longest-path-refused
  SENTENCE "The limit is one byte too low."
  FILE unix_server.cpp
  REPLACE [[path.size() >= sizeof address.sun_path)]]
  WITH [[path.size() + 1 >= sizeof address.sun_path)]]
  STEP 03.6
  WORDS "107 bytes")

kit_mutant(
  NAME sun-path-not-zeroed
  SENTENCE "The sockaddr_un is not zeroed: what was in memory stands behind the path."
  FILE unix_server.cpp
  REPLACE [[  address.sun_family = AF_UNIX;]]
  WITH [[  std::memset(&address, 120, sizeof address);
  address.sun_family = AF_UNIX;]]
  STEP 03.6
  WORDS "zero")

# ---- the path's life -----------------------------------------------------------------------------

kit_mutant(
  NAME no-unlink-at-start
  SENTENCE "A path that a killed server left keeps the next one from starting."
  FILE unix_server.cpp
  REPLACE [[if (error != EADDRINUSE || !is_left_behind(address)) throw_system_error("bind", error);]]
  WITH [[throw_system_error("bind", error);]]
  STEP 03.8
  WORDS "ECONNREFUSED")

kit_mutant(
  NAME unlink-without-asking
  SENTENCE "Whatever stands at the path is removed before bind."
  FILE unix_server.cpp
  REPLACE [[  if (bind_with_mode(socket, address, mode) == -1) {]]
  WITH [[  ::unlink(path.c_str());
  if (bind_with_mode(socket, address, mode) == -1) {]]
  STEP 03.9
  WORDS "Ask who")

kit_mutant(
  NAME any-error-means-nobody
  SENTENCE "Every failed connect is taken to say that nobody is there."
  FILE unix_server.cpp
  REPLACE [[address.size()) == -1 && errno == ECONNREFUSED;]]
  WITH [[address.size()) == -1;]]
  STEP 03.9
  WORDS "EPROTOTYPE")

kit_mutant(
  NAME asks-by-a-connection-that-blocks
  SENTENCE "The question is a stream connect that waits while the other one's queue is full."
  FILE unix_server.cpp
  REPLACE [[check(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket"));
  return]]
  WITH [[check(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
  return]]
  STEP 03.9
  WORDS "queue of connections is full")

kit_mutant(
  NAME removes-a-regular-file
  SENTENCE "What stands at the path is not looked at: nobody answers from a file, so it is removed."
  FILE unix_server.cpp
  REPLACE [[ || !S_ISSOCK(file.st_mode)) return false;]]
  WITH [[) return false;]]
  STEP 03.9
  WORDS "is no socket")

kit_mutant(
  NAME follows-a-link
  SENTENCE "stat looks at what the link leads to, not at the link."
  FILE unix_server.cpp
  REPLACE [[  if (::lstat(address.path()]]
  WITH [[  if (::stat(address.path()]]
  STEP 03.9
  WORDS "A link is no socket")

kit_mutant(
  NAME every-bind-error-is-in-use
  SENTENCE "Whatever bind says, the path is said to be in use."
  FILE unix_server.cpp
  REPLACE [[throw_system_error("bind", error);]]
  WITH [[throw_system_error("bind", EADDRINUSE);]]
  STEP 03.9
  WORDS "the one to throw")

kit_mutant(
  NAME the-loser-removes-the-path
  SENTENCE "A server that could not bind removes the path when it closes."
  FILE unix_server.cpp
  REPLACE [[  const std::string path = address.path();
]]
  WITH [[  const std::string path = address.path();
  path_ = path;
  maker_ = ::getpid();
  owns_ = true;
]]
  REPLACE [[if (found && file.st_dev == device_ && file.st_ino == inode_) ::unlink]]
  WITH [[if (found) ::unlink]]
  STEP 03.9
  WORDS "took the path of one that lives")

kit_mutant(
  NAME no-unlink-at-the-end
  SENTENCE "The path is left behind when the server ends."
  FILE unix_server.cpp
  REPLACE [[if (found && file.st_dev == device_ && file.st_ino == inode_) ::unlink(path_.c_str());]]
  WITH [[(void)found;]]
  STEP 03.7
  WORDS "still there")

kit_mutant(
  NAME removes-another-servers-path
  SENTENCE "The path is removed at the end, whosever it is by now."
  FILE unix_server.cpp
  REPLACE [[if (found && file.st_dev == device_ && file.st_ino == inode_) ::unlink]]
  WITH [[if (found) ::unlink]]
  STEP 03.7
  WORDS "not its own")

kit_mutant(
  NAME datagram-path-left-behind
  SENTENCE "Only the stream server removes its path."
  FILE unix_server.cpp
  REPLACE [[  path_.remove();
  UDPServer::server_close();]]
  WITH [[  new UnixPath;
  UDPServer::server_close();
  ::_exit(0);]]
  STEP 03.7
  WORDS "still there")

kit_mutant(
  NAME chmod-after-bind
  SENTENCE "The path is made with the umask's rights, and changed afterwards."
  FILE unix_server.cpp
  REPLACE [[  std::optional<ModeOfNewFiles> rights;
  if (mode) rights.emplace(*mode);
  return ::bind(socket, address.data(), address.size());]]
  WITH [[  const int result = ::bind(socket, address.data(), address.size());
  if (result == 0 && mode) ::chmod(address.path().c_str(), *mode);
  return result;]]
  STEP 03.12
  WORDS "changed afterwards")

kit_mutant(
  NAME mode-ignored
  SENTENCE "--mode is not looked at."
  FILE unix_server.cpp
  REPLACE [[  if (mode) rights.emplace(*mode);]]
  WITH [[  (void)mode;]]
  STEP 03.12
  WORDS "not the one that was asked for")

kit_mutant(
  NAME mode-is-the-umask
  SENTENCE "The mode is used as the mask: what it allows is taken away."
  FILE unix_server.cpp
  REPLACE [[::umask(0777 & ~mode)]]
  WITH [[::umask(mode)]]
  STEP 03.12
  WORDS "not the one that was asked for")

# ---- who asks ------------------------------------------------------------------------------------

kit_mutant(
  NAME credentials-not-asked
  SENTENCE "Nobody is turned away."
  FILE server.cpp
  REPLACE [[return !allowed || peer_credentials(request.fileno()).uid == *allowed;]]
  WITH [[return true;]]
  STEP 03.13
  WORDS "A user was served")

kit_mutant(
  NAME credentials-of-the-server
  SENTENCE "The uid compared is the server's own."
  FILE unix_server.cpp
  REPLACE [[return {peer.uid, peer.gid, peer.pid};]]
  WITH [[return {::geteuid(), ::getegid(), ::getpid()};]]
  STEP 03.13
  WORDS "uid")

kit_mutant(
  NAME answers-the-nameless
  SENTENCE "A client without a name is served, and its answer fails."
  FILE unix_server.cpp
  REPLACE [[return request.client_address().family() != AF_UNSPEC;]]
  WITH [[return UDPServer::verify_request(request);]]
  STEP 03.11
  WORDS "without a name")

kit_mutant(
  NAME the-nameless-end-the-server
  SENTENCE "A datagram without a sender's name ends the server."
  FILE unix_server.cpp
  REPLACE [[  return request.client_address().family() != AF_UNSPEC;]]
  WITH [[  if (request.client_address().family() == AF_UNSPEC) ::_exit(1);
  return true;]]
  STEP 03.11
  WORDS "ended the server")

# ---- lines ---------------------------------------------------------------------------------------

kit_mutant(
  NAME half-a-line
  SENTENCE "read_line returns what has come, newline or not."
  FILE stream_handler.cpp
  REPLACE [[if (whole || !fill()) return take(size);]]
  WITH [[if (whole || size > 0 || !fill()) return take(whole || size > 0 ? size : end_ - begin_);]]
  STEP 03.3
  WORDS "before its newline had come")

kit_mutant(
  NAME rest-dropped
  SENTENCE "What follows the newline is thrown away with the line."
  FILE stream_handler.cpp
  REPLACE [[  begin_ += size;]]
  WITH [[  begin_ = end_;]]
  STEP 03.3
  WORDS "kept for the next read_line()")

kit_mutant(
  NAME one-line-a-recv
  SENTENCE "A recv is taken for a line: lines that come together are returned together."
  FILE stream_handler.cpp
  REPLACE [[std::memchr(&buffer_[searched_], '\n', end_ - searched_)]]
  WITH [[::memrchr(&buffer_[searched_], '\n', end_ - searched_)]]
  FILE server.cpp
  REPLACE [[      answer(line);]]
  WITH [[      answer(line.substr(0, line.find(10) == line.npos ? line.npos : line.find(10) + 1));]]
  STEP 03.3
  WORDS "several lines")

kit_mutant(
  NAME flush-at-the-end-only
  SENTENCE "The answers are kept until the client has ended."
  FILE server.cpp
  REPLACE [[      if (!this->rfile().has_line()) this->wfile().flush();
]]
  WITH [[]]
  STEP 03.1
  WORDS "03.E")

kit_mutant(
  NAME buffer-does-not-keep-the-rest
  SENTENCE "When the buffer is moved, what is left in it is lost."
  FILE stream_handler.cpp
  REPLACE [[  if (left > 0) std::memmove(larger ? larger.get() : buffer_.get(), &buffer_[begin_], left);
]]
  WITH [[]]
  STEP 03.3
  WORDS "near the end of the buffer")

kit_mutant(
  NAME last-line-lost
  SENTENCE "A last line without a newline is dropped at end of file."
  FILE stream_handler.cpp
  REPLACE [[if (whole || !fill()) return take(size);]]
  WITH [[if (whole) return take(size);
    if (!fill()) return take(0);]]
  STEP 03.4
  WORDS "in the middle of a line")

kit_mutant(
  NAME last-line-twice
  SENTENCE "At end of file the last line is returned again and again."
  FILE stream_handler.cpp
  REPLACE [[    if (whole || !fill()) return take(size);]]
  WITH [[    if (whole) return take(size);
    if (!fill()) {
      const bool again = !ended_;
      ended_ = true;
      return again ? std::string_view(&buffer_[begin_], size) : take(size);
    }]]
  FILE stream_handler.hpp
  REPLACE [[  std::size_t capacity_ = 0;]]
  WITH [[  std::size_t capacity_ = 0;
  bool ended_ = false;]]
  STEP 03.4
  WORDS "once")

kit_mutant(
  NAME no-limit
  SENTENCE "A line may be as long as it likes."
  FILE stream_handler.cpp
  REPLACE [[    if (size > limit)]]
  WITH [[    if (size > limit && size > (1UL << 40))]]
  STEP 03.4
  WORDS "over the limit")

kit_mutant(
  NAME limit-seen-at-the-newline
  SENTENCE "The limit is looked at when the newline has come."
  FILE stream_handler.cpp
  REPLACE [[    if (size > limit)]]
  WITH [[    if (whole && size > limit)]]
  STEP 03.4
  WORDS "Look at the limit while")

kit_mutant(
  NAME limit-off-by-one
  SENTENCE "A line of exactly the limit is refused."
  FILE stream_handler.cpp
  REPLACE [[    if (size > limit)]]
  WITH [[    if (size >= limit)]]
  STEP 03.4
  WORDS "exactly --line-limit")

kit_mutant(
  NAME too-long-ends-the-server
  SENTENCE "A line over the limit ends the server."
  FILE stream_handler.cpp
  REPLACE [[    if (size > limit)]]
  WITH [[    if (size > limit) ::_exit(1);
    if (size > limit)]]
  REPLACE [[#include <sys/time.h>]]
  WITH [[#include <sys/time.h>
#include <unistd.h>]]
  STEP 03.4
  WORDS "more than its own client")

# ---- writing -------------------------------------------------------------------------------------

kit_mutant(
  NAME unbuffered-is-buffered
  SENTENCE "With wbufsize 0 too, bytes are gathered."
  FILE stream_handler.cpp
  REPLACE [[if (size_ == 0) return send_all(fd_, bytes);]]
  WITH [[]]
  REPLACE [[if (gathered_.size() >= size_) flush();]]
  WITH [[if (size_ != 0 && gathered_.size() >= size_) flush();]]
  STEP 03.10
  WORDS "Unbuffered, each write()")

kit_mutant(
  NAME buffered-is-unbuffered
  SENTENCE "Every write is sent at once, whatever wbufsize says."
  FILE stream_handler.cpp
  REPLACE [[if (size_ == 0) return send_all]]
  WITH [[return send_all]]
  STEP 03.10
  WORDS "both writes leave together")

kit_mutant(
  NAME one-send
  SENTENCE "send is taken to have sent everything."
  FILE stream_handler.cpp
  REPLACE [[if (size_ == 0) return send_all(fd_, bytes);]]
  WITH [[if (size_ == 0) return send_own(fd_, bytes);]]
  REPLACE [[  } emptied{gathered_};
  send_all(fd_, bytes);]]
  WITH [[  } emptied{gathered_};
  send_own(fd_, bytes);]]
  REPLACE [[void limit_waiting(int fd, std::chrono::milliseconds time) {]]
  WITH [[void send_own(int fd, std::string_view bytes) {
  while (::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) == -1) {
    if (errno != EINTR) throw_stream_error("send");
  }
}

void limit_waiting(int fd, std::chrono::milliseconds time) {]]
  STEP 03.10
  WORDS "Not all was sent")

kit_mutant(
  NAME interrupted-send-is-an-error
  SENTENCE "A send that a signal interrupted ends the request."
  FILE stream_handler.cpp
  REPLACE [[if (size_ == 0) return send_all(fd_, bytes);]]
  WITH [[if (size_ == 0) return send_own(fd_, bytes);]]
  REPLACE [[  } emptied{gathered_};
  send_all(fd_, bytes);]]
  WITH [[  } emptied{gathered_};
  send_own(fd_, bytes);]]
  REPLACE [[void limit_waiting(int fd, std::chrono::milliseconds time) {]]
  WITH [[void send_own(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count == -1) throw_stream_error("send");
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

void limit_waiting(int fd, std::chrono::milliseconds time) {]]
  STEP 03.10
  WORDS "signal may interrupt")

kit_mutant(
  NAME finish-does-not-flush
  SENTENCE "What was gathered at the end is never sent."
  FILE stream_handler.cpp
  REPLACE [[    wfile_.close();
]]
  WITH [[    (void)wfile_;
]]
  STEP 03.10
  WORDS "finish() sends what is left")

kit_mutant(
  NAME finish-flushes-only-after-success
  SENTENCE "After an exception, what was written before is not sent."
  FILE stream_handler.cpp
  REPLACE [[  try {
    wfile_.close();]]
  WITH [[  try {
    if (handled()) wfile_.close();]]
  STEP 03.10
  WORDS "still leaves, by finish()")

kit_mutant(
  NAME flushed-twice
  SENTENCE "What was flushed is not taken out of the buffer."
  FILE stream_handler.cpp
  REPLACE [[~Emptied() { gathered.clear(); }]]
  WITH [[~Emptied() {}]]
  REPLACE [[  closed_ = true;
  flush();]]
  WITH [[  closed_ = true;
  flush();
  gathered_.clear();]]
  STEP 03.10
  WORDS "and once")

kit_mutant(
  NAME finish-reports-a-client-that-has-gone
  SENTENCE "The error of the last flush leaves finish."
  FILE stream_handler.cpp
  REPLACE [[  } catch (const std::system_error&) {
]]
  WITH [[  } catch (const std::system_error&) {
    throw;
]]
  STEP 03.10
  WORDS "That is no error")

kit_mutant(
  NAME no-request-timeout
  SENTENCE "The timeout is not set: a silent client is waited for for ever."
  FILE stream_handler.cpp
  REPLACE [[  if (timeout) limit_waiting(fd, *timeout);
]]
  WITH [[]]
  STEP 03.17
  WORDS "SO_RCVTIMEO")

kit_mutant(
  NAME timeout-is-asked-again
  SENTENCE "recv says EAGAIN when the time is over, and is called again."
  FILE stream_handler.cpp
  REPLACE [[      return count > 0;
    }
    if (errno != EINTR) throw]]
  WITH [[      return count > 0;
    }
    if (errno != EINTR && errno != EAGAIN) throw]]
  STEP 03.17
  WORDS "EAGAIN")

# ---- the service ---------------------------------------------------------------------------------

kit_mutant(
  NAME dies-of-sigpipe
  SENTENCE "Sending to a client that has gone raises SIGPIPE, which ends the server."
  FILE stream_handler.cpp
  REPLACE [[if (size_ == 0) return send_all(fd_, bytes);]]
  WITH [[if (size_ == 0) return send_own(fd_, bytes);]]
  REPLACE [[  } emptied{gathered_};
  send_all(fd_, bytes);]]
  WITH [[  } emptied{gathered_};
  send_own(fd_, bytes);]]
  REPLACE [[void limit_waiting(int fd, std::chrono::milliseconds time) {]]
  WITH [[void send_own(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(fd, bytes.data(), bytes.size(), 0);
    if (count == -1 && errno != EINTR) throw_stream_error("send");
    if (count > 0) bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

void limit_waiting(int fd, std::chrono::milliseconds time) {]]
  STEP 03.10
  WORDS "SIGPIPE")

kit_mutant(
  NAME one-line-a-request
  SENTENCE "The service answers one line and is done."
  FILE server.cpp
  REPLACE [[      if (!this->rfile().has_line()) this->wfile().flush();]]
  WITH [[      if (!this->rfile().has_line()) this->wfile().flush();
      return;]]
  STEP 03.1
  WORDS "line after line")

kit_mutant(
  NAME another-service-over-datagrams
  SENTENCE "The datagram service answers its first line alone."
  FILE server.cpp
  REPLACE [[      answer(line);]]
  WITH [[      answer(line);
      if (this->request().is_packet()) return;]]
  STEP 03.2
  WORDS "All of them are one answer")

kit_mutant(
  NAME wrong-server-for-udp
  SENTENCE "--kind udp starts a TCP server."
  FILE server.cpp
  REPLACE [[    ServerWith<Settings, UDPServer> server(options.address(), datagram);]]
  WITH [[    ServerWith<Settings, TCPServer> server(options.address(), stream);]]
  STEP 03.2
  WORDS "--kind udp")

kit_mutant(
  NAME second-line-dropped
  SENTENCE "The second line of those that come together is thrown away."
  FILE stream_handler.cpp
  REPLACE [[  begin_ += size;]]
  WITH [[  begin_ += size;
  if (has_line()) begin_ = end_;]]
  STEP 03.1
  WORDS "kept for the next read_line()" "03.D"
  NOT_WORDS "Bytes are not text")

kit_mutant(
  NAME text-as-c-string
  SENTENCE "A line is treated as text that ends at a zero."
  FILE server.cpp
  REPLACE [[    answer_ = line;]]
  WITH [[    answer_ = std::string(line).c_str();]]
  STEP 03.1
  WORDS "Bytes are not text")

# ---- the client ----------------------------------------------------------------------------------

kit_mutant(
  NAME client-never-binds
  SENTENCE "The client has no name, and no server can answer it."
  FILE client.cpp
  REPLACE [[    check(::bind(socket.get(), own.data(), own.size()), "bind");]]
  WITH [[    (void)own;]]
  STEP 03.5
  WORDS "has no name")

kit_mutant(
  NAME client-leaves-its-name
  SENTENCE "The client's name stays in the file system."
  FILE client.cpp
  REPLACE [[    ::unlink(path_);
]]
  WITH [[]]
  STEP 03.5
  WORDS "still in the file system")

kit_mutant(
  NAME client-leaves-its-name-when-unanswered
  SENTENCE "The name is removed where the answer has come, and nowhere else."
  FILE client.cpp
  REPLACE [[    ::unlink(path_);
    ::rmdir(folder_);
]]
  WITH [[]]
  REPLACE [[  return receive_datagram(socket);]]
  WITH [[  if (name) {
    ::unlink(name->path().c_str());
    ::rmdir(name->path().substr(0, name->path().rfind('/')).c_str());
  }
  return receive_datagram(socket);]]
  STEP 03.5
  WORDS "an exception leaves the function too")

kit_mutant(
  NAME client-with-a-fixed-name
  SENTENCE "Every client binds the same name."
  FILE client.cpp
  REPLACE [[    std::strcat(std::strcpy(path_, folder_), "/socket");]]
  WITH [[    std::strcpy(path_, ("/tmp/kit-client-" + std::to_string(::geteuid())).c_str());]]
  STEP 03.5
  WORDS "two names")

kit_mutant(
  NAME client-waits-for-ever
  SENTENCE "The client does not look at --timeout."
  FILE client.cpp
  REPLACE [[::poll(&waiting, 1, left.count() > 0 ? static_cast<int>(left.count()) : 0);]]
  WITH [[::poll(&waiting, 1, left.count() > 0 ? -1 : 0);]]
  STEP 03.5
  WORDS "--timeout")

# ---- more of each part ---------------------------------------------------------------------------

kit_mutant(
  NAME nagle-stays
  SENTENCE "disable_nagle_algorithm is not looked at."
  FILE stream_handler.cpp
  REPLACE [[if (disable_nagle_algorithm && (]]
  WITH [[if (timeout && (]]
  STEP 03.10
  WORDS "TCP_NODELAY")

kit_mutant(
  NAME nagle-always-off
  SENTENCE "Small packets leave at once, whatever the attribute says."
  FILE stream_handler.cpp
  REPLACE [[if (disable_nagle_algorithm && (]]
  WITH [[if ((]]
  STEP 03.10
  WORDS "TCP_NODELAY")

kit_mutant(
  NAME a-copy-removes-the-path
  SENTENCE "A forked child that closes its copy of the server removes the path."
  FILE unix_server.cpp
  REPLACE [[if (!owns_.exchange(false) || maker_ != ::getpid()) return;]]
  WITH [[if (!owns_.exchange(false)) return;]]
  STEP 03.7
  WORDS "belongs to the process that made it")

kit_mutant(
  NAME no-path-is-nobody
  SENTENCE "A client whose name is no path is turned away like one without a name."
  FILE unix_server.cpp
  REPLACE [[return request.client_address().family() != AF_UNSPEC;]]
  WITH [[return request.client_address().path().starts_with('/');]]
  STEP 03.11
  WORDS "a name that is no path")

kit_mutant(
  NAME send-without-limit
  SENTENCE "Only recv is limited: a client that takes nothing is waited for for ever."
  FILE stream_handler.cpp
  REPLACE [[  check(::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit), "setsockopt");
]]
  WITH [[
]]
  STEP 03.17
  WORDS "SO_SNDTIMEO limits send")

kit_mutant(
  NAME milliseconds-as-microseconds
  SENTENCE "tv_usec gets milliseconds: every client is too slow."
  FILE stream_handler.cpp
  REPLACE [[time.count() % 1000 * 1000);]]
  WITH [[time.count() % 1000);]]
  STEP 03.17
  WORDS "millionths of a second")

kit_mutant(
  NAME a-line-an-answer
  SENTENCE "Every line is flushed by itself."
  FILE server.cpp
  REPLACE [[      if (!this->rfile().has_line()) this->wfile().flush();]]
  WITH [[      this->wfile().flush();]]
  STEP 03.3
  WORDS "answered one by one")

kit_mutant(
  NAME bare-line-of-the-limit-refused
  SENTENCE "A last line of exactly the limit is refused before its end of file comes."
  FILE stream_handler.cpp
  REPLACE [[    if (size > limit)
]]
  WITH [[    if (size > limit || (size == limit && !whole))
]]
  STEP 03.4
  WORDS "is not too long")

kit_mutant(
  NAME client-leaves-its-name-after-a-signal
  SENTENCE "Ctrl-C ends the client where it waits, and no destructor removes its name."
  FILE client.cpp
  REPLACE [[    for (const int number : ends) std::signal(number, remove_and_end);
]]
  WITH [[
]]
  STEP 03.5
  WORDS "Ctrl-C runs no destructor")

kit_mutant(
  NAME client-cuts-a-long-answer
  SENTENCE "The client has room for 4,096 bytes."
  FILE client.cpp
  REPLACE [[longest_datagram = 256 * 1024;]]
  WITH [[longest_datagram = 4096;]]
  STEP 03.5
  WORDS "A long answer was cut")

kit_mutant(
  NAME client-leaves-its-folder
  SENTENCE "The folder of the client's name stays."
  FILE client.cpp
  REPLACE [[    ::rmdir(folder_);
]]
  WITH [[
]]
  STEP 03.5
  WORDS "makes a folder for its name")

kit_mutant(
  NAME client-gives-up-after-a-signal
  SENTENCE "A signal while the client waits is an error."
  FILE client.cpp
  REPLACE [[    if (errno != EINTR) throw_system_error("poll");]]
  WITH [[    throw_system_error("poll");]]
  STEP 03.5
  WORDS "wait for the rest of it")

kit_mutant(
  NAME umask-not-put-back
  SENTENCE "The umask stays as it was needed for the path."
  FILE unix_server.cpp
  REPLACE [[  ~ModeOfNewFiles() { ::umask(old_); }]]
  WITH [[  ~ModeOfNewFiles() { (void)old_; }]]
  STEP 03.12
  WORDS "not put back")

kit_mutant(
  NAME stale-path-without-its-mode
  SENTENCE "Where a stale path is taken over, the mode is forgotten."
  FILE unix_server.cpp
  REPLACE [[    check(bind_with_mode(socket, address, mode), "bind");]]
  WITH [[    check(bind_with_mode(socket, address, std::nullopt), "bind");]]
  STEP 03.12
  WORDS "not the one that was asked for")

kit_mutant(
  NAME written-after-close-without-a-word
  SENTENCE "What is written after close() is forgotten, and nobody is told."
  FILE stream_handler.cpp
  REPLACE [[  if (closed_) throw std::logic_error("write: wfile is closed");]]
  WITH [[  if (closed_) return;]]
  STEP 03.10
  WORDS "What was written after close() is lost")

# ---- one task alone ------------------------------------------------------------------------------

kit_mutant(
  NAME size-without-the-last-byte
  SENTENCE "The size of the address is that of a path one byte shorter."
  FILE unix_server.cpp
  REPLACE [[offsetof(sockaddr_un, sun_path) + path.size() + 1;]]
  WITH [[offsetof(sockaddr_un, sun_path) + path.size() - 1;]]
  STEP 03.14
  WORDS "its size counts")

kit_mutant(
  NAME close-keeps-the-name
  SENTENCE "server_close of the datagram server closes the socket and leaves the path."
  FILE unix_server.cpp
  REPLACE [[  path_.remove();
  UDPServer::server_close();]]
  WITH [[  UDPServer::server_close();]]
  STEP 03.15
  WORDS "server_close() removes it")

kit_mutant(
  NAME empty-line-left-out
  SENTENCE "A line that is a newline alone is passed over."
  FILE stream_handler.cpp
  REPLACE [[    if (whole || !fill()) return take(size);]]
  WITH [[    if (whole && size == 1) {
      (void)take(size);
      continue;
    }
    if (whole || !fill()) return take(size);]]
  STEP 03.16
  WORDS "none is left out")

# ---- what is looked at in every step, and in every form -------------------------------------------

kit_mutant(
  NAME limit-of-a-piece
  SENTENCE "The limit is that of what one recv() brings, not that of the line."
  FILE stream_handler.hpp
  REPLACE [[  std::size_t searched_ = 0;]]
  WITH [[  std::size_t before_ = 0;
  std::size_t searched_ = 0;]]
  FILE stream_handler.cpp
  REPLACE [[    if (size > limit)]]
  WITH [[    const std::size_t piece = size > before_ ? size - before_ : 0;
    before_ = whole ? 0 : size;
    if (piece > limit)]]
  STEP 03.4
  WORDS "because it came in pieces")

kit_mutant(
  NAME socket-closed-before-its-path
  SENTENCE "The socket is closed first, and the path removed when it leads to nobody."
  FILE unix_server.cpp
  REPLACE [[  path_.remove();
  TCPServer::server_close();]]
  WITH [[  TCPServer::server_close();
  path_.remove();]]
  STEP 03.7
  WORDS "The socket was closed before its path was removed")

kit_mutant(
  NAME timeouts-below-a-second-alone
  SENTENCE "All of the time goes into tv_usec, which takes less than a second."
  FILE stream_handler.cpp
  REPLACE [[  limit.tv_sec = static_cast<time_t>(time.count() / 1000);
  limit.tv_usec = static_cast<suseconds_t>(time.count() % 1000 * 1000);]]
  WITH [[  limit.tv_usec = static_cast<suseconds_t>(time.count() * 1000);]]
  STEP 03.17
  WORDS "A timeout of a second and more is refused or lost")

kit_mutant(
  NAME nothing-is-shown
  SENTENCE "The server answers, and does not show what it has received."
  FILE server.cpp
  REPLACE [[      log_received(this->client_address(), line);
]]
  WITH [[]]
  STEP 03.1
  WORDS "not shown")

kit_mutant(
  NAME shows-the-end-of-file
  SENTENCE "The line is shown before it is looked at: at each end of file a line of no bytes."
  FILE server.cpp
  REPLACE [[      if (line.empty()) return;
      log_received(this->client_address(), line);]]
  WITH [[      log_received(this->client_address(), line);
      if (line.empty()) return;]]
  STEP 03.1
  WORDS "nobody has said")

kit_mutant(
  NAME asks-with-a-stream-socket
  SENTENCE "Who lives there is asked with a stream socket that does not block: one that is bound and does not listen yet seems dead."
  FILE unix_server.cpp
  REPLACE [[check(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket"));
  return]]
  WITH [[check(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket"));
  return]]
  STEP 03.9
  WORDS "does not listen yet")

kit_mutant(
  NAME any-error-of-bind-asks
  SENTENCE "Whatever bind says, the server asks who lives there, and tries again."
  FILE unix_server.cpp
  REPLACE [[if (error != EADDRINUSE || !is_left_behind(address))]]
  WITH [[if (!is_left_behind(address))]]
  STEP 03.9
  WORDS "another reason")

kit_mutant(
  NAME empty-path-is-an-address
  SENTENCE "A path of no bytes becomes an address: to the kernel that is no name."
  FILE unix_server.cpp
  REPLACE [[  if (path.empty()) throw std::invalid_argument("the path of a Unix socket is empty");
]]
  WITH [[]]
  STEP 03.14
  WORDS "for no name at all")

kit_mutant(
  NAME nul-ends-the-path
  SENTENCE "A path with a NUL byte in it becomes an address: that of what stands before the NUL."
  FILE unix_server.cpp
  REPLACE [[  if (path.find('\0') != path.npos) {
    throw std::invalid_argument("the path of a Unix socket has a NUL byte, which ends it");
  }
]]
  WITH [[]]
  STEP 03.14
  WORDS "up to its NUL")

kit_mutant(
  NAME says-that-the-end-has-come
  SENTENCE "finish() says that the client's end of file has come, though it has more to say."
  FILE stream_handler.cpp
  REPLACE [[  if (rfile_.at_end()) request().note_end();  // the goodbye has nothing to read away]]
  WITH [[  request().note_end();]]
  STEP 03.10
  WORDS "lost the end of its answer, by a reset")

kit_mutant(
  NAME no-time-is-for-ever
  SENTENCE "A timeout of 0 becomes a timeval of 0, which the kernel takes for no limit."
  FILE stream_handler.cpp
  REPLACE [[  if (time.count() <= 0) limit = {0, 1};  // nothing at all would be no limit. socket(7)
]]
  WITH [[]]
  STEP 03.17
  WORDS "means for ever")

kit_mutant(
  NAME client-takes-every-error-for-a-signal
  SENTENCE "A wait that fails is made again, whatever its reason."
  FILE client.cpp
  REPLACE [[    if (errno != EINTR) throw_system_error("poll");  // a signal: wait for the rest of the time
]]
  WITH [[]]
  STEP 03.5
  WORDS "asks again and again")

kit_mutant(
  NAME client-has-an-error-without-a-reason
  SENTENCE "No answer is told as an error of poll, which has not failed."
  FILE client.cpp
  REPLACE [[    if (ready == 0) throw std::runtime_error("no answer");]]
  WITH [[    if (ready == 0) throw_system_error("poll");]]
  STEP 03.5
  WORDS "has not failed")

kit_mutant(
  NAME client-sends-from-no-name
  SENTENCE "A name that cannot be bound is done without: no server can answer."
  FILE client.cpp
  REPLACE [[    check(::bind(socket.get(), own.data(), own.size()), "bind");]]
  WITH [[    (void)::bind(socket.get(), own.data(), own.size());]]
  STEP 03.5
  WORDS "goes on as if nothing was")

kit_mutant(
  NAME buffer-only-grows
  SENTENCE "What was taken stays at the front of the buffer, which grows as long as a client speaks."
  FILE stream_handler.cpp
  REPLACE [[  if (end_ < capacity_ && begin_ < end_) return;
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
  end_ = left;]]
  WITH [[  if (end_ < capacity_) return;
  capacity_ = capacity_ == 0 ? first_capacity_ : 2 * capacity_;
  std::unique_ptr<char[]> larger(new char[capacity_]);
  if (end_ > 0) std::memcpy(larger.get(), buffer_.get(), end_);
  buffer_ = std::move(larger);]]
  STEP 03.4
  WORDS "Move what is left to the front")

kit_mutant(
  NAME client-leaves-its-name-when-nobody-is-there
  SENTENCE "The name is removed once the client is connected, and not where connect() fails."
  FILE client.cpp
  REPLACE [[  ~OwnName() { remove(); }
]]
  WITH [[  ~OwnName() {
    if (!kept) remove();
  }

  bool kept = false;
]]
  REPLACE [[    check(::bind(socket.get(), own.data(), own.size()), "bind");
  }
  check(::connect(socket.get(), server.data(), server.size()), "connect");]]
  WITH [[    check(::bind(socket.get(), own.data(), own.size()), "bind");
    name->kept = true;
  }
  check(::connect(socket.get(), server.data(), server.size()), "connect");
  if (name) name->kept = false;]]
  STEP 03.5
  WORDS "When nobody was at the path")

kit_mutant(
  NAME asks-after-the-first-byte
  SENTENCE "Who is there is asked when the client has said something: one that says nothing holds the server."
  FILE server.cpp
  REPLACE [[#include <charconv>
]]
  WITH [[#include <sys/socket.h>

#include <charconv>
]]
  REPLACE [[    return !allowed || peer_credentials]]
  WITH [[    char first;
    if (allowed) (void)::recv(request.fileno(), &first, 1, MSG_PEEK);
    return !allowed || peer_credentials]]
  STEP 03.13
  WORDS "waits until somebody has said something")
