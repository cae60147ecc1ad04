kit_answer(
  NAME stdio-that-reads
  SENTENCE "Its requests come by a stream of <cstdio>, byte by byte."
  FILE server.cpp
  REPLACE [[#include <cerrno>
]]
  WITH [[#include <unistd.h>

#include <cerrno>
#include <cstdio>
]]
  REPLACE [[    for (;;) {
      const ssize_t count = ::recv(request().fileno(), buffer, size, 0);
      if (count >= 0) return static_cast<std::size_t>(count);
      if (errno != EINTR) throw_system_error("recv");  // a signal is no error: ask again
    }
  }]]
  WITH [[    (void)size;
    if (in_ == nullptr) in_ = ::fdopen(::dup(request().fileno()), "r");
    const int byte = std::getc(in_);
    if (byte != EOF) buffer[0] = static_cast<char>(byte);
    if (byte == EOF) std::fclose(in_);
    return byte == EOF ? 0 : 1;
  }

  std::FILE* in_ = nullptr;]])
