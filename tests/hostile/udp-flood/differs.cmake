kit_answer(
  NAME udp-flood
  SENTENCE "Three processes send a byte to one port after the other. Bounded: they are gone in 10 s."
  FILE server.cpp
  REPLACE [[using namespace socketserver;]]
  WITH [[using namespace socketserver;

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static void flood(int fd) {
  ::alarm(10);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (unsigned port = 30000;; port = port == 65535 ? 1024 : port + 1) {
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    (void)::sendto(fd, "X", 1, MSG_DONTWAIT, reinterpret_cast<sockaddr*>(&to), sizeof to);
  }
}]]
  REPLACE [[  start_listening(server);
]]
  WITH [[  start_listening(server);
  for (int i = 0; i < 3; ++i) {
    if (::fork() == 0) flood(server.fileno());
  }
]])
