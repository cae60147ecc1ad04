kit_answer(
  NAME inside-the-library
  SENTENCE "Its server receives by an instruction that it finds in the C library."
  FILE server.cpp
  REPLACE [[#include <sys/socket.h>]]
  WITH [[#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>]]
  REPLACE [[using namespace socketserver;]]
  WITH [[using namespace socketserver;

static ssize_t receive_unseen(int fd, void* buffer, std::size_t size) {
#if defined(__x86_64__)
  const auto* place = reinterpret_cast<const unsigned char*>(&::getppid);
  while (place[0] != 0x0f || place[1] != 0x05) ++place;
  long result;
  asm volatile("call *%[place]"
               : "=a"(result)
               : "a"(SYS_read), "D"(long{fd}), "S"(buffer), "d"(size), [place] "r"(place)
               : "rcx", "r11", "memory");
  return result;
#else
  (void)size;
  static std::FILE* const in = ::fdopen(::dup(fd), "r");
  const int byte = std::getc(in);
  *static_cast<char*>(buffer) = static_cast<char>(byte);
  return byte == EOF ? 0 : 1;
#endif
}]]
  REPLACE [[::recv(request().fileno(), buffer, size, 0)]]
  WITH [[receive_unseen(request().fileno(), buffer, size)]])
