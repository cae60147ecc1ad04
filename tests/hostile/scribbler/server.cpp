// Writes over whatever it was given: the recorder's shared memory, too.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

int main() {
  alarm(20);
  for (int fd = 3; fd < 1024; ++fd) {
    void* const memory = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory != MAP_FAILED) std::memset(memory, 0xFF, 4096);
    [[maybe_unused]] const auto n = pwrite(fd, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 8, 0);
    if (ftruncate(fd, 1) != 0) continue;
  }
  std::printf("listening on 127.0.0.1:1\n");
  std::fflush(stdout);
  for (;;) pause();
}
