// Kills whom it can reach. Bounded: "all" only under a user that is nobody else's.
#include <signal.h>
#include <unistd.h>

int main() {
  alarm(20);
  kill(getppid(), SIGKILL);
  if (getuid() >= 60600) {
    for (pid_t pid = 2; pid < 40'000; ++pid) {
      if (pid != getpid()) kill(pid, SIGKILL);
    }
    kill(-1, SIGKILL);
  }
  for (;;) pause();
}
