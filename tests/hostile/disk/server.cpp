// Fills the folder it was given. Bounded: 200 MiB, gone in 20 s.
#include <fcntl.h>
#include <unistd.h>

#include <string>
#include <vector>

int main() {
  alarm(20);
  const std::vector<char> piece(1 << 20, 'x');
  for (int file = 0; file < 20; ++file) {
    const std::string name = "fill-" + std::to_string(file);
    const int fd = open(name.c_str(), O_WRONLY | O_CREAT, 0600);
    for (int i = 0; i < 10; ++i) {
      if (write(fd, piece.data(), piece.size()) < 0) break;
    }
  }
  for (;;) pause();
}
