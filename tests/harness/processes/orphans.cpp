#include "orphans.hpp"

#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

#include "harness/base/limits.hpp"
#include "harness/kernel/events.hpp"
#include "harness/kernel/proc.hpp"
#include "process.hpp"

#if defined(__linux__)
#include <sys/prctl.h>
#endif

namespace kit {

void adopt_orphans() {
#if defined(__linux__)
  static const bool once = prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0;
  (void)once;
#endif
}

namespace {

// Our children that are no Process: reaps those that have ended, and returns the others. One that
// has ended gives its own children to us, perhaps behind our back in the list: only a look that
// finds no child at all has found none.
std::vector<pid_t> reap_orphans() {
  for (;;) {
    std::vector<pid_t> left;
    bool reaped = false;
    for (pid_t child : proc::children(getpid())) {
      if (Process::is_one(child)) continue;
      if (waitpid(child, nullptr, WNOHANG) == 0) {
        left.push_back(child);
      } else {
        reaped = true;
      }
    }
    if (!left.empty() || !reaped) return left;
  }
}

#if defined(__linux__)
// Kills every process of a user, all at once: nothing it forks meanwhile escapes.
void kill_all_of(uid_t user) {
  const pid_t helper = fork();
  if (helper < 0) return;
  if (helper == 0) {
    // Its effective user may send to those processes; its real and saved user, which nobody else
    // has, keep them from sending to it.
    const uid_t unreachable = user + 1000;
    if (setgroups(0, nullptr) != 0 || setresuid(unreachable, user, unreachable) != 0) _exit(1);
    kill(-1, SIGKILL);
    _exit(0);
  }
  while (waitpid(helper, nullptr, 0) < 0 && errno == EINTR) {
  }
}
#endif

}  // namespace

std::vector<pid_t> orphans() {
  std::vector<pid_t> running;
  for (pid_t child : reap_orphans()) {
    const auto state = proc::status(child);
    if (state && !state->ending) running.push_back(child);
  }
  return running;
}

std::size_t end_orphans(std::optional<uid_t> user) noexcept {
  try {
    const Uninterrupted cleaning;
    std::size_t found = 0;
    bool first = true;
    const Deadline until = after(limits::reap);
    do {
#if defined(__linux__)
      if (user) kill_all_of(*user);
#else
      (void)user;
#endif
      const std::vector<pid_t> left = reap_orphans();
      if (first) found = left.size();
      first = false;
      if (left.empty()) return found;
      // Stop them all before any is killed, so that the last does not see the others go.
      for (pid_t child : left) kill(child, SIGSTOP);
      for (pid_t child : left) {
        kill(-child, SIGKILL);  // a group of its own, if it made one
        kill(child, SIGKILL);
      }
      std::vector<pollfd> none;
      serve(none, after(std::chrono::milliseconds(1)));
    } while (Clock::now() < until);
    return found;
  } catch (...) {
    return 0;
  }
}

}  // namespace kit
