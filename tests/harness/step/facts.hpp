#pragma once

// What is proven of a failed step by what was seen: the program's own calls, the locks its threads
// wait for, the bytes that came. A fact is said in place of whatever the step suspects.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/kernel/proc.hpp"
#include "harness/seen/recorder_log.hpp"

namespace kit {

class Program;

/// What the bytes tell that came in place of others: a 0 that was sent along, letters that were
/// not changed, ...
std::optional<std::string> fact_of_bytes(std::string_view expected, std::string_view got);
/// The same of a datagram, whose end is known.
std::optional<std::string> fact_of_datagram(std::string_view expected, std::string_view got);

/// What the locks tell for which threads wait: one that its own thread holds, a circle, a holder
/// that sleeps.
std::optional<std::string> fact_of_locks(const std::vector<proc::LockWait>& waits);

/// Proven of a program, and the calls that lead to the line, the likeliest first.
struct Fact {
  std::string sentence;
  std::vector<CallRecord> calls{};
};

/// What the last calls tell, oldest first: one that a signal interrupted was not made again, a
/// datagram was answered with another length, was looked at and left.
std::optional<Fact> fact_of_calls(const std::vector<CallRecord>& calls);

/// The first call on a descriptor that had been closed, and the close before it. Of two closes the
/// first one comes first: it is the one that was made by hand. Empty if there was none.
std::vector<CallRecord> calls_on_closed(const RecorderLog& log);

/// The first fact of a program: a descriptor used after closing, else the locks if it hangs, else
/// the calls of a server. `hangs`: nothing came by the deadline.
std::optional<Fact> fact_of(const Program& program, bool hangs);

}  // namespace kit
