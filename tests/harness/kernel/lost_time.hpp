#pragma once

// A deadline is the program's, not the machine's: what a busy or paused machine takes of a wait is
// given back to it.

#include <sys/types.h>

#include <chrono>
#include <map>
#include <utility>

namespace kit {

/// One wait, and what it has lost so far:
///   the check was to be woken and was not (the whole machine stood still, or had no time for it);
///   it, or one of its programs, was ready to run while others had the processor;
///   one of them waited for what no signal interrupts: a disk, a page.
/// A wait takes no longer than limits::most_patience times what was asked for. Short ones, below
/// limits::look_for_lost_time, are taken as they are.
class LostTime {
 public:
  using Clock = std::chrono::steady_clock;

  /// A wait that begins now.
  explicit LostTime(Clock::time_point until);

  /// Until when to sleep at most before is_over() is asked again.
  Clock::time_point next();

  /// Whether the time is over. May look at every process below this one.
  bool is_over();

 private:
  void look(Clock::time_point now);
  Clock::duration kept_from_programs();

  Clock::time_point until_;  ///< grows by what was lost
  Clock::time_point most_;
  Clock::time_point looked_;
  Clock::time_point asked_;  ///< to be woken, the last time
  Clock::duration overslept_{0};
  bool looks_;
  std::map<pid_t, std::chrono::milliseconds> waited_;  ///< when last looked at
};

/// Whether the check itself has been late: then what it has seen may say nothing of the program.
class Lateness {
 public:
  using nanoseconds = std::chrono::nanoseconds;

  /// Told again and again: the time, how long this process has waited for a processor in all, and
  /// by how much it has just slept longer than it had asked for.
  void note(nanoseconds now, nanoseconds waited, nanoseconds overslept);

  /// Whether, since this was last asked, a quarter of a second (limits::look_for_lost_time) has
  /// lost more than limits::late_at_most.
  bool take() { return std::exchange(late_, false); }

 private:
  nanoseconds began_{-1}, waited_{0}, overslept_{0};
  bool late_ = false;
};

/// How long this process has been ready to run while others had the processor; 0 where that cannot
/// be seen. Cheap.
std::chrono::nanoseconds own_wait();

}  // namespace kit
