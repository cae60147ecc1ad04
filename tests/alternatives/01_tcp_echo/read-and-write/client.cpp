// Differs: read and write, one function, and errors said by hand.

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>
#include <socketserver/program.hpp>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

using namespace socketserver;

[[noreturn]] void die(const char* what) {
  std::fprintf(stderr, "%s failed: %s\n", what, std::strerror(errno));
  std::exit(1);
}

void run(const Options& options) {
  std::signal(SIGPIPE, SIG_IGN);
  const Address server = options.address();
  const int fd = ::socket(server.family(), SOCK_STREAM, 0);
  if (fd < 0) die("socket");
  if (::connect(fd, server.data(), server.size()) != 0) die("connect");
  const std::string line = options.sentence() + '\n';
  for (std::size_t done = 0; done < line.size();) {
    const ssize_t count = ::write(fd, line.data() + done, line.size() - done);
    if (count < 0 && errno != EINTR) die("write");
    if (count > 0) done += static_cast<std::size_t>(count);
  }
  if (::shutdown(fd, SHUT_WR) != 0) die("shutdown");
  std::string answer;
  for (;;) {
    char byte;
    const ssize_t count = ::read(fd, &byte, 1);
    if (count == 0) break;
    if (count < 0 && errno != EINTR) die("read");
    if (count > 0) answer += byte;
  }
  ::close(fd);
  if (answer.empty()) {
    std::fputs("the server gave no answer\n", stderr);
    std::exit(1);
  }
  std::printf("Sent:     %s\nReceived: %s", options.sentence().c_str(), answer.c_str());
}

int main(int argc, char* argv[]) {
  return client_main(argc, argv, {}, "WORD...", run);
}
