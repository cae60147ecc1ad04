// Memory that belongs to nobody. Bounded: 600 MiB.
#include <sys/ipc.h>
#include <sys/shm.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>

int main() {
  constexpr std::size_t size = std::size_t{50} << 20;
  for (int i = 0; i < 12; ++i) {
    const int segment = shmget(IPC_PRIVATE, size, IPC_CREAT | 0600);
    void* const memory = shmat(segment, nullptr, 0);
    if (memory == reinterpret_cast<void*>(-1)) break;
    std::memset(memory, 1, size);
    shmdt(memory);
  }
  alarm(20);
  for (;;) pause();
}
