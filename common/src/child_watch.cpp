#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include <socketserver/child_watch.hpp>
#include <socketserver/system_call.hpp>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <thread>
#include <utility>

namespace socketserver {
namespace {

// What the handler may look at: the pipe of each watch.
struct Place {
  std::atomic<WakePipe*> pipe{nullptr};
  std::atomic<pid_t> owner{0};  // a forked child has copies, and does not write to its parent
};
Place places[ChildWatch::most_watches];
static_assert(std::atomic<WakePipe*>::is_always_lock_free);

std::atomic<int> inside{0};  // how many handlers are looking just now

std::mutex installing;
pid_t counted_by = 0;            // guarded by `installing`: whose handlers `inside` counts
int watches = 0;                 // guarded by `installing`
struct sigaction old_action {};  // guarded by `installing`: what SIGCHLD did before the first watch

// Of it, what the handler calls. One that came late may run while the next watch begins, and
// whatever it finds here can be called.
std::atomic<void (*)(int)> old_handler{nullptr};
std::atomic<void (*)(int, siginfo_t*, void*)> old_handler_with_info{nullptr};

extern "C" void note_child(int number, siginfo_t* info, void* context) {
  inside += 1;
  for (const Place& place : places) {
    WakePipe* const pipe = place.pipe;
    if (pipe != nullptr && place.owner == ::getpid()) pipe->wake();
  }
  inside -= 1;
  if (const auto call = old_handler.load()) call(number);
  if (const auto call = old_handler_with_info.load()) call(number, info, context);
}

void install() {
  struct sigaction action {};
  action.sa_sigaction = note_child;
  action.sa_flags = SA_SIGINFO | SA_RESTART | SA_NOCLDSTOP;
  sigemptyset(&action.sa_mask);
  check(::sigaction(SIGCHLD, nullptr, &old_action), "sigaction");
  const bool with_info = old_action.sa_flags & SA_SIGINFO;
  const bool calls =
      with_info || (old_action.sa_handler != SIG_DFL && old_action.sa_handler != SIG_IGN);
  old_handler = calls && !with_info ? old_action.sa_handler : nullptr;
  old_handler_with_info = with_info ? old_action.sa_sigaction : nullptr;
  check(::sigaction(SIGCHLD, &action, nullptr), "sigaction");
}

// Puts the old handler back, unless somebody has installed one over ours: it may still call ours.
bool uninstall() noexcept {
  struct sigaction present {};
  (void)::sigaction(SIGCHLD, nullptr, &present);
  if (!(present.sa_flags & SA_SIGINFO) || present.sa_sigaction != note_child) return false;
  (void)::sigaction(SIGCHLD, &old_action, nullptr);
  return true;
}

bool installed = false;  // guarded by `installing`

}  // namespace

ChildWatch::ChildWatch() {
  // A mask is inherited, from whoever has started the program.
  sigset_t child_signal;
  sigemptyset(&child_signal);
  sigaddset(&child_signal, SIGCHLD);
  (void)::pthread_sigmask(SIG_UNBLOCK, &child_signal, nullptr);
  const std::lock_guard lock(installing);
  // A forked child has a copy of the count, and none of the threads that were inside.
  if (std::exchange(counted_by, ::getpid()) != ::getpid()) inside = 0;
  for (int i = 0; i < most_watches && place_ == -1; ++i) {
    if (places[i].pipe == nullptr) place_ = i;
  }
  if (place_ == -1) throw_system_error("ChildWatch", EAGAIN);
  if (!installed) install();
  installed = true;
  ++watches;
  Place& place = places[place_];
  place.owner = ::getpid();
  place.pipe = &pipe_;
  pipe_.wake();  // a child may have ended before
}

ChildWatch::~ChildWatch() {
  const std::lock_guard lock(installing);
  places[place_].pipe = nullptr;
  if (--watches == 0 && uninstall()) installed = false;
  // A handler that runs on another thread may still look at the pipe, which is closed next.
  while (places[place_].owner == ::getpid() && inside > 0) std::this_thread::yield();
}

void ChildWatch::leave_to_parent() noexcept {
  places[place_].pipe = nullptr;
  pipe_.close();
}

std::string describe_exit(int status) {
  if (WIFSIGNALED(status)) {
    const int number = WTERMSIG(status);
    return "killed by signal " + std::to_string(number) + " (" + ::strsignal(number) + ")";
  }
  return "exit status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace socketserver
