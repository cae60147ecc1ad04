#include "lost_time.hpp"

#include <unistd.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "harness/base/limits.hpp"
#include "proc.hpp"

namespace kit {

LostTime::LostTime(Clock::time_point until)
    : until_(until),
      most_(until),
      looked_(Clock::now()),
      asked_(looked_),
      looks_(until != Clock::time_point::max() && until - looked_ > limits::look_for_lost_time) {
  if (looks_) most_ += (limits::most_patience - 1) * (until - looked_);
}

LostTime::Clock::time_point LostTime::next() {
  asked_ = looks_ ? std::min(until_, Clock::now() + limits::look_for_lost_time) : until_;
  return asked_;
}

bool LostTime::is_over() {
  const Clock::time_point now = Clock::now();
  if (!looks_) return now >= until_;
  if (now > asked_ + limits::late) overslept_ += now - asked_;
  asked_ = Clock::time_point::max();
  if (now >= until_ || now - looked_ >= limits::look_for_lost_time) look(now);
  return now >= std::min(until_, most_);
}

void LostTime::look(Clock::time_point now) {
  // Of the same moment, whoever was kept from it, no more is given back than it lasted.
  until_ += std::min(now - looked_, std::max(overslept_, kept_from_programs()));
  overslept_ = Clock::duration::zero();
  looked_ = now;
}

LostTime::Clock::duration LostTime::kept_from_programs() {
  std::map<pid_t, std::chrono::milliseconds> waited;
  Clock::duration longest{0};
  const auto families = proc::families();
  std::vector<pid_t> below{getpid()};
  while (!below.empty()) {
    const auto family = families.find(below.back());
    below.pop_back();
    if (family == families.end()) continue;
    for (const pid_t program : family->second) {
      below.push_back(program);
      const proc::Held held = proc::held(program);
      if (held.uninterruptible) longest = Clock::duration::max();
      // What it had waited before it was first seen was not lost here.
      if (const auto before = waited_.find(program); before != waited_.end()) {
        longest = std::max<Clock::duration>(longest, held.waited - before->second);
      }
      waited[program] = held.waited;
    }
  }
  waited_ = std::move(waited);
  return longest;
}

}  // namespace kit
