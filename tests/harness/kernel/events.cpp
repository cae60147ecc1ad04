#include "events.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <system_error>

#include "harness/base/descriptor.hpp"
#include "harness/base/limits.hpp"
#include "lost_time.hpp"

namespace kit {
namespace {

using std::chrono::milliseconds;

// A pipe that signal handlers write to: poll cannot miss a signal that came just before it.
class SignalPipe {
 public:
  SignalPipe() {
    int ends[2];
    if (pipe(ends) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
    for (int end : ends) {
      fcntl(end, F_SETFD, FD_CLOEXEC);
      fcntl(end, F_SETFL, O_NONBLOCK);
    }
    read_ = Descriptor(ends[0]);
    write_ = Descriptor(ends[1]);
  }
  int fd() const { return read_.get(); }
  int write_fd() const { return write_.get(); }
  void drain() const {
    char bytes[64];
    while (read(fd(), bytes, sizeof bytes) > 0) {
    }
  }

 private:
  Descriptor read_, write_;
};

SignalPipe& signal_pipe() {
  static SignalPipe pipe;
  return pipe;
}

volatile sig_atomic_t interrupt_signal = 0;
volatile sig_atomic_t child_event = 0;
int signal_write_fd = -1;

void on_signal(int number) {
  const int saved = errno;
  if (number == SIGCHLD) {
    child_event = 1;
  } else {
    interrupt_signal = number;
  }
  const char byte = 0;
  // A full pipe wakes poll as well as this byte would.
  [[maybe_unused]] const auto written = write(signal_write_fd, &byte, 1);
  errno = saved;
}

int signals_depth = 0;

struct State {
  std::vector<Watch*> watches;
  void (*reap)() = nullptr;
  int uninterrupted = 0;
  Deadline end_of_time = Deadline::max();
  Lateness lateness;
};

State& state() {
  static State instance;
  return instance;
}

double number_from_environment(const char* name, double otherwise) {
  const char* text = std::getenv(name);
  if (text == nullptr) return otherwise;
  char* end = nullptr;
  const double value = std::strtod(text, &end);
  return end != text && value > 0 ? value : otherwise;
}

}  // namespace

milliseconds scaled(milliseconds time) {
  static const double scale = number_from_environment("KIT_TIME_SCALE", 1.0);
  return milliseconds(static_cast<long>(static_cast<double>(time.count()) * scale));
}

milliseconds event_time() {
  static const auto time = milliseconds(static_cast<long>(
      number_from_environment("KIT_DEADLINE_MS", static_cast<double>(limits::one_event.count()))));
  return scaled(time);
}

Deadline event_deadline() {
  return after(event_time());
}

struct Signals::Saved {
  struct sigaction actions[5];
  sigset_t mask;
};

namespace {
constexpr int handled[] = {SIGINT, SIGTERM, SIGHUP, SIGCHLD, SIGPIPE};
}

Signals::Signals() : saved_(new Saved) {
  ++signals_depth;
  signal_write_fd = signal_pipe().write_fd();
  sigset_t open;
  sigemptyset(&open);
  for (std::size_t i = 0; i < std::size(handled); ++i) {
    struct sigaction action {};
    action.sa_handler = handled[i] == SIGPIPE ? SIG_IGN : on_signal;
    sigemptyset(&action.sa_mask);
    action.sa_flags = handled[i] == SIGCHLD ? SA_NOCLDSTOP | SA_RESTART : 0;
    sigaction(handled[i], nullptr, &saved_->actions[i]);
    // Under nohup SIGHUP is ignored, and so it stays.
    if (handled[i] == SIGHUP && saved_->actions[i].sa_handler == SIG_IGN) continue;
    sigaction(handled[i], &action, nullptr);
    sigaddset(&open, handled[i]);
  }
  sigprocmask(SIG_UNBLOCK, &open, &saved_->mask);
}

Signals::~Signals() {
  for (std::size_t i = 0; i < std::size(handled); ++i) {
    sigaction(handled[i], &saved_->actions[i], nullptr);
  }
  if (--signals_depth == 0) interrupt_signal = 0;
  sigprocmask(SIG_SETMASK, &saved_->mask, nullptr);
  delete saved_;
}

Uninterrupted::Uninterrupted() {
  ++state().uninterrupted;
}
Uninterrupted::~Uninterrupted() {
  --state().uninterrupted;
}

void set_end_of_time(Deadline end) {
  state().end_of_time = end;
}

bool take_lateness() {
  return state().lateness.take();
}

Watch::Watch(int fd, short events, std::function<void(short)> ready)
    : fd_(fd), events_(events), ready_(std::move(ready)) {
  state().watches.push_back(this);
}

Watch::~Watch() {
  std::erase(state().watches, this);
}

void on_child_event(void (*reap)()) {
  state().reap = reap;
}

void serve(std::vector<pollfd>& also, Deadline until) {
  State& s = state();
  const bool may_throw = s.uninterrupted == 0;
  if (may_throw && interrupt_signal != 0) throw Interrupted(interrupt_signal);
  if (may_throw) until = std::min(until, s.end_of_time);

  // `also` first, so that the caller's revents are where it put them; then the signal pipe.
  const std::size_t callers = also.size();
  std::vector<Watch*> polled;
  also.push_back({signal_pipe().fd(), POLLIN, 0});
  for (Watch* watch : s.watches) {
    if (watch->events_ == 0) continue;
    polled.push_back(watch);
    also.push_back({watch->fd_, watch->events_, 0});
  }

  const auto left = until - Clock::now();
  const auto rounded = std::chrono::ceil<milliseconds>(left).count();
  const int timeout = static_cast<int>(std::clamp<long long>(rounded, 0, 60'000));
  const int ready = poll(also.data(), static_cast<nfds_t>(also.size()), timeout);
  const auto awake = Clock::now();
  const auto late = awake - until - limits::late;
  s.lateness.note(
      awake.time_since_epoch(), own_wait(),
      ready == 0 && timeout > 0 ? std::max(late, Clock::duration{0}) : Clock::duration{0});
  const std::vector<pollfd> rest(also.begin() + static_cast<std::ptrdiff_t>(callers), also.end());
  also.resize(callers);
  if (ready < 0) {
    for (pollfd& one : also) one.revents = 0;
    if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "poll");
    signal_pipe().drain();
  } else if (rest.front().revents != 0) {
    signal_pipe().drain();
  }

  if (child_event != 0) {
    child_event = 0;
    if (s.reap != nullptr) s.reap();
  }
  if (ready > 0) {
    for (std::size_t i = 0; i < polled.size(); ++i) {
      const short revents = rest[i + 1].revents;
      // A callback may have taken another watch away.
      if (revents == 0 || std::ranges::find(s.watches, polled[i]) == s.watches.end()) continue;
      polled[i]->ready_(revents);
    }
  }
  if (may_throw && interrupt_signal != 0) throw Interrupted(interrupt_signal);
  if (may_throw && Clock::now() >= s.end_of_time) throw OutOfTime();
}

bool wait_for(int fd, short events, Deadline until) {
  std::vector<pollfd> one{{fd, events, 0}};
  LostTime time(until);
  do {
    one.front().revents = 0;
    serve(one, time.next());
    if (one.front().revents != 0) return true;
  } while (!time.is_over());
  return false;
}

bool wait_until(const std::function<bool()>& predicate, Deadline until, milliseconds again) {
  std::vector<pollfd> none;
  LostTime time(until);
  // Served once before the first question, so that it is asked of what has come by now.
  serve(none, Clock::now());
  while (!predicate()) {
    if (time.is_over()) return false;
    const Deadline next = time.next();
    serve(none, again.count() == 0 ? next : std::min(next, Clock::now() + again));
  }
  return true;
}

}  // namespace kit
