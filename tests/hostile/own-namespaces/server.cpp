// Memory that belongs to nobody, elsewhere. Bounded: 600 MiB.
#include <sched.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>

int main() {
  alarm(20);
  if (fork() != 0) {
    for (;;) pause();
  }
  alarm(20);
  // (A process with a second thread may not: the child has one.)
  [[maybe_unused]] const int result = unshare(CLONE_NEWUSER | CLONE_NEWIPC);
  constexpr std::size_t size = std::size_t{50} << 20;
  for (int i = 0; i < 12; ++i) {
    const int segment = shmget(IPC_PRIVATE, size, IPC_CREAT | 0600);
    void* const memory = shmat(segment, nullptr, 0);
    if (memory == reinterpret_cast<void*>(-1)) break;
    std::memset(memory, 1, size);
    shmdt(memory);
  }
  for (;;) pause();
}
