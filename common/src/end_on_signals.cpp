// EndOnSignals: the end of a server by a signal, and its limit in time.
// See also: signal-safety(7), sigaction(2), setitimer(2).

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>
#include <socketserver/log.hpp>
#include <socketserver/program.hpp>
#include <socketserver/system_call.hpp>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <mutex>
#include <thread>

#include "loop.hpp"

namespace socketserver {
namespace {

using std::chrono::milliseconds;

// How long a request that was cut off may take to notice. A handler that sleeps or computes does
// not: then the process ends without it.
constexpr milliseconds last_wait{1000};

// Who ends on signals: what the handlers may look at.
std::atomic<BaseServer*> servers[EndOnSignals::most];
std::atomic<int> inside{0};            // how many handlers are looking just now
std::atomic<bool> cut_off{false};      // whether the grace is over
std::atomic<bool> alarm_taken{false};  // whether SIGALRM is ours

std::mutex installing;
int installed = 0;  // guarded by `installing`, as is what the signals did before
struct sigaction old_interrupt {};
struct sigaction old_terminate {};
struct sigaction old_alarm {};

struct Inside {
  Inside() { inside += 1; }
  ~Inside() {
    inside -= 1;
    errno = saved;
  }
  const int saved = errno;
};

sigset_t end_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGINT, SIGTERM, SIGALRM}) sigaddset(&set, number);
  return set;
}

// setitimer(2) is missing in POSIX's list of what a handler may call; it is a plain system call.
void set_alarm(milliseconds time) noexcept {
  itimerval once{};
  once.it_value.tv_sec = static_cast<time_t>(time.count() / 1000);
  once.it_value.tv_usec = static_cast<suseconds_t>(time.count() % 1000 * 1000);
  (void)::setitimer(ITIMER_REAL, &once, nullptr);
}

}  // namespace

// What the handlers do: a member, because it looks into the loops.
struct EndOnSignals::Handlers {
  // Whether the signal says something new to this server. In its own process only the first one
  // does. A child may hear of the same event twice, if it went to the whole group of processes (the
  // terminal does that, and service managers) and is passed on by its parent as well.
  static bool hear(BaseServer::Loop& loop, pid_t sender) noexcept {
    const pid_t self = ::getpid();
    const pid_t owner = loop.owner;
    if (loop.signalled.exchange(self) != self) {
      loop.by_owner = loop.by_other = false;
      (sender == owner ? loop.by_owner : loop.by_other) = true;
      return true;
    }
    if (self == owner) return false;
    return !(sender == owner ? loop.by_owner : loop.by_other).exchange(true);
  }

  static void on_signal(int number, siginfo_t* info, void*) noexcept {
    const Inside guard;
    const pid_t sender = info->si_code == SI_USER ? info->si_pid : 0;
    bool news = false;
    std::optional<milliseconds> grace = milliseconds(0);  // no value: one of them has no limit
    for (const auto& place : servers) {
      BaseServer* const server = place;
      if (server == nullptr) continue;
      BaseServer::Loop& loop = *server->loop_;
      news |= hear(loop, sender);
      if (loop.owner == ::getpid()) loop.wake.wake();
      // A thread that sits in recv never looks at the pipe.
      loop.under_way.shutdown_all(SHUT_RD);
      grace =
          grace && server->grace ? std::optional(std::max(*grace, *server->grace)) : std::nullopt;
    }
    if (!news) {
      std::signal(number, SIG_DFL);
      std::raise(number);
    } else if (grace) {
      limit_the_end(*grace);
    }
  }

  static void limit_the_end(milliseconds grace) noexcept {
    struct sigaction action {};
    action.sa_handler = on_alarm;
    action.sa_mask = end_signals();
    const bool first = !alarm_taken.exchange(true);
    (void)::sigaction(SIGALRM, &action, first ? &old_alarm : nullptr);
    cut_off = false;
    set_alarm(std::max(grace, milliseconds(1)));
  }

  static void on_alarm(int) noexcept {
    const Inside guard;
    int left = 0;
    for (const auto& place : servers) {
      BaseServer* const server = place;
      if (server != nullptr) left += server->loop_->under_way.size();
    }
    if (left == 0) return;
    cut_off.exchange(true) ? leave() : cut(left);
  }

  static void cut(int left) noexcept {
    char text[80] = "the grace is over: requests cut off: ";
    char* const number = text + std::strlen(text);
    const auto [end, error] = std::to_chars(number, std::end(text), left);
    log_error({text, static_cast<std::size_t>(end - text)});
    for (const auto& place : servers) {
      BaseServer* const server = place;
      if (server != nullptr) server->loop_->under_way.shutdown_all(SHUT_RDWR);
    }
    set_alarm(last_wait);
  }

  // A handler does not notice that it was cut off. All that outlives a process is a path.
  [[noreturn]] static void leave() noexcept {
    log_error("the grace is over: ended in the midst of a request");
    bool is_owner = true;
    for (const auto& place : servers) {
      const BaseServer* const server = place;
      if (server == nullptr) continue;
      is_owner = server->loop_->owner == ::getpid();
      if (is_owner && server->fileno() != -1) remove_name(*server->loop_);
    }
    ::_exit(is_owner ? 0 : 1);
  }

  // If it is still the one that the server has made: by now it may be somebody else's.
  static void remove_name(const BaseServer::Loop& loop) noexcept {
    const ino_t inode = loop.bound_inode;
    struct stat file {};
    if (inode == 0 || ::lstat(loop.bound_path.get(), &file) == -1) return;
    const bool is_ours = file.st_ino == inode && file.st_dev == loop.bound_device;
    if (is_ours) (void)::unlink(loop.bound_path.get());
  }
};

EndOnSignals::EndOnSignals(BaseServer& server) : server_(server) {
  const std::lock_guard lock(installing);
  auto* const place = std::find(std::begin(servers), std::end(servers), nullptr);
  if (place == std::end(servers)) throw_system_error("EndOnSignals", EAGAIN);
  BaseServer::Loop& loop = *server.loop_;
  loop.signalled = 0;
  loop.owner = ::getpid();
  loop.ends_on_signals = true;
  *place = &server;
  if (installed == 0) {
    struct sigaction action {};
    action.sa_sigaction = Handlers::on_signal;
    action.sa_flags = SA_SIGINFO;
    action.sa_mask = end_signals();
    check(::sigaction(SIGTERM, &action, &old_terminate), "sigaction");
    check(::sigaction(SIGINT, nullptr, &old_interrupt), "sigaction");
    // Who starts a program in the background has SIGINT ignored: ^C is for the others then.
    if (old_interrupt.sa_handler != SIG_IGN) (void)::sigaction(SIGINT, &action, nullptr);
  }
  installed += 1;
  // A mask is inherited, from whoever has started the program.
  const sigset_t signals = end_signals();
  (void)::pthread_sigmask(SIG_UNBLOCK, &signals, &blocked_before_);
}

EndOnSignals::~EndOnSignals() {
  sigset_t signals = end_signals();
  const std::lock_guard lock(installing);
  if (--installed == 0) {
    if (alarm_taken) {
      set_alarm(milliseconds(0));
      std::signal(SIGALRM, SIG_IGN);  // forgets one that is on its way
      (void)::sigaction(SIGALRM, &old_alarm, nullptr);
      alarm_taken = false;
    }
    // Neither can fail: the numbers are those of the constructor.
    (void)::sigaction(SIGINT, &old_interrupt, nullptr);
    (void)::sigaction(SIGTERM, &old_terminate, nullptr);
  }
  for (const int number : {SIGINT, SIGTERM, SIGALRM}) {
    if (!sigismember(&blocked_before_, number)) sigdelset(&signals, number);
  }
  (void)::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  *std::find(std::begin(servers), std::end(servers), &server_) = nullptr;
  server_.loop_->ends_on_signals = false;
  // A handler that runs on another thread may still look at the server, which is ours to destroy.
  while (inside > 0) std::this_thread::yield();
}

bool EndOnSignals::requested() const noexcept {
  return server_.loop_->signalled != 0;
}

}  // namespace socketserver
