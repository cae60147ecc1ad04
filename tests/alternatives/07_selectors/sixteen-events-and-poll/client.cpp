// The client by poll(2) and a socket made non-blocking, with read() and write().

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <socketserver/file_descriptor.hpp>
#include <socketserver/portable.hpp>
#include <socketserver/program.hpp>
#include <socketserver/system_call.hpp>

#include <cerrno>
#include <csignal>
#include <string>

using namespace socketserver;

namespace {

// True: bytes were moved from one to the other's waiting room; false: the end.
bool read_into(int fd, std::string& bytes) {
  char buffer[5000];
  const ssize_t count = ::read(fd, buffer, sizeof buffer);
  if (count == -1 && errno != EAGAIN && errno != EINTR) throw_system_error("read");
  if (count > 0) bytes.append(buffer, static_cast<std::size_t>(count));
  return count != 0;
}

void write_from(int fd, std::string& bytes) {
  const ssize_t count = ::write(fd, bytes.data(), bytes.size());
  if (count == -1 && errno != EAGAIN && errno != EINTR) throw_system_error("write");
  if (count > 0) bytes.erase(0, static_cast<std::size_t>(count));
}

}  // namespace

void run(const Options& options) {
  std::signal(SIGPIPE, SIG_IGN);
  const Address server = options.address();
  const FileDescriptor connection(
      check(::socket(server.family(), SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
  const int fd = connection.get();
  check(::connect(fd, server.data(), server.size()), "connect");
  set_nonblocking(fd);

  std::string typed, heard;
  bool terminal_open = true, half_closed = false, server_open = true;
  while (server_open || !heard.empty()) {
    if (!terminal_open && typed.empty() && !half_closed) {
      check(::shutdown(fd, SHUT_WR), "shutdown");
      half_closed = true;
    }
    pollfd polled[3] = {
        {terminal_open && typed.size() < 10'000 ? STDIN_FILENO : -1, POLLIN, 0},
        {server_open ? fd : -1,
         static_cast<short>((heard.size() < 100'000 ? POLLIN : 0) | (typed.empty() ? 0 : POLLOUT)),
         0},
        {heard.empty() ? -1 : STDOUT_FILENO, POLLOUT, 0}};
    if (::poll(polled, 3, -1) == -1 && errno != EINTR) throw_system_error("poll");
    if (polled[0].revents != 0) terminal_open = read_into(STDIN_FILENO, typed);
    if (polled[1].revents & (POLLIN | POLLHUP | POLLERR)) server_open = read_into(fd, heard);
    if (polled[1].revents & POLLOUT) write_from(fd, typed);
    if (polled[2].revents != 0) write_from(STDOUT_FILENO, heard);
  }
}

int main(int argc, char* argv[]) {
  return client_main(argc, argv, {{"--path", "PATH", "the address of a Unix server"}}, nullptr,
                     run);
}
