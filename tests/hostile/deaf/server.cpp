// Cannot be asked to end. Bounded: gone in 60 s, unless it is stopped for good.
#include <signal.h>
#include <unistd.h>

#include <initializer_list>

int main() {
  alarm(60);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) signal(number, SIG_IGN);
  close(STDOUT_FILENO);
  close(STDERR_FILENO);
  kill(getpid(), SIGSTOP);
  for (;;) pause();
}
