// Takes the check for a victim. Bounded: one word at an address that is not used.
#include <fcntl.h>
#include <sys/ptrace.h>
#include <unistd.h>

#include <cstdio>
#include <initializer_list>
#include <string>

int main() {
  alarm(20);
  const std::string check = "/proc/" + std::to_string(getppid());
  for (const char* file : {"/mem", "/environ", "/fd/1", "/oom_score_adj"}) {
    const int fd = open((check + file).c_str(), O_RDWR);
    if (fd >= 0) {
      [[maybe_unused]] const auto n = write(fd, "was-here", 8);
    }
  }
  ptrace(PTRACE_ATTACH, getppid(), nullptr, nullptr);
  for (;;) pause();
}
