// Prints for ever. Bounded: 300 MiB, gone in 20 s.
#include <unistd.h>

#include <vector>

int main() {
  alarm(20);
  const std::vector<char> piece(1 << 16, 'x');
  for (int i = 0; i < 300 * 16; ++i) {
    if (write(STDOUT_FILENO, piece.data(), piece.size()) < 0) break;
  }
  for (;;) pause();
}
