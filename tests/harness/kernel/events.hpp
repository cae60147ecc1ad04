#pragma once

// Waiting. Whatever the harness waits for - bytes, a connection, the end of a process - it waits in
// one function, which meanwhile serves everybody else: it drains the programs' output, sends what
// peers send in the background, reaps children, and notices that the check itself is to stop. What
// a busy machine keeps from the programs is not counted (lost_time.hpp): a wait may last longer.
//
// The harness has one thread; nothing here may be called from another.

#include <poll.h>

#include <chrono>
#include <exception>
#include <functional>
#include <vector>

namespace kit {

using Clock = std::chrono::steady_clock;
using Deadline = Clock::time_point;

/// A time for the learner's program, multiplied by KIT_TIME_SCALE.
std::chrono::milliseconds scaled(std::chrono::milliseconds time);

/// The longest wait for one event: KIT_DEADLINE_MS (5,000) times KIT_TIME_SCALE.
std::chrono::milliseconds event_time();

/// Now plus a time that is already scaled.
inline Deadline after(std::chrono::milliseconds time) {
  return Clock::now() + time;
}

/// Now plus event_time().
Deadline event_deadline();

/// The check was told to end (SIGINT, SIGTERM, SIGHUP). Thrown out of every wait, so that
/// destructors end the programs and remove the folders.
class Interrupted : public std::exception {
 public:
  explicit Interrupted(int signal) : signal_(signal) {}
  int signal() const { return signal_; }
  const char* what() const noexcept override { return "interrupted"; }

 private:
  int signal_;
};

/// The time of the whole step is over; thrown out of every wait.
class OutOfTime : public std::exception {
 public:
  const char* what() const noexcept override { return "the step's own time is over"; }
};

/// While it lives: SIGINT, SIGTERM and SIGHUP interrupt the waits, SIGCHLD wakes them, SIGPIPE is
/// ignored. At the end everything is as it was. They nest.
class Signals {
 public:
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

 private:
  struct Saved;
  Saved* saved_;
};

/// While it lives no wait throws Interrupted or OutOfTime: for cleaning up.
class Uninterrupted {
 public:
  Uninterrupted();
  ~Uninterrupted();
  Uninterrupted(const Uninterrupted&) = delete;
  Uninterrupted& operator=(const Uninterrupted&) = delete;
};

/// No wait lasts beyond this moment: it throws OutOfTime. Clock::time_point::max() takes it away.
void set_end_of_time(Deadline end);

/// Whether the machine has kept the check itself from its work, in some moment since this was last
/// asked. See Lateness.
bool take_lateness();

/// A descriptor that is served whenever the harness waits.
class Watch {
 public:
  /// `ready` is called with poll's revents. `events` 0 rests.
  Watch(int fd, short events, std::function<void(short)> ready);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  void set_events(short events) { events_ = events; }
  int fd() const { return fd_; }

 private:
  friend void serve(std::vector<pollfd>& also, Deadline until);
  int fd_;
  short events_;
  std::function<void(short)> ready_;
};

/// Called when a child process may have ended.
void on_child_event(void (*reap)());

/// One turn: polls every Watch and `also` until something happens or the time is over, then serves
/// it. `also` keeps its revents. Throws Interrupted or OutOfTime.
void serve(std::vector<pollfd>& also, Deadline until);

/// Waits until one descriptor is ready (or has failed). False: the time is over.
bool wait_for(int fd, short events, Deadline until);

/// Waits until the predicate is true: it is asked again after every event, and every `again`
/// milliseconds if that is not 0 (for what the kernel tells nobody about). False: time is over.
bool wait_until(const std::function<bool()>& predicate, Deadline until,
                std::chrono::milliseconds again = std::chrono::milliseconds{0});

}  // namespace kit
