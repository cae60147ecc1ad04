# Right answers to lesson 01, written differently: every step must accept them. The form of an answer:
# tests/cmake/mutants.cmake. A file of which little remains stands whole in 01_tcp_echo/.

kit_answer(
  NAME accept4-and-a-big-buffer
  SENTENCE "accept4() takes connections from a socket that never blocks; one buffer of 1 MiB serves all."
  WHOLE server.cpp
  WHOLE tcp_server.cpp)

kit_answer(
  NAME by-hand
  SENTENCE "The address is taken apart and put together by hand; descriptors are numbers."
  WHOLE tcp_server.cpp)

kit_answer(
  NAME byte-at-a-time
  SENTENCE "The server receives one byte and sends one byte."
  WHOLE server.cpp)

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
  REPLACE [[  while (!bytes.empty()) {
    const ssize_t count = ::send(connection.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno != EINTR) {]]
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
  WHOLE server.cpp)

kit_answer(
  NAME read-and-write
  SENTENCE "read() and write() in place of recv() and send(); the whole process ignores SIGPIPE."
  WHOLE client.cpp
  WHOLE server.cpp)

kit_answer(
  NAME readv-and-writev
  SENTENCE "The server uses readv() and writev() with two buffers; SIGPIPE is ignored by the program."
  WHOLE server.cpp)

kit_answer(
  NAME recvmsg-and-sendmsg
  SENTENCE "recvmsg() fills two buffers at once, and sendmsg() sends from both."
  WHOLE server.cpp)
