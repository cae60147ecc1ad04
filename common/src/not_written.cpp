#include <unistd.h>
#include <socketserver/not_written.hpp>

#include <cstdio>

namespace socketserver {

void not_written(const char* task, const char* what, const char* file, int line) noexcept {
  char text[512];
  const int size =
      std::snprintf(text, sizeof text, "not written: %s (%s)  %s:%d\n", what, task, file, line);
  // Nothing can be done if stderr is closed: the exit status says it as well.
  [[maybe_unused]] const auto ignored =
      ::write(STDERR_FILENO, text, size < 0 ? 0 : static_cast<std::size_t>(size));
  ::_exit(not_written_status);
}

}  // namespace socketserver
