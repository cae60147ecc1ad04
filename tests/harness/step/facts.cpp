#include "facts.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "harness/base/escape.hpp"
#include "harness/base/limits.hpp"
#include "harness/base/upper.hpp"
#include "program.hpp"

namespace kit {
namespace {

bool same_thread(const CallRecord& a, const CallRecord& b) {
  return a.pid == b.pid && a.tid == b.tid;
}

// A receive that was told EINTR, and whose connection was closed without another one.
std::optional<Fact> not_made_again(const std::vector<CallRecord>& calls) {
  for (auto call = calls.rbegin(); call != calls.rend(); ++call) {
    if (call->injected != recorder::Action::fail || call->error != EINTR ||
        !call->is(Calls::any_recv)) {
      continue;
    }
    for (auto later = call.base(); later != calls.end(); ++later) {
      if (later->pid != call->pid || later->arguments[0] != call->arguments[0]) continue;
      if (later->is(Calls::any_recv)) break;
      if (!later->is(Calls::close | Calls::shutdown)) continue;
      return Fact{call->text() +
                      ": a signal had come. That is no error and no end, and the call was not made "
                      "again. Ask again after EINTR.",
                  {*call}};
    }
  }
  return std::nullopt;
}

// A datagram of so many bytes came in, and the answer that followed was as long as the buffer, or
// one byte shorter.
std::optional<Fact> another_length(const std::vector<CallRecord>& calls) {
  for (auto sent = calls.rbegin(); sent != calls.rend(); ++sent) {
    const bool failed = sent->result == -1 && sent->error != EMSGSIZE;
    if (!sent->is(Calls::sendto) || failed || sent->injected != recorder::Action::none) continue;
    const auto came = std::find_if(std::next(sent), calls.rend(), [&](const CallRecord& call) {
      return call.is(Calls::recvfrom) && same_thread(call, *sent) && call.result >= 0;
    });
    if (came == calls.rend() || came->arguments[0] != sent->arguments[0]) continue;
    if (came->result >= came->arguments[1]) return std::nullopt;  // there may have been more
    const bool whole_buffer = sent->arguments[1] == came->arguments[1];
    if (!whole_buffer && sent->arguments[1] != came->result - 1 && sent->error != EMSGSIZE) {
      return std::nullopt;
    }
    return Fact{came->text() + ", and then " + sent->text() +
                    ": the answer is as long as what came, no byte more and none less. How long "
                    "that was, recvfrom() has returned.",
                {*came, *sent}};
  }
  return std::nullopt;
}

// It is looked at, and looked at again: nobody takes it out.
std::optional<Fact> left_in_the_queue(const std::vector<CallRecord>& calls) {
  const CallRecord* looked = nullptr;
  for (const CallRecord& call : calls) {
    if (!call.is(Calls::any_recv) || call.result < 0) continue;
    const bool peeks = (call.arguments[2] & MSG_PEEK) != 0;
    if (looked != nullptr && peeks && looked->arguments[0] == call.arguments[0] &&
        looked->result == call.result && looked->data == call.data) {
      return Fact{
          call.text() +
              ": MSG_PEEK looks at what has come and leaves it there. It comes again and again.",
          {call}};
    }
    looked = peeks ? &call : nullptr;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> fact_of_bytes(std::string_view expected, std::string_view got) {
  if (got.starts_with('\0') && !expected.starts_with('\0')) {
    return "A byte of 0 has come that nobody asked for. It ends a string in memory, and is none of "
           "its bytes: it was sent behind the answer before.";
  }
  const std::size_t common = std::min(expected.size(), got.size());
  std::size_t at = 0;
  while (at < common && expected[at] == got[at]) ++at;
  if (at == common || !is_lower(got[at]) || upper(got[at]) != expected[at]) return std::nullopt;
  // All that follows is what was sent, and not only one letter of it.
  const bool all = std::equal(got.begin() + static_cast<std::ptrdiff_t>(at),
                              got.begin() + static_cast<std::ptrdiff_t>(common),
                              expected.begin() + static_cast<std::ptrdiff_t>(at),
                              [](char came, char wanted) { return upper(came) == wanted; });
  if (!all || at == 0) return std::nullopt;
  return "From byte " + with_commas(at + 1) +
         " on the letters are small ones still: what stands before was changed, and the rest was "
         "not. All that has come is changed, however much it is.";
}

std::optional<std::string> fact_of_datagram(std::string_view expected, std::string_view got) {
  if (got.size() + 1 == expected.size() && expected.starts_with(got) && !got.empty()) {
    return "The last byte of the answer is missing. It is as long as what came: recvfrom() returns "
           "how many bytes that were.";
  }
  return fact_of_bytes(expected, got);
}

std::optional<Fact> fact_of_calls(const std::vector<CallRecord>& calls) {
  if (auto fact = not_made_again(calls)) return fact;
  if (auto fact = left_in_the_queue(calls)) return fact;
  return another_length(calls);
}

std::optional<std::string> fact_of_locks(const std::vector<proc::LockWait>& waits) {
  const auto wait_of = [&waits](pid_t thread) {
    return std::ranges::find(waits, thread, &proc::LockWait::thread);
  };
  for (const proc::LockWait& wait : waits) {
    if (wait.owner == wait.thread) {
      return "A deadlock: a thread waits for a lock that it holds itself. Either it takes it twice "
             "(a function that holds it calls one that takes it), or it has not given it back when "
             "it left a function by an exception or a return: a std::lock_guard does.";
    }
    std::set<pid_t> circle{wait.thread};
    auto next = wait_of(wait.owner);
    while (next != waits.end() && circle.insert(next->thread).second) next = wait_of(next->owner);
    if (next != waits.end() && next->thread == wait.thread) {
      return "A deadlock: " + counted(circle.size(), "thread") +
             " wait in a circle, each for a lock that the next one holds. Take one lock for all; "
             "or all at once (std::scoped_lock); or always in the same order.";
    }
  }
  for (const proc::LockWait& wait : waits) {
    // (Whoever sleeps for a time goes on by itself.)
    if (wait.owner_waits_in.empty() || wait.owner_waits_in == "sleep" ||
        wait_of(wait.owner) != waits.end()) {
      continue;
    }
    const bool sleeps = wait.owner_waits_in.starts_with("a lock, a condition");
    const auto others =
        static_cast<std::size_t>(std::ranges::count(waits, wait.owner, &proc::LockWait::owner));
    return "A lock is held while its thread " +
           (sleeps ? std::string("sleeps until somebody wakes it")
                   : "waits in " + wait.owner_waits_in) +
           ", and " + counted(others, "other thread") + " wait" + (others == 1 ? "s" : "") +
           " for that lock. Give it back before you wait.";
  }
  return std::nullopt;
}

namespace {

// (Of a call that the check holds the kernel knows no more than that its thread sleeps.)
std::vector<proc::LockWait> lock_waits(const Program& program) {
  std::vector<proc::LockWait> waits = proc::lock_waits(program.pid());
  const RecorderLog* const log = program.recorder_if_any();
  if (log == nullptr || waits.empty()) return waits;
  for (const CallRecord& call : log->pending()) {
    for (proc::LockWait& wait : waits) {
      if (wait.owner != call.tid) continue;
      const std::string text = call.text();
      wait.owner_waits_in =
          call.is(Calls::any_sleep) ? "sleep" : text.substr(0, text.find(')') + 1);
    }
  }
  return waits;
}

// The first close of what was then used, if it is among the last calls.
std::optional<CallRecord> first_close(const RecorderLog& log, const CallRecord& used) {
  const std::vector<CallRecord> calls = log.records(recorder::ring_size);
  const auto close = std::ranges::find_if(calls, [&used](const CallRecord& one) {
    return one.is(Calls::close) && one.result == 0 && one.pid == used.pid &&
           one.arguments[0] == used.arguments[0];
  });
  return close == calls.end() ? std::nullopt : std::optional(*close);
}

// A descriptor that was used after it had been closed.
std::optional<std::string> used_when_closed(const RecorderLog& log) {
  const auto call = log.closed_used();
  if (!call) return std::nullopt;
  if (call->arguments[0] < 0) {
    return "No descriptor at all: " + call->text() +
           ". A call that failed has returned -1, and its result was not looked at.";
  }
  if (call->is(Calls::epoll_ctl)) {
    return call->text() +
           ": that descriptor is closed. Unregister a descriptor before it is closed.";
  }
  // That it was ever open, the first close proves; but 0 is what memory holds that is nobody's.
  if (call->arguments[0] <= STDERR_FILENO || !first_close(log, *call)) return std::nullopt;
  if (call->is(Calls::close)) {
    return "A descriptor was closed twice: " + call->text() +
           ". By the second time its number may be somebody else's, whose connection is then cut. "
           "One owner closes, once.";
  }
  return "A descriptor was used after it had been closed: " + call->text() +
         ". Its number may be somebody else's by then.";
}

}  // namespace

std::vector<CallRecord> calls_on_closed(const RecorderLog& log) {
  const auto used = log.closed_used();
  if (!used) return {};
  const auto close = first_close(log, *used);
  if (!close) return {*used};
  return used->is(Calls::close) ? std::vector{*close, *used} : std::vector{*used, *close};
}

std::optional<Fact> fact_of(const Program& program, bool hangs) {
  const RecorderLog* const log = program.recorder_if_any();
  if (log != nullptr && !program.on_purpose()) {
    if (auto fact = used_when_closed(*log)) return Fact{*std::move(fact), calls_on_closed(*log)};
  }
  if (hangs && program.alive()) {
    const auto before = lock_waits(program);
    if (const auto fact = fact_of_locks(before)) {
      // Who waits for a moment only does not do so a little later.
      wait_until([] { return false; }, after(limits::look_again));
      if (lock_waits(program) == before) return Fact{*fact};
    }
  }
  if (log == nullptr || !program.name().starts_with("server")) return std::nullopt;
  return fact_of_calls(log->records(recorder::ring_size));
}

}  // namespace kit
