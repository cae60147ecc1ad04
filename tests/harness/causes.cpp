#include "causes.hpp"

#include <signal.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <initializer_list>

#include "escape.hpp"
#include "facts.hpp"
#include "frames.hpp"
#include "limits.hpp"
#include "proc.hpp"
#include "step.hpp"

namespace kit {
namespace {

std::string_view line_at(std::string_view text, std::size_t at) {
  return text.substr(at, std::min(text.find('\n', at), text.size()) - at);
}

// "…/lessons/01_tcp_echo/server.cpp:31:7" somewhere in a frame, if that file is the learner's.
std::optional<Place> place_in(std::string_view frame, const std::vector<std::string>& files) {
  for (const std::string& file : files) {
    for (std::size_t at = frame.find(file); at != std::string_view::npos;
         at = frame.find(file, at + 1)) {
      const bool whole = at == 0 || frame[at - 1] == '/' || frame[at - 1] == ' ';
      const std::string_view behind = frame.substr(at + file.size());
      if (whole && behind.size() > 1 && behind[0] == ':' && std::isdigit(behind[1]) != 0) {
        return Place{file, std::atoi(std::string(behind.substr(1)).c_str())};
      }
    }
  }
  return std::nullopt;
}

// "    #3 0x55… in EchoHandler::handle() /…/server.cpp:31" -> "EchoHandler::handle";
// "    #0 void Mix<Server>::run<int>(int) …" -> "Mix::run".
std::string function_in(std::string_view frame) {
  std::size_t begin = frame.find(" in ");
  if (begin != std::string_view::npos) {
    begin += 4;
  } else {
    begin = frame.find('#');  // ThreadSanitizer: "    #0 EchoHandler::handle() file:line"
    if (begin == std::string_view::npos) return {};
    begin = frame.find(' ', begin);
    if (begin == std::string_view::npos) return {};
    ++begin;
  }
  std::string name;
  int depth = 0;  // of template arguments
  for (const char c : frame.substr(begin)) {
    if (depth == 0 && (c == '(' || c == '\n')) break;
    depth += c == '<' ? 1 : 0;
    if (depth == 0) name += c;
    depth -= c == '>' ? 1 : 0;
  }
  // "main /…/server.cpp:60" has no arguments; "void Mix::run(int)" has a result before its name.
  const std::size_t open = frame.find('(', begin);
  const bool called = open != frame.npos && !name.empty() && name.back() != ' ';
  const std::size_t space = called ? name.rfind(' ') : name.find(' ');
  if (space != std::string::npos) name = called ? name.substr(space + 1) : name.substr(0, space);
  constexpr std::string_view ours = "socketserver::";
  if (name.starts_with(ours)) name.erase(0, ours.size());
  return name;
}

// The first frame in the learner's files, from `at` on.
void find_frame(SanitizerReport& report, std::string_view text, std::size_t at,
                const std::vector<std::string>& files) {
  while (at < text.size()) {
    const std::string_view line = line_at(text, at);
    at += line.size() + 1;
    if (line.find('#') == std::string_view::npos) continue;
    if (const auto place = place_in(line, files)) {
      report.place = *place;
      report.function = function_in(line);
      return;
    }
  }
}

// "heap-use-after-free on address …" -> "heap-use-after-free".
std::string first_words(std::string_view text) {
  for (std::string_view stop : {" on address", " on unknown address", " (pid=", ": ", " ("}) {
    text = text.substr(0, std::min(text.find(stop), text.size()));
  }
  return std::string(text);
}

std::string_view plain_words(std::string_view kind) {
  struct Entry {
    std::string_view kind, words;
  };
  static constexpr Entry entries[] = {
      {"heap-use-after-free", "it used memory that had been given back"},
      {"stack-use-after-return", "it used a local variable of a function that had returned"},
      {"stack-use-after-scope", "it used a local variable whose block had ended"},
      {"heap-buffer-overflow", "it went beyond the end of a buffer"},
      {"stack-buffer-overflow", "it went beyond the end of a local buffer"},
      {"global-buffer-overflow", "it went beyond the end of a global buffer"},
      {"container-overflow", "it went beyond the end of a container"},
      {"attempting double-free", "it gave the same memory back twice"},
      {"stack-overflow", "it called itself without end"},
      {"SEGV", "it used memory that is not its own"},
      {"hard rss limit exhausted", "it took more memory than any step allows"},
      {"data race", "two threads used the same memory at once, and one of them wrote"},
      {"lock-order-inversion", "two locks are taken in two orders: a deadlock in waiting"},
      {"thread leak", "a thread was neither joined nor detached"},
      {"destroy of a locked mutex", "a mutex ended its life while it was locked"},
      {"unlock of an unlocked mutex", "a mutex was unlocked that nobody held"},
  };
  for (const Entry& entry : entries) {
    if (kind.starts_with(entry.kind)) return entry.words;
  }
  return {};
}

std::string capital(std::string text) {
  if (!text.empty()) text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  return text;
}

std::vector<std::string> learners_files(const Step& step) {
  std::vector<std::string> files = step.lesson().slots;
  for (const ProgramEntry& program : step.lesson().programs) files.push_back(program.source);
  std::erase(files, "");
  return files;
}

// What terminate() and assert say on stderr.
std::string last_words(std::string_view errors) {
  std::string words;
  for (std::string_view sign : {"terminate called", "  what():", "Assertion"}) {
    const std::size_t at = errors.rfind(sign);
    if (at == std::string_view::npos) continue;
    std::string_view line = line_at(errors, at);
    while (line.starts_with(' ')) line.remove_prefix(1);
    words += (words.empty() ? "" : ", ") + escape_text(line);
  }
  return words;
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

// It does not wait but compute, and has done so for a good part of our own waiting (others may
// have taken the processor from it).
bool computes(const Program& program) {
  const auto status = proc::status(program.pid());
  return status && status->state == 'R' && status->cpu > event_time() / 8;
}

}  // namespace

std::string SanitizerReport::sentence() const {
  const std::string_view words = plain_words(kind);
  std::string text = words.empty() ? "A sanitizer found: " + kind
                                   : capital(std::string(words)) + " (" + kind + ')';
  if (!function.empty()) text += ", in " + function;
  if (!place.empty()) text += ", " + place.file + ':' + std::to_string(place.line);
  return escape_text(text + '.');
}

std::optional<SanitizerReport> find_sanitizer_report(std::string_view errors,
                                                     const std::vector<std::string>& files) {
  SanitizerReport report;
  for (std::string_view sign :
       {"ERROR: AddressSanitizer: ", "WARNING: ThreadSanitizer: ", "ERROR: ThreadSanitizer: ",
        "ERROR: UndefinedBehaviorSanitizer: ", "Sanitizer: hard rss limit exhausted"}) {
    const std::size_t at = errors.find(sign);
    if (at == std::string_view::npos) continue;
    const bool memory = sign.starts_with("Sanitizer");
    const std::size_t kind = memory ? at + 11 : at + sign.size();
    report.kind = first_words(line_at(errors, kind));
    find_frame(report, errors, kind, files);
    return report;
  }
  constexpr std::string_view undefined = ": runtime error: ";
  if (const std::size_t at = errors.find(undefined); at != std::string_view::npos) {
    report.kind = std::string(line_at(errors, at + undefined.size()));
    const std::size_t newline = errors.rfind('\n', at);
    const std::size_t begin = newline == std::string_view::npos ? 0 : newline + 1;
    if (const auto place = place_in(errors.substr(begin, at - begin), files)) {
      report.place = *place;
    } else {
      find_frame(report, errors, at, files);
    }
    return report;
  }
  return std::nullopt;
}

bool may_not_have_started(std::string_view errors) {
  return std::ranges::any_of(
      std::initializer_list<std::string_view>{
          "unexpected memory mapping", "Shadow memory range interleaves",
          "ReserveShadowMemoryRange failed", "failed to intercept", "personality",
          // Without /proc it does not even learn that it is not wanted.
          "LeakSanitizer has encountered a fatal error"},
      [errors](std::string_view sign) { return errors.find(sign) != std::string_view::npos; });
}

std::string without_sanitizer_notes(std::string_view errors) {
  std::string own;
  for (std::size_t at = 0; at < errors.size();) {
    const std::string_view line = line_at(errors, at);
    at += line.size() + 1;
    const bool note = line.starts_with("==") && line.find("==WARNING: ") != std::string_view::npos;
    if (note) continue;
    own += line;
    own += '\n';
  }
  return own;
}

std::string own_words(std::string_view errors) {
  std::size_t end = errors.size();
  for (std::string_view sign : {"Sanitizer:", ": runtime error: "}) {
    for (std::size_t at = errors.find(sign); at != std::string_view::npos && at < end;
         at = errors.find(sign, at + 1)) {
      const std::size_t newline = errors.rfind('\n', at);
      const std::size_t begin = newline == std::string_view::npos ? 0 : newline + 1;
      const std::string_view line = line_at(errors, begin);
      if (line.find("==WARNING: ") == std::string_view::npos) end = begin;
    }
  }
  std::string own = without_sanitizer_notes(errors.substr(0, end));
  // A line of ==== stands above a report.
  if (end < errors.size()) {
    while (own.ends_with("=\n")) {
      const std::size_t newline = own.rfind('\n', own.size() - 2);
      own.erase(newline == std::string::npos ? 0 : newline + 1);
    }
  }
  return own;
}

std::optional<Hole> find_hole(std::string_view errors) {
  constexpr std::string_view sign = "not written: ";
  std::size_t at = errors.starts_with(sign) ? 0 : errors.find("\nnot written: ");
  if (at == std::string_view::npos) return std::nullopt;
  if (errors[at] == '\n') ++at;
  const std::string_view line = line_at(errors, at + sign.size());
  Hole hole;
  const std::size_t open = line.find('(');
  const std::size_t close = line.find(')', open == std::string_view::npos ? 0 : open);
  if (open == std::string_view::npos || close == std::string_view::npos) return std::nullopt;
  hole.what = escape_text(line.substr(0, open));
  while (hole.what.ends_with(' ')) hole.what.pop_back();
  hole.task = escape_text(line.substr(open + 1, close - open - 1));
  std::string_view place = line.substr(close + 1);
  while (place.starts_with(' ')) place.remove_prefix(1);
  if (const std::size_t colon = place.rfind(':'); colon != std::string_view::npos) {
    const std::size_t slash = place.rfind('/', colon);
    const std::size_t name = slash == std::string_view::npos ? 0 : slash + 1;
    hole.place.file = escape_text(place.substr(name, colon - name));
    hole.place.line = std::atoi(std::string(place.substr(colon + 1)).c_str());
  }
  return hole;
}

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
  const auto with_suspicion = [&](std::string sentence) {
    if (sentence.empty()) return suspicion;
    return suspicion.empty() ? sentence : sentence + '\n' + suspicion;
  };

  for (const auto& program : programs) {
    if (!died(*program)) continue;
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
    const auto call = log->turning();
    if (!call) continue;
    result.program = program.get();
    // (A wait that always returns is not at fault: what it is asked for is.)
    const Place place = call->is(Calls::any_wait) ? Place{} : place_of(*call, *program, files);
    if (!place.empty()) result.place = place;
    const bool ended = call->is(Calls::recv | Calls::read) && call->result == 0;
    const std::string turns = (ended ? end_of_file_sentence : turning_sentence) +
                              (" So it goes on: " + call->text() + '.');
    // It is proven, and stands alone; what a wait should not have been asked for the step knows.
    result.cause = call->is(Calls::any_wait) ? with_suspicion(turns) : turns;
    return result;
  }
  if (result.kind == Diagnosis::Kind::hang && computes(*result.program)) {
    result.cause = with_suspicion("Your " + result.program->name() +
                                  " computes without end: it is in a loop that does not wait.");
  }
  return result;
}

}  // namespace kit
