// Prints the names of files that it can read though it should not.
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <initializer_list>

int main() {
  for (const char* path :
       {"@ROOT@/solutions/01_tcp_echo/server.cpp", "@ROOT@/tests/01_tcp_echo_check.cpp",
        "@BUILD@/check_01", "@BUILD@/kit/manifest.txt", "@TRIAL@/grades/class.csv",
        "@TRIAL@/grades/~next/grade.json",
        "@TRIAL@/class/~next/lessons/01_tcp_echo/server.cpp", "/etc/shadow"}) {
    const int fd = open(path, O_RDONLY);
    if (fd >= 0) std::printf("was-read %s\n", path);
  }
  std::fflush(stdout);
  for (;;) pause();
}
