// Memory that the kernel keeps for sockets. Bounded: 900 pairs of 0.4 MiB.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstddef>
#include <vector>

int main() {
  alarm(20);
  const std::vector<char> bytes(std::size_t{1} << 16);
  for (int process = 0; process < 2; ++process) {
    for (int i = 0; i < 450; ++i) {
      int pair[2];
      if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) != 0) break;
      const int size = 1 << 19;
      setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
      while (send(pair[0], bytes.data(), bytes.size(), MSG_NOSIGNAL) > 0) {
      }
    }
    if (fork() != 0) break;
    alarm(20);
  }
  for (;;) pause();
}
