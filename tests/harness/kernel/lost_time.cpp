#include "lost_time.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>
#include <vector>

#include "harness/base/descriptor.hpp"
#include "harness/base/limits.hpp"
#include "proc.hpp"

namespace kit {

using std::chrono::milliseconds;

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
  // Check and program take turns: what each of them was kept waiting adds up. Of the same moment,
  // whoever was kept from it, no more is given back than it lasted.
  until_ += std::min(now - looked_, overslept_ + kept_from_programs());
  overslept_ = Clock::duration::zero();
  looked_ = now;
}

LostTime::Clock::duration LostTime::kept_from_programs() {
  std::map<pid_t, milliseconds> waited;
  // What it had waited before it was first seen was not lost here.
  const auto since_last_look = [&](pid_t process, milliseconds now) {
    waited[process] = now;
    const auto before = waited_.find(process);
    return before == waited_.end() ? milliseconds{0} : now - before->second;
  };
  const auto own = since_last_look(getpid(), std::chrono::duration_cast<milliseconds>(own_wait()));
  milliseconds longest{0};
  std::vector<pid_t> below{getpid()};
  while (!below.empty()) {
    const pid_t parent = below.back();
    below.pop_back();
    for (const pid_t program : proc::children(parent)) {
      below.push_back(program);
      const proc::Held held = proc::held(program);
      longest = std::max(longest, since_last_look(program, held.waited));
      if (held.uninterruptible) longest = limits::look_for_lost_time * limits::most_patience;
    }
  }
  waited_ = std::move(waited);
  return own + longest;
}

void Lateness::note(nanoseconds now, nanoseconds waited, nanoseconds overslept) {
  overslept_ += overslept;
  if (began_ >= nanoseconds{0}) {
    const bool late = waited - waited_ + overslept_ > limits::late_at_most;
    if (late) late_ = true;
    if (!late && now - began_ < limits::look_for_lost_time) return;
  }
  began_ = now;
  waited_ = waited;
  overslept_ = nanoseconds{0};
}

std::chrono::nanoseconds own_wait() {
  static const Descriptor file(open("/proc/self/schedstat", O_RDONLY | O_CLOEXEC));
  char text[128];
  const ssize_t size = pread(file.get(), text, sizeof text - 1, 0);
  if (size <= 0) return std::chrono::nanoseconds{0};
  text[size] = '\0';
  long long ran = 0, waited = 0;
  if (std::sscanf(text, "%lld %lld", &ran, &waited) != 2) return std::chrono::nanoseconds{0};
  return std::chrono::nanoseconds(waited);
}

}  // namespace kit
