#include "causes.hpp"

#include <signal.h>

#include <algorithm>
#include <cerrno>

#include "harness/base/escape.hpp"
#include "harness/base/limits.hpp"
#include "harness/kernel/frames.hpp"
#include "harness/kernel/proc.hpp"
#include "harness/step/facts.hpp"
#include "harness/step/invariants.hpp"
#include "harness/step/step.hpp"

namespace kit {
namespace {

std::vector<std::string> learners_files(const Step& step) {
  std::vector<std::string> files = step.lesson().slots;
  for (const ProgramEntry& program : step.lesson().programs) files.push_back(program.source);
  std::erase(files, "");
  return files;
}

std::string death_sentence(const Program& program) {
  const Exit& exit = *program.exit();
  const std::string name = "Your " + program.name();
  switch (exit.signal) {
    case SIGPIPE:
      return name +
             " was killed by SIGPIPE: it wrote to a connection whose other side was gone. "
             "By default that ends the whole process (send(2), MSG_NOSIGNAL; signal(7)).";
    case SIGABRT: {
      const std::string words = last_words(program.errors());
      return name + " was ended by abort(): " +
             (words.empty() ? "an exception that nobody catches does that, and so does the end of "
                              "a std::thread object that was not joined."
                            : words + '.');
    }
    case SIGXCPU:
      return name + " used up its processor time: it is in a loop that does not wait for anything.";
    default:
      if (exit.signal == program.told_to_end_by()) {
        return name + " was ended by " + signal_name(exit.signal) +
               " itself, which the check has sent: nothing in it took the signal.";
      }
      return name + " was " + exit.text() + ".";
  }
}

std::string end_sentence(const Program& program) {
  const std::string name = "Your " + program.name();
  const std::string how = program.exit()->text();
  if (const int code = program.exit()->code;
      code == limits::sanitizer || code == limits::thread_sanitizer) {
    return name + " was ended by a sanitizer (" + how + "), whose report did not arrive.";
  }
  if (const int told = program.told_to_end_by(); told != 0) {
    return name + " ended (" + how + ") as " + signal_name(told) + " had told it to.";
  }
  if (program.exit()->code == 0) {
    return name + " ended (" + how + ") where it should go on serving: its loop was left.";
  }
  return name + " ended (" + how +
         ") where it should go on serving: what one client does is no reason to end.";
}

std::string not_ready_sentence(const Program& program) {
  if (!program.output().empty() && program.output().find('\n') == std::string_view::npos) {
    return "The line that says where the server listens has no newline at its end.";
  }
  if (!program.alive()) {
    return "Your " + program.name() + " ended before it listened" +
           (program.errors().empty() ? ", without a word on stderr." : ": see what it wrote.");
  }
  if (const auto where = proc::listening(program.pid()); !where.empty()) {
    return "It listens (on " + where.front() +
           ") but has not said so. The line must be written "
           "when it listens, and flushed: stdout is buffered when it is not a terminal.";
  }
  return {};
}

constexpr const char* end_of_file_sentence =
    "A loop turns: recv() has returned 0, the end of file, and is asked again and again. After "
    "that nothing more comes, and 0 comes at once. It is the other side's last word: the loop "
    "ends.";

// It does not wait but compute, and has done so, or would have if others had not had the processor,
// for a good part of our own waiting.
bool computes(const Program& program) {
  const auto status = proc::status(program.pid());
  return status && status->state == 'R' &&
         status->cpu + proc::held(program.pid()).waited > event_time() / 8;
}

// There was nothing to get, and nothing is wrong with that.
bool asks_for_nothing(const CallRecord& call) {
  if (call.is(Calls::any_wait)) return false;
  return call.result == 0 || call.error == EAGAIN || call.error == EWOULDBLOCK;
}

// A wait is part of the loop. (One that comes after it, when the loop is over, is not.)
bool waits_as_well(const RecorderLog& log, const CallRecord& turning) {
  const std::vector<CallRecord> last = log.records(16);
  const auto has = [&](const auto& is_it) {
    return std::ranges::any_of(
        last, [&](const CallRecord& call) { return call.tid == turning.tid && is_it(call); });
  };
  return has([](const CallRecord& call) { return call.is(Calls::any_wait); }) &&
         has([&turning](const CallRecord& call) {
           return call.call == turning.call && call.arguments[0] == turning.arguments[0];
         });
}

}  // namespace

// The learner's line that a call comes from: no further up than to where the kit's loop has called
// the learner's functions.
Place place_of(const CallRecord& call, const Program& program,
               const std::vector<std::string>& files) {
  for (const std::string& line : lines_at(call.callers, program.path())) {
    if (line.find("/base_server.cpp:") != std::string::npos) break;
    if (const auto place = place_in(line, files)) return *place;
  }
  return {};
}

// The first of these calls that comes from the learner's files leads there.
Place first_place(const std::vector<CallRecord>& calls, const Program& program,
                  const std::vector<std::string>& files) {
  for (const CallRecord& call : calls) {
    if (Place place = place_of(call, program, files); !place.empty()) return place;
  }
  return {};
}

// What is proven, of a program, by the bytes that came, or by a rule of the step's own; "" if
// nothing is. Notes in `about` whom it concerns.
std::string proven(const Step& step, const std::vector<std::string>& files, Diagnosis& about) {
  const Step::Failure& failure = *step.failure();
  for (const auto& program : step.programs()) {
    if (const auto fact = fact_of(*program, failure.out_of_time)) {
      about.program = program.get();
      about.place = first_place(fact->calls, *program, files);
      return fact->sentence;
    }
  }
  if (!failure.fact.empty()) return failure.fact;
  for (const Step::Rule& rule : step.rules()) {
    std::string fact = rule.fact();
    if (fact.empty()) continue;
    about.task = rule.task;
    about.function = rule.function;
    return fact;
  }
  return {};
}

Diagnosis diagnose(const Step& step) {
  Diagnosis result;
  result.task = step.task().empty() ? step.entry().task : step.task();
  result.function = step.function();
  const auto& programs = step.programs();
  const Step::Failure& failure = *step.failure();
  const bool hangs = failure.out_of_time;
  // What the step has to say, if nothing is proven.
  std::string suspicion = !failure.cause.empty() ? failure.cause
                          : hangs                ? step.if_it_hangs().value_or(step.suspicion())
                                                 : step.suspicion();
  result.cause = suspicion;
  if (programs.empty()) return result;
  result.program = failure.about != nullptr ? failure.about : programs.back().get();

  for (const auto& program : programs) {
    if (auto hole = find_hole(program->errors())) {
      result.kind = Diagnosis::Kind::not_written;
      result.program = program.get();
      result.task = hole->task;
      result.place = hole->place;
      result.cause = "Not written yet: " + hole->what + " (" + hole->task + ").";
      result.hole = std::move(hole);
      return result;
    }
  }

  // A crash explains itself.
  const std::vector<std::string> files = learners_files(step);
  for (const auto& program : programs) {
    if (program->may_report()) continue;
    const auto report =
        find_sanitizer_report(with_lines(program->errors(), program->path()), files);
    if (!report) continue;
    result.kind = Diagnosis::Kind::sanitizer;
    result.program = program.get();
    result.place = report->place;
    result.cause = report->sentence();
    return result;
  }
  const auto died = [](const Program& program) {
    return !program.alive() && !program.killed() && program.exit()->signal != 0;
  };
  for (const auto& program : programs) {
    if (!died(*program) || program->exit()->signal == program->told_to_end_by()) continue;
    // abort() without a word has left unsaid what it was about.
    if (program->exit()->signal == SIGABRT && last_words(program->errors()).empty()) continue;
    result.program = program.get();
    result.kind = Diagnosis::Kind::died;
    result.cause = death_sentence(*program);
    return result;
  }

  // What is proven takes the place of what the step suspects.
  std::string fact;
  if (failure.cause.empty()) {
    fact = proven(step, files, result);
    if (!fact.empty()) suspicion = fact;
    result.cause = suspicion;
  } else if (failure.about != nullptr) {
    result.place = first_place(failure.calls, *failure.about, files);
  }
  // A failure with a cause of its own is one of what is always looked at.
  result.proven = !failure.cause.empty() || !fact.empty();
  const auto with_suspicion = [&](std::string sentence) {
    if (sentence.empty()) return suspicion;
    return suspicion.empty() ? sentence : sentence + '\n' + suspicion;
  };

  for (const auto& program : programs) {
    if (!died(*program)) continue;
    // One that the step has ended by a signal, as it wanted, says nothing of another one.
    const bool as_wanted =
        program->end_expected() && program->exit()->signal == program->told_to_end_by();
    if (as_wanted && failure.about != nullptr && failure.about != program.get()) continue;
    result.program = program.get();
    result.kind = Diagnosis::Kind::died;
    result.cause = with_suspicion(death_sentence(*program));
    return result;
  }
  for (const auto& program : programs) {
    if (program->alive() || program->killed() || program->exit()->clean()) continue;
    if (!program->is_server() || program->end_expected() || !program->ready()) continue;
    result.program = program.get();
    result.kind = Diagnosis::Kind::ended;
    result.cause = with_suspicion(end_sentence(*program));
    return result;
  }
  for (const auto& program : programs) {
    if (program->is_server() && !program->ready()) {
      result.program = program.get();
      result.kind = Diagnosis::Kind::not_ready;
      const std::string sentence = not_ready_sentence(*program);
      if (sentence.empty()) return result;
      // The first to start fails before there is anything that the step is about. Of a later one
      // (on a port that was used, another address) the step knows what is special.
      const bool first = std::ranges::none_of(
          programs, [](const auto& one) { return one->is_server() && one->ready(); });
      const std::string more = step.if_it_does_not_start().value_or(first ? "" : suspicion);
      result.cause = more.empty() ? sentence : sentence + '\n' + more;
      return result;
    }
    if (program->is_server() && !program->alive() && !program->end_expected()) {
      result.program = program.get();
      result.kind = Diagnosis::Kind::ended;
      result.cause = with_suspicion(end_sentence(*program));
      return result;
    }
    const Process& process = program->process();
    if (process.out().size() + process.err().size() > limits::output_flood) {
      result.program = program.get();
      result.kind = Diagnosis::Kind::flood;
      result.cause = "Your " + program->name() + " is in a loop that prints without end.";
      return result;
    }
  }
  if (hangs && result.program->alive()) result.kind = Diagnosis::Kind::hang;
  for (const auto& program : programs) {
    const RecorderLog* const log = program->recorder_if_any();
    if (log == nullptr || program->on_purpose() || !failure.cause.empty() || !fact.empty()) {
      continue;
    }
    const auto naps = log->napping();
    const auto call = naps ? naps : log->turning();
    if (!call) continue;
    result.program = program.get();
    // (A wait that always returns is not at fault: what it is asked for is.)
    const Place place = call->is(Calls::any_wait) ? Place{} : place_of(*call, *program, files);
    if (!place.empty()) result.place = place;
    const bool ended = call->is(Calls::recv | Calls::read) && call->result == 0;
    const std::string turns = std::string(naps    ? napping_sentence
                                          : ended ? end_of_file_sentence
                                                  : turning_sentence) +
                              (" So it goes on: " + call->text() + '.');
    // Who asks for what is not there, and does not wait: proven, and said alone. Why a wait returns
    // each time, or what else goes wrong again and again, the step knows better.
    const bool explained =
        naps || ended || (asks_for_nothing(*call) && !waits_as_well(*log, *call));
    result.cause = explained ? turns : with_suspicion(turns);
    result.proven = true;
    return result;
  }
  if (result.kind == Diagnosis::Kind::hang && computes(*result.program)) {
    result.cause = with_suspicion("Your " + result.program->name() +
                                  " computes without end: it is in a loop that does not wait.");
  }
  return result;
}

std::string_view basis_of(const Diagnosis& diagnosis) {
  switch (diagnosis.kind) {
    case Diagnosis::Kind::not_written:
      return "not written";
    case Diagnosis::Kind::sanitizer:
      return "a sanitizer's report";
    case Diagnosis::Kind::died:
      return "died of a signal";
    case Diagnosis::Kind::ended:
    case Diagnosis::Kind::not_ready:
      return "ended too early";
    case Diagnosis::Kind::flood:
      return "prints without end";
    case Diagnosis::Kind::wrong:
    case Diagnosis::Kind::hang:
      break;
  }
  if (diagnosis.proven) return "proven by its calls";
  return diagnosis.cause.empty() ? "none" : "suspected by the step";
}

}  // namespace kit
