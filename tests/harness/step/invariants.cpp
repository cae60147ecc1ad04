#include "invariants.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "facts.hpp"
#include "harness/base/escape.hpp"
#include "harness/base/limits.hpp"
#include "harness/kernel/proc.hpp"
#include "harness/seen/last_words.hpp"
#include "harness/seen/recorder_log.hpp"
#include "program.hpp"

namespace kit {
namespace {

// The names of its sockets, for "got": a few of them.
std::string sockets_of(const Program& program) {
  constexpr std::size_t shown = 4;
  const auto open = proc::descriptors(program.pid());
  if (!open) return {};
  std::string text;
  std::size_t count = 0;
  for (const proc::OpenDescriptor& one : *open) {
    if (!one.what.starts_with("socket")) continue;
    if (++count > shown) return text + ", ...)";
    text += (count == 1 ? " (" : ", ") + std::to_string(one.fd) + ": " + one.what;
  }
  return count == 0 ? text : text + ')';
}

// The first line on stderr that holds none of the words which the step expects there.
std::string unexpected_line(const Program& program) {
  const std::string said = without_sanitizer_notes(program.errors());
  for (std::size_t at = 0; at < said.size();) {
    const std::size_t end = std::min(said.find('\n', at), said.size());
    const std::string_view line = std::string_view(said).substr(at, end - at);
    at = end + 1;
    const bool expected = std::ranges::any_of(
        program.expected_errors(),
        [line](const std::string& words) { return line.find(words) != std::string_view::npos; });
    if (!line.empty() && !expected) return std::string(line);
  }
  return {};
}

// A line on stderr that tells an error whose errno was 0, in the words of the C library.
std::string line_without_reason(const Program& program) {
  static const std::string no_reason = ": " + std::generic_category().message(0);
  const std::string said = without_sanitizer_notes(program.errors());
  for (std::size_t at = 0; at < said.size();) {
    const std::size_t end = std::min(said.find('\n', at), said.size());
    const std::string_view line = std::string_view(said).substr(at, end - at);
    at = end + 1;
    if (line.ends_with(no_reason)) return std::string(line);
  }
  return {};
}

}  // namespace

void look_at_calls(Step& step, const Program& program) {
  const RecorderLog* const log = program.recorder_if_any();
  if (log == nullptr || program.on_purpose()) return;
  step.looked();
  if (const auto call = log->closed_used()) {
    const bool twice = call->is(Calls::close);
    step.fail({.expected = "no call on a descriptor that is closed",
               .got = call->text(),
               .cause = twice ? "A descriptor was closed twice. By the second time its number may "
                                "be somebody else's, whose connection is then cut. One owner "
                                "closes it, once; at the end of the program too."
                              : "A descriptor was used after it had been closed. Its number may be "
                                "somebody else's by then. Nobody keeps a number longer than its "
                                "owner keeps the descriptor.",
               .about = &program,
               .calls = calls_on_closed(*log)});
  }
  if (const auto call = log->napping()) {
    step.fail(
        {.expected = "a program that sleeps until there is something to do",
         .got = std::to_string(recorder::dozes_allowed) +
                " looks in a row found nothing, with a sleep after each; the next: " + call->text(),
         .cause = napping_sentence,
         .about = &program,
         .calls = {*call}});
  }
  if (const auto call = log->turning()) {
    step.fail(
        {.expected = "a program that waits while there is nothing to do",
         .got = with_commas(recorder::turns_allowed) +
                " calls in a row of one thread brought nothing; the last: " + call->text(),
         .cause = turning_sentence,
         .about = &program,
         // A wait that always returns is not at fault: what it is asked for is.
         .calls = call->is(Calls::any_wait) ? std::vector<CallRecord>{} : std::vector{*call}});
  }
  if (const auto call = log->dozing()) {
    step.fail({.expected = "a program that sleeps until there is something to do",
               .got = std::to_string(recorder::dozes_allowed) +
                      " waits in a row were over before anything came; the last: " + call->text(),
               .cause = "A loop wakes again and again only to look: it polls. Wait without a "
                        "limit, or until the first thing that is due, and let whoever has news "
                        "wake it.",
               .about = &program,
               .calls = {*call}});
  }
}

void look_at_words(Step& step, const Program& program) {
  step.looked();
  if (const std::string line = unexpected_line(program); !line.empty()) {
    step.fail({.expected = "nothing else on stderr of the " + program.name(),
               .got = kit::quoted(line),
               .cause = "It reports an error where there is none, or the same one twice. What "
                        "belongs to the course of things (a client that goes, a call that a signal "
                        "interrupts) is no error; what is one is reported once.",
               .about = &program});
  }
  if (const std::string line = line_without_reason(program); !line.empty()) {
    step.fail({.expected = "an error with its reason on stderr of the " + program.name(),
               .got = kit::quoted(line),
               .cause = "It reports the error of a call that has not failed: errno was 0. What is "
                        "told with errno is a call that has returned -1, and at once: the next "
                        "call may change it.",
               .about = &program});
  }
  const bool failed = !program.alive() && !program.killed() && program.exit()->signal == 0 &&
                      program.exit()->code != 0;
  // (A client that shows what comes as it comes, as lesson 07's, gives no answer.)
  if (failed && program.output().find("Received:") != std::string_view::npos) {
    step.fail({.expected = "no answer on stdout of a client that fails",
               .got = kit::quoted(program.output()),
               .cause = "Something was printed as if all were well, and then the client failed. "
                        "Print when all is known: the whole answer, and that it was whole.",
               .about = &program});
  }
}

std::optional<Step::Failure> look_at_rest(Step& step, const Server& server,
                                          std::size_t connections) {
  if (!server.alive()) return std::nullopt;
  if (const auto before = server.sockets_at_first()) {
    step.looked();
    const std::size_t most = *before + connections;
    const auto rests = [&] {
      const auto now = proc::open_sockets(server.pid());
      return !now || *now <= most || !server.alive();
    };
    if (!step.await(rests, event_deadline(), limits::proc_poll)) {
      const std::size_t now = proc::open_sockets(server.pid()).value_or(0);
      return Step::Failure{
          .expected = "no socket left over: " + counted(most, "open socket"),
          .got = counted(now, "open socket") + sockets_of(server),
          .cause =
              "A socket stays open that nobody uses any more: its client has gone. Each way "
              "out of a function closes what it has opened, the way of an error too.",
          .about = &server};
    }
  }
  // Known from the moment when the loop last went to sleep. A thread that ended later may have
  // given back more: a program with threads is judged by its resident memory, in its own steps.
  const std::size_t before = server.heap_at_first();
  const RecorderLog* const log = server.recorder_if_any();
  if (log != nullptr && before != 0 && log->count(Calls::any_thread) == 0) {
    step.looked();
    const auto small = [&] { return log->heap_at_rest() <= before + limits::heap_allowance; };
    if (!step.await([&] { return small() || !server.alive(); }, after(scaled(limits::settle)),
                    limits::proc_poll) &&
        connections == 0) {
      return Step::Failure{
          .expected = "no more memory in use than before (" + with_commas(before) + " bytes)",
          .got = with_commas(log->heap_at_rest()) + " bytes",
          .cause =
              "Memory stays in use though all clients have gone: something keeps what it has "
              "served, or a buffer only grows.",
          .about = &server};
    }
  }
  return std::nullopt;
}

}  // namespace kit
