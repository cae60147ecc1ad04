#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cctype>
#include <cstddef>

int main() {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(9999);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address);
  listen(listener, 5);
  for (;;) {
    const int connection = accept(listener, nullptr, nullptr);
    char buffer[1024];
    const ssize_t count = recv(connection, buffer, sizeof buffer, 0);
    for (ssize_t i = 0; i < count; ++i) {
      buffer[i] = static_cast<char>(std::toupper(static_cast<unsigned char>(buffer[i])));
    }
    send(connection, buffer, static_cast<std::size_t>(count), 0);
    close(connection);
  }
}
