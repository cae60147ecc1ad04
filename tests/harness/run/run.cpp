#include "run.hpp"

#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/prctl.h>
#endif

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <exception>
#include <optional>
#include <string>

#include "harness/base/address.hpp"
#include "harness/base/escape.hpp"
#include "harness/base/limits.hpp"
#include "harness/said/report.hpp"
#include "harness/seen/last_words.hpp"
#include "harness/step/step.hpp"
#include "harness/step/witness.hpp"
#include "harness/wire/loopback.hpp"

namespace kit {
namespace {

int worst = -1;
int report_fd = 1;

void keep(int code) {
  // The kit's own error, a failure, cannot run here, passed: in this order.
  const auto weight = [](int one) {
    switch (one) {
      case limits::kit_error:
        return 4;
      case limits::failed:
        return 3;
      case limits::cannot_run:
        return 2;
      case limits::passed:
        return 1;
      default:
        return 0;
    }
  };
  if (weight(code) > weight(worst)) worst = code;
}

int code_of(StepOutcome::Status status) {
  switch (status) {
    case StepOutcome::Status::pass:
      return limits::passed;
    case StepOutcome::Status::fail:
      return limits::failed;
    case StepOutcome::Status::skip:
      return limits::cannot_run;
    case StepOutcome::Status::error:
      return limits::kit_error;
  }
  return limits::kit_error;
}

StepOutcome cannot_run(const StepEntry& entry, std::string_view reason) {
  const std::string why = escape_text(reason);
  return {StepOutcome::Status::skip, "cannot run here: " + why,
          entry.name() + "\n\n  cannot run here: " + why + '\n'};
}

StepOutcome kit_error(const std::string& name, std::string_view what) {
  const std::string why = escape_text(what);
  return {StepOutcome::Status::error, "the kit's own error: " + why,
          name + "\n\n  The kit's own error, not yours:\n    " + why + '\n'};
}

// Why no program of such a build could have done better here. What the step's programs have said
// decides nothing: an empty program is tried in their place.
std::optional<std::string> unfit(Step& step) {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < limits::least_open_files) {
    return "this shell allows " + std::to_string(files.rlim_cur) +
           " open files, and a step needs " + std::to_string(limits::least_open_files) +
           ": ulimit -n";
  }
  if (!can_bind_plainly(Address::tcp("127.0.0.1", 0), SOCK_STREAM)) {
    return "this machine has no loopback: nobody can listen on 127.0.0.1";
  }
  // Addresses are drawn by lot: some machines let a sanitizer start now and then.
  constexpr int often = 8;
  for (const auto& program : step.programs()) {
    const std::string_view said = program->errors();
    if (program->build() == "plain" || program->alive() || program->killed() ||
        program->exit()->clean() || said.find("Sanitizer") == std::string_view::npos) {
      continue;
    }
    if (const auto why =
            step.cannot_start(program->build(), may_not_have_started(said) ? often : 1)) {
      return "the sanitizer does not start on this machine: " + *why;
    }
  }
  return std::nullopt;
}

// Runs the body in a place of its own. All that was started is gone when it returns.
StepOutcome judge(const Settings& settings, const Lesson& lesson, const StepEntry& entry,
                  StepBody body) {
  Step step(settings, lesson, entry);
  const auto failed = [&step, &entry] {
    const Uninterrupted explaining;
    if (const auto reason = unfit(step)) return cannot_run(entry, *reason);
    StepOutcome outcome = explain_failure(step);
    if (Witness* const witness = step.witness()) {
      // Of what is not written there is nothing to see.
      const bool written = !outcome.cause.starts_with("not written");
      if (const std::string picture = written ? witness->draw() : ""; !picture.empty()) {
        outcome.report += "    (as a picture: " + picture + ")\n";
      }
      witness->finish("fail", outcome.cause);
    }
    return outcome;
  };
  const auto passed = [&step, &entry] {
    StepOutcome outcome{StepOutcome::Status::pass, "", header(entry, entry.points)};
    outcome.looks = step.looks();
    if (Witness* const witness = step.witness()) witness->finish("pass", "");
    for (const auto& program : step.programs()) {
      const RecorderLog* const log = program->recorder_if_any();
      if (log == nullptr || !log->attached()) continue;
      for (const auto& [fault, times] : log->delivered()) outcome.faults[fault] += times;
    }
    return outcome;
  };
  try {
    try {
      body(step);
      step.finish();
    } catch (const OutOfTime&) {
      step.fail({.expected = "the step is over within " + std::to_string(entry.timeout) + " s",
                 .got = "it is not",
                 .out_of_time = true});
    }
    return passed();
  } catch (const StepFailed&) {
    return failed();
  } catch (const CannotRun& reason) {
    return cannot_run(entry, reason.what());
  }
}

std::size_t milliseconds_of(double seconds) {
  return static_cast<std::size_t>(seconds * 1000.0);
}

// Ends as the signal would have ended us, now that nothing is left.
void end_by(int signal_number) {
  signal(signal_number, SIG_DFL);
  raise(signal_number);
}

// Catch2 has put handlers of its own before a test: they would end the run with a verdict, in the
// moments before and after our own (Signals), where the default asks for the signal's own end.
void take_back_signals() {
  for (const int number : {SIGINT, SIGTERM, SIGSEGV, SIGABRT, SIGFPE, SIGILL}) {
    signal(number, SIG_DFL);
  }
}

// What it starts may run under its own user: without this it could trace the check, and end it as
// it likes (ptrace(2), PR_SET_DUMPABLE in prctl(2)). In a grader's cell Landlock forbids that, and
// the cell looks at what the check has open.
void forbid_tracing() {
#if defined(__linux__)
  if (std::getenv("KIT_CONFINE") == nullptr) prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

void run(const char* id, const char* title, StepBody body) {
  take_back_signals();
  forbid_tracing();
  const Settings settings = Settings::from_environment();
  const Manifest manifest = Manifest::read(settings.manifest);
  const Lesson* const lesson = manifest.lesson_of(id);
  if (lesson == nullptr) throw KitError(std::string("the manifest has no step ") + id);
  const StepEntry& entry = *lesson->step(id);
  if (entry.title != title) {
    throw KitError("the manifest calls step " + entry.id + " \"" + entry.title +
                   "\", the check \"" + title + '"');
  }

  int interrupted_by = 0;
  const Clock::time_point start = Clock::now();
  StepOutcome outcome;
  {
    const Signals signals;
    const double seconds =
        settings.timeout.value_or(static_cast<double>(entry.timeout)) * limits::share_of_timeout;
    const auto time = std::chrono::milliseconds(milliseconds_of(seconds));
    set_end_of_time(start + time);
    // What a check has seen that was late itself is no reason to fail anybody.
    const auto do_again = [&] {
      const bool late = take_lateness();
      return late && outcome.status == StepOutcome::Status::fail && Clock::now() - start < time / 2;
    };
    try {
      int tries = 0;
      do {
        outcome = judge(settings, *lesson, entry, body);
      } while (++tries < settings.tries && do_again());
    } catch (const Interrupted& interruption) {
      interrupted_by = interruption.signal();
      outcome = {StepOutcome::Status::error, "interrupted by " + signal_name(interrupted_by),
                 entry.name() + "\n\n  interrupted by " + signal_name(interrupted_by) + '\n'};
    } catch (const std::exception& error) {
      outcome = kit_error(entry.name(), error.what());
    }
    set_end_of_time(Clock::time_point::max());
  }
  const std::chrono::duration<double> took = Clock::now() - start;
  write_result(settings.result, entry, *lesson, settings, outcome, took.count());
  print(outcome.report);
  keep(code_of(outcome.status));
  if (interrupted_by != 0) end_by(interrupted_by);
}

}  // namespace

void run_step(const char* id, const char* title, StepBody body) noexcept {
  const auto report = [&](std::string_view what) {
    StepEntry entry;
    entry.id = id;
    entry.title = title;
    const StepOutcome outcome = kit_error(entry.name(), what);
    if (const char* const path = std::getenv("KIT_RESULT")) {
      write_result(path, entry, {}, {}, outcome, 0);
    }
    print(outcome.report);
    keep(limits::kit_error);
  };
  try {
    run(id, title, body);
  } catch (const std::exception& error) {
    report(error.what());
  } catch (...) {
    report("an exception that is no std::exception");
  }
}

void print_to(int fd) noexcept {
  report_fd = fd;
}

void print(std::string_view text) noexcept {
  while (!text.empty()) {
    const ssize_t n = write(report_fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;  // nobody reads: the exit status still tells
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

int verdict() noexcept {
  return worst < 0 ? limits::kit_error : worst;
}

}  // namespace kit
