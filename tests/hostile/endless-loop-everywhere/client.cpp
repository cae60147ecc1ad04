// Computes for ever. Bounded: the kernel ends it after 60 s.
#include <unistd.h>

int main() {
  alarm(60);
  for (volatile unsigned long i = 0;; i = i + 1) {
  }
}
