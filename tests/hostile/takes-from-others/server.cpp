// Whoever may harm one process of a user by these calls may harm all of them: the check, and
// kit-grade.

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>

int main() {
  int heard = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const int pid = std::atoi(entry.path().filename().c_str());
    if (pid <= 1 || pid == getpid()) continue;
    // What is there already: where the calls are heard, nobody is harmed.
    rlimit files{}, seconds{};
    const sched_param none{};
    heard += ::prlimit(pid, RLIMIT_NOFILE, nullptr, &files) == 0 &&
             ::prlimit(pid, RLIMIT_NOFILE, &files, nullptr) == 0;
    heard += ::prlimit(pid, RLIMIT_CPU, nullptr, &seconds) == 0 &&
             ::prlimit(pid, RLIMIT_CPU, &seconds, nullptr) == 0;
    const int nice = ::getpriority(PRIO_PROCESS, static_cast<id_t>(pid));
    heard += ::setpriority(PRIO_PROCESS, static_cast<id_t>(pid), nice) == 0;
    heard += ::sched_setscheduler(pid, ::sched_getscheduler(pid), &none) == 0;
  }
  std::cout << heard << " calls were heard" << std::endl;
}
