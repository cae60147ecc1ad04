// Listens, but each answer begins only when patience is nearly at its end. Bounded: gone in 60 s.
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

int main() {
  alarm(60);
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  bind(listener, reinterpret_cast<sockaddr*>(&address), size);
  listen(listener, 5);
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  sleep(4);
  std::printf("listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
  std::fflush(stdout);
  for (;;) {
    const int connection = accept(listener, nullptr, nullptr);
    char bytes[64];
    ssize_t n;
    while ((n = recv(connection, bytes, 1, 0)) > 0) {
      sleep(4);
      send(connection, bytes, 1, MSG_NOSIGNAL);
    }
    close(connection);
  }
}
