// Takes memory and uses it. Bounded: 420 MiB (below the sanitizers' own limit), gone in 20 s.
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

int main() {
  alarm(20);
  for (int i = 0; i < 42; ++i) {
    constexpr std::size_t piece = 10u << 20;
    void* const memory =
        mmap(nullptr, piece, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory != MAP_FAILED) std::memset(memory, 1, piece);
  }
  for (;;) pause();
}
