kit_answer(
  NAME stdio-on-a-socket
  SENTENCE "Its answers go by a stream of <cstdio>, which no fault meets: what is not seen earns nothing."
  FILE server.cpp
  REPLACE [[#include <sys/socket.h>]]
  WITH [[#include <sys/socket.h>
#include <unistd.h>]]
  REPLACE [[#include <cerrno>]]
  WITH [[#include <cerrno>
#include <cstdio>]]
  REPLACE [[    while (!bytes.empty()) {
]]
  THROUGH [[        throw_system_error("send");
      }
    }]]
  WITH [[    std::FILE* const stream = ::fdopen(::dup(request().fileno()), "w");
    std::fwrite(bytes.data(), 1, bytes.size(), stream);
    std::fclose(stream);]])
