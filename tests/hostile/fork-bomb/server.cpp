// Forks, and its children fork. Bounded: 150 processes at most (depth and width), gone in 20 s.
#include <unistd.h>

void fork_on(int depth) {
  alarm(20);
  for (int i = 0; i < 5 && depth > 0; ++i) {
    if (fork() == 0) return fork_on(depth - 1);
  }
  for (;;) pause();
}

int main() {
  fork_on(3);
}
