#include "report.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "causes.hpp"
#include "harness/base/escape.hpp"
#include "harness/base/limits.hpp"
#include "harness/base/sources.hpp"
#include "harness/kernel/proc.hpp"
#include "harness/seen/last_words.hpp"
#include "harness/step/step.hpp"
#include "sections.hpp"

namespace kit {
namespace {

constexpr Room rooms[] = {
    {limits::story_lines, limits::trace_lines, limits::relayed_lines, 8, 8},
    {20, 10, 6, 4, 6},
    {16, 8, 4, 3, 4},
    {12, 6, 3, 2, 0},
};

std::string first_line(std::string_view text) {
  return std::string(text.substr(0, text.find('\n')));
}

// ---- what it did -------------------------------------------------------------------------------

// Some of them, and how many threads wait in the same: recv(6), a lock, a condition or a join ×50
std::string with_numbers(const std::vector<std::string>& waits) {
  constexpr std::size_t shown = 4;
  std::vector<std::pair<std::string, std::size_t>> kinds;
  for (const std::string& wait : waits) {
    const auto known = std::ranges::find(kinds, wait, &std::pair<std::string, std::size_t>::first);
    if (known == kinds.end()) {
      kinds.emplace_back(wait, 1);
    } else {
      ++known->second;
    }
  }
  std::string text;
  for (std::size_t i = 0; i < std::min(kinds.size(), shown); ++i) {
    text += (i == 0 ? "" : ", ") + kinds[i].first;
    if (kinds[i].second > 1) text += " ×" + with_commas(kinds[i].second);
  }
  return text + (kinds.size() > shown ? ", ..." : "");
}

std::string hang_lines(const Program& program, const Room& room) {
  const auto status = proc::status(program.pid());
  if (!status) return {};
  const auto children = proc::children(program.pid());
  const auto descriptors = proc::descriptors(program.pid());
  auto threads = static_cast<std::size_t>(status->threads);
  std::vector<std::string> waits = proc::threads_wait_in(program.pid());
  if (program.build() != "plain" && threads > 1) {
    // A sanitizer has a thread of its own, which looks after the memory.
    --threads;
    const auto own = std::find(waits.rbegin(), waits.rend(), "sleep");
    if (own != waits.rend()) waits.erase(std::next(own).base());
  }
  std::string text = "still running, with " + counted(threads, "thread") + ", " +
                     (children.empty() ? "no child" : counted(children.size(), "child process")) +
                     (descriptors ? ", " + counted(descriptors->size(), "open descriptor") : "");
  if (!waits.empty()) {
    text += "\nit waits in " + with_numbers(waits);
  }
  constexpr std::size_t shown_children = 3;
  for (std::size_t i = 0; i < std::min(children.size(), shown_children); ++i) {
    const auto child = proc::status(children[i]);
    const std::string waits_in = proc::waits_in(children[i]);
    text += "\nchild " + std::to_string(children[i]);
    if (child && child->state == 'Z') {
      text += " has ended and was not waited for (a zombie)";
    } else {
      text += waits_in.empty() ? " runs" : " waits in " + waits_in;
    }
  }
  std::string out = wrapped(text);
  if (descriptors) {
    std::size_t shown = 0;
    for (const auto& one : *descriptors) {
      if (one.fd < 3) continue;
      if (++shown > room.descriptors) {
        out += "      ...\n";
        break;
      }
      const std::string number = std::to_string(one.fd);
      out += "      " + number + "  " +
             in_lines(escape_text(one.what), report_width() - 8 - number.size()).front() + '\n';
    }
  }
  return out;
}

// The last lines of it. A long one goes on below: what it says stands at its end.
std::string stderr_lines(std::string_view errors, const Room& room) {
  constexpr std::size_t longest = 150;
  const std::string last = last_lines(errors, room.stderr_lines, longest, "");
  std::string out;
  for (std::size_t at = 0; at < last.size();) {
    const std::size_t end = last.find('\n', at);
    std::string lead = "    | ";
    for (const std::string& part :
         broken_lines(std::string_view(last).substr(at, end - at), report_width() - 8)) {
      out += lead + part + '\n';
      lead = "    |   ";
    }
    at = end + 1;
  }
  return out;
}

std::string did_section(const Step& step, const Diagnosis& diagnosis, const Room& room) {
  const Program* const program = diagnosis.program;
  if (program == nullptr) return {};
  std::string lines;
  if (program->recorder_if_any() != nullptr) {
    lines += program->recorder_if_any()->text(
        {.columns = report_width(), .indent = 4, .last = recorder::ring_size, .lines = room.trace});
    if (!lines.empty() && !lines.ends_with('\n')) lines += '\n';
  }
  if (!program->alive()) {
    lines += wrapped(program->exit()->text());
  } else if (step.failure()->out_of_time) {
    lines += hang_lines(*program, room);
  }
  std::string out;
  if (!lines.empty()) out += title("what your " + program->name() + " did") + lines;
  // A sanitizer's report was put in one sentence; the whole of it is one command away.
  const std::string said = stderr_lines(own_words(program->process().err().tail()), room);
  if (!said.empty()) out += title("what it wrote on stderr") + said;
  return out;
}

// ---- where to look -----------------------------------------------------------------------------

std::string where_section(const Step& step, const Diagnosis& diagnosis) {
  const Lesson& lesson = step.lesson();
  const std::string& sources = step.settings().sources;
  Place place = diagnosis.place;
  const Task* task = task_at(sources, lesson, place, diagnosis.task);
  if (task == nullptr) task = lesson.task(diagnosis.task);
  const std::string id = task == nullptr ? diagnosis.task : task->id;
  if (place.empty() && task != nullptr) place = find_task(sources, *task, diagnosis.function);
  if (place.empty() && id.empty()) return {};
  std::string line = "    lessons/" + lesson.name + '/';
  if (!place.empty()) {
    line += place.file + (place.line > 0 ? ':' + std::to_string(place.line) : "");
  }
  const std::string heading =
      page_heading(step.settings().root + "/lessons/" + lesson.name + "/README.md", id);
  const std::string page = "page: \"" + (heading.empty() ? id : heading) + '"';
  const bool fits = width_of(line) + 3 + width_of(page) <= report_width();
  return title("where to look") + line + (fits ? "   " : "\n    ") + page + '\n';
}

std::string only_section(const Step& step) {
  std::string out =
      title("run only this") + "    " + run_only_this(step.lesson(), step.entry()) + '\n';
  if (step.random_used()) {
    out += "    (the same bytes again: KIT_SEED=" + std::to_string(step.settings().seed) + ")\n";
  }
  return out;
}

std::string all_sections(const Step& step, const Diagnosis& diagnosis, const Room& room) {
  std::string out = title("what happened") + step.story().text(report_width(), room.story) +
                    did_section(step, diagnosis, room);
  if (!diagnosis.cause.empty()) out += title("likely cause") + wrapped(diagnosis.cause);
  return out + where_section(step, diagnosis) + see_section(step, diagnosis, room) +
         only_section(step);
}

// ---- results -----------------------------------------------------------------------------------

std::string one_line(std::string_view text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '\n':
        out += "\\n";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\\':
        out += "\\\\";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string_view status_word(StepOutcome::Status status) {
  switch (status) {
    case StepOutcome::Status::pass:
      return "pass";
    case StepOutcome::Status::fail:
      return "fail";
    case StepOutcome::Status::skip:
      return "skip";
    case StepOutcome::Status::error:
      return "error";
  }
  return "error";
}

}  // namespace

std::string title(std::string_view text) {
  return "  " + std::string(text) + '\n';
}

std::string wrapped(std::string_view text) {
  const std::size_t width = report_width() - 4;
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(at, end - at);
    while (width_of(line) > width) {
      std::size_t blank = line.rfind(' ', bytes_of(line, width));
      if (blank == std::string_view::npos || blank == 0) blank = line.find(' ');
      if (blank == std::string_view::npos) break;
      out += "    " + std::string(line.substr(0, blank)) + '\n';
      line.remove_prefix(blank + 1);
    }
    out += "    " + std::string(line) + '\n';
    at = end + 1;
  }
  return out;
}

std::size_t report_width() {
  const char* const said = std::getenv("KIT_COLUMNS");
  const unsigned long columns = said == nullptr ? 0 : std::strtoul(said, nullptr, 10);
  return columns < limits::least_report_width
             ? limits::report_width
             : std::min<std::size_t>(columns, limits::report_width);
}

std::string header(const StepEntry& entry, int points, std::size_t width) {
  std::string line = entry.name();
  const std::string score =
      std::to_string(points) + " of " + counted(static_cast<std::size_t>(entry.points), "point");
  if (line.size() + 2 + score.size() > width) {
    std::string title;
    for (const std::string& part : in_lines(line, width)) title += part + '\n';
    const std::size_t last = title.size() - 1 - (title.rfind('\n', title.size() - 2) + 1);
    const bool one_line = title.find('\n') + 1 == title.size();
    if (one_line || last + 2 + score.size() > width) {
      return title + std::string(width - score.size(), ' ') + score + '\n';
    }
    title.pop_back();
    return title + std::string(width - last - score.size(), ' ') + score + '\n';
  }
  line.append(width - line.size() - score.size(), ' ');
  return line + score + '\n';
}

std::string run_only_this(const Lesson& lesson, const StepEntry& entry) {
  return lesson.name.empty() ? "" : build_folder + ("kit-check " + entry.id);
}

StepOutcome explain_failure(const Step& step) {
  const Diagnosis diagnosis = diagnose(step);
  StepOutcome outcome;
  outcome.status = StepOutcome::Status::fail;
  outcome.report = header(step.entry(), 0) + '\n';
  outcome.basis = basis_of(diagnosis);
  if (diagnosis.hole) {
    outcome.cause = "not written: " + diagnosis.hole->what + " (" + diagnosis.hole->task + ')';
    outcome.report += title("not written yet") +
                      wrapped(diagnosis.hole->what + " (" + diagnosis.hole->task +
                              ")\nRed is what to expect here: write it, and see it turn green.") +
                      where_section(step, diagnosis) + title("run only this") + "    " +
                      run_only_this(step.lesson(), step.entry()) + '\n';
    return outcome;
  }
  outcome.cause = diagnosis.cause.empty()
                      ? "expected " + step.failure()->expected + ", got " + step.failure()->got
                      : first_line(diagnosis.cause);
  for (const Room& room : rooms) {
    const std::string told = all_sections(step, diagnosis, room);
    const std::string whole = outcome.report + told;
    if (std::ranges::count(whole, '\n') > static_cast<long>(limits::report_lines) &&
        &room != std::end(rooms) - 1) {
      continue;
    }
    outcome.report = whole;
    break;
  }
  return outcome;
}

void write_result(const std::string& path, const StepEntry& entry, const Lesson& lesson,
                  const Settings& settings, const StepOutcome& outcome, double seconds) {
  if (path.empty()) return;
  char time[32];
  std::snprintf(time, sizeof time, "%.3f", seconds);
  const bool passed = outcome.status == StepOutcome::Status::pass;
  std::string text;
  const auto line = [&text](std::string_view key, std::string_view value) {
    text += std::string(key) + '\t' + one_line(value) + '\n';
  };
  line("id", entry.id);
  line("title", entry.title);
  line("program", entry.program);
  line("status", status_word(outcome.status));
  line("points", std::to_string(passed ? entry.points : 0));
  line("max", std::to_string(entry.points));
  line("cause", outcome.cause);
  line("basis", outcome.basis);
  line("reproduce", run_only_this(lesson, entry));
  line("seconds", time);
  line("seed", std::to_string(settings.seed));
  line("looks", std::to_string(outcome.looks));
  for (const auto& [fault, times] : outcome.faults) line("fault " + fault, std::to_string(times));
  line("report", outcome.report);

  const std::string part = path + ".part";
  const Descriptor file(
      open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!file || write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      rename(part.c_str(), path.c_str()) != 0) {
    std::fprintf(stderr, "cannot write %s\n", path.c_str());
  }
}

}  // namespace kit
