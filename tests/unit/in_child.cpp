#include <sys/wait.h>
#include <unistd.h>

#include "loopback.hpp"

int unit::in_child(const std::function<void()>& body) {
  const pid_t child = check(::fork(), "fork");
  if (child == 0) {
    // A child that went back into the test runner would run the rest of the suite.
    try {
      body();
    } catch (...) {
      ::_exit(99);
    }
    ::_exit(0);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) == -1 && errno == EINTR) {
  }
  return status;
}
