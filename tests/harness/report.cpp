#include "report.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "causes.hpp"
#include "escape.hpp"
#include "limits.hpp"
#include "proc.hpp"
#include "sources.hpp"
#include "step.hpp"

namespace kit {
namespace {

// Where a learner's shell stands: everything is shown relative to the root of the sources.
constexpr const char* build_folder = "build/";
// Conversations that "see it yourself" plays again; more would not be read.
constexpr std::size_t shown_conversations = 4;
// Open descriptors of a program that hangs.
constexpr std::size_t shown_descriptors = 8;

std::string title(std::string_view text) {
  return "  " + std::string(text) + '\n';
}

// Running text: broken at blanks, each line indented by four.
std::string wrapped(std::string_view text) {
  const std::size_t width = report_width() - 4;
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(at, end - at);
    while (line.size() > width) {
      std::size_t blank = line.rfind(' ', width);
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

std::string first_line(std::string_view text) {
  return std::string(text.substr(0, text.find('\n')));
}

// Its kind without a number: "server 2" is the learner's server too.
std::string kind_of(const Program& program) {
  return program.name().substr(0, program.name().find(' '));
}

std::string program_path(const Step& step, const Program& program, bool instrumented) {
  std::string path = build_folder + ("lessons/" + step.lesson().name) + '/';
  const std::string& file = program.process().command().front();
  std::string name = kind_of(program);
  // Of a probe the file's name says which: .../probe_throwing (perhaps a copy of it). It exists in
  // the builds that are needed only.
  if (const std::size_t probe = file.rfind("probe_"); probe != std::string::npos) {
    name = file.substr(probe);
    instrumented = true;
  }
  if (instrumented && program.build() != "plain") path += program.build() + '/';
  return path + name;
}

// ---- what it did -------------------------------------------------------------------------------

std::string hang_lines(const Program& program) {
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
    text += "\nit waits in ";
    const std::size_t shown = std::min<std::size_t>(waits.size(), 4);
    for (std::size_t i = 0; i < shown; ++i) text += (i == 0 ? "" : ", ") + waits[i];
    if (waits.size() > shown) text += ", ...";
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
      if (++shown > shown_descriptors) {
        out += "      ...\n";
        break;
      }
      out += "      " + std::to_string(one.fd) + "  " + escape_text(one.what) + '\n';
    }
  }
  return out;
}

std::string did_section(const Step& step, const Diagnosis& diagnosis) {
  const Program* const program = diagnosis.program;
  if (program == nullptr) return {};
  std::string lines;
  if (program->recorder_if_any() != nullptr) {
    lines += program->recorder_if_any()->text(
        {.columns = report_width(), .indent = 4, .last = limits::shown_calls});
    if (!lines.empty() && !lines.ends_with('\n')) lines += '\n';
  }
  if (!program->alive()) {
    lines += "    " + program->exit()->text() + '\n';
  } else if (step.failure()->out_of_time) {
    lines += hang_lines(*program);
  }
  std::string out;
  if (!lines.empty()) out += title("what your " + program->name() + " did") + lines;
  // A sanitizer's report was put in one sentence; the whole of it is one command away.
  const std::string said = last_lines(own_words(program->process().err().tail()),
                                      limits::relayed_lines, limits::relayed_width, "    | ");
  if (!said.empty()) out += title("what it wrote on stderr") + said;
  return out;
}

// ---- where to look -----------------------------------------------------------------------------

std::string where_section(const Step& step, const Diagnosis& diagnosis) {
  const Lesson& lesson = step.lesson();
  const Task* const task = lesson.task(diagnosis.task);
  Place place = diagnosis.place;
  if (place.empty() && task != nullptr) {
    place = find_task(step.settings().sources, *task, diagnosis.function);
  }
  if (place.empty() && diagnosis.task.empty()) return {};
  std::string line = "    lessons/" + lesson.name + '/';
  if (!place.empty()) {
    line += place.file + (place.line > 0 ? ':' + std::to_string(place.line) : "");
  }
  const std::string heading =
      page_heading(step.settings().root + "/lessons/" + lesson.name + "/README.md", diagnosis.task);
  line += "   page: \"" + (heading.empty() ? diagnosis.task : heading) + '"';
  return title("where to look") + line + '\n';
}

// ---- see it yourself ---------------------------------------------------------------------------

constexpr const char* shown_path = "/tmp/kit.sock";

// An argument of the program as a learner would type it: our port and our folder mean nothing to
// them.
std::string typed(const Step& step, std::string argument) {
  const std::string& folder = step.folder();
  if (argument.starts_with(folder)) argument = shown_path;
  const bool plain =
      !argument.empty() && argument.find_first_of(" '\"\\$`*?<>|&;()\n\t!#~") == argument.npos;
  return plain ? argument : shell_quoted(argument);
}

std::string command_of(const Step& step, const Program& program, bool instrumented) {
  std::string command = program_path(step, program, instrumented);
  const auto& args = program.args();
  for (std::size_t i = 0; i < args.size(); ++i) {
    std::string argument = args[i];
    if (i > 0 && args[i - 1] == "--port") argument = "9999";
    if (i > 0 && args[i - 1] == "--directory") argument = ".";
    command += ' ' + typed(step, argument);
  }
  return command;
}

std::string talk_of(const Conversation& conversation) {
  std::string command = std::string(build_folder) + "kit-talk ";
  if (conversation.listens) command += "--listen ";
  if (conversation.address.is_unix()) {
    command += std::string("unix:") + shown_path;
  } else {
    const bool v6 = conversation.address.family() == AF_INET6;
    command += (v6 ? "[::1]" : conversation.address.host()) + ":9999";
  }
  if (conversation.datagrams) command += " --udp";
  std::vector<std::string> words = conversation.words;
  while (!words.empty() && words.back() == "--pause") words.pop_back();
  for (const std::string& word : words) command += ' ' + word;
  if (conversation.open && !conversation.datagrams && !conversation.listens) command += " --hold";
  return command;
}

std::string see_section(const Step& step, const Diagnosis& diagnosis) {
  const bool instrumented = diagnosis.kind == Diagnosis::Kind::sanitizer;
  std::vector<const Conversation*> talks;
  for (const Conversation& one : step.conversations()) {
    if (!one.name.empty()) talks.push_back(&one);
  }
  // Of a client: itself and the partner that it was given, not those of earlier clients.
  std::size_t from = 0;
  const bool one_client = diagnosis.program != nullptr && !diagnosis.program->is_server();
  if (one_client) {
    for (const Conversation* one : talks) {
      if (one->listens && one->order < diagnosis.program->order()) from = one->order;
    }
    std::erase_if(talks, [from](const Conversation* one) { return one->order < from; });
  }
  // The last of many is the one that failed; the first few show how it began.
  if (talks.size() > shown_conversations) {
    talks.erase(talks.begin() + (shown_conversations - 1), talks.end() - 1);
  }
  std::vector<std::pair<std::size_t, std::string>> lines;
  bool injected = false;
  for (const auto& program : step.programs()) {
    if (const RecorderLog* log = program->recorder_if_any()) {
      injected |= std::ranges::any_of(log->records(), [](const CallRecord& record) {
        return record.injected != recorder::Action::none;
      });
    }
    if (program->order() < from) continue;
    std::string command = command_of(step, *program, instrumented);
    const bool known =
        std::ranges::any_of(lines, [&command](const auto& line) { return line.second == command; });
    if (!known) lines.emplace_back(program->order(), std::move(command));
  }
  if (lines.empty()) return {};
  for (const Conversation* one : talks) {
    // One that stays open while the next speaks goes to the background.
    const bool background = one->listens || (one->open && one != talks.back());
    lines.emplace_back(one->order, talk_of(*one) + (background ? " &" : ""));
  }
  std::ranges::sort(lines);
  std::string out = title("see it yourself");
  for (const auto& [order, line] : lines) out += "    " + line + '\n';
  std::size_t left_out = 0;
  for (const Conversation* one : talks) left_out += one->left_out;
  if (left_out > 0) {
    out += "    (The check went on to send " + with_commas(left_out) + " more times.)\n";
  }
  if (injected) {
    out +=
        "    (The check made some of its calls fail on purpose: by hand you may need patience.)\n";
  }
  return out;
}

std::string only_section(const Step& step) {
  std::string out =
      title("run only this") + "    " + run_only_this(step.lesson(), step.entry()) + '\n';
  if (step.random_used()) {
    out += "    (the same bytes again: KIT_SEED=" + std::to_string(step.settings().seed) + ")\n";
  }
  return out;
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
    return line + '\n' + std::string(width - score.size(), ' ') + score + '\n';
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
  outcome.report += title("what happened") + step.story().text();
  outcome.report += did_section(step, diagnosis);
  if (!diagnosis.cause.empty()) outcome.report += title("likely cause") + wrapped(diagnosis.cause);
  outcome.report +=
      where_section(step, diagnosis) + see_section(step, diagnosis) + only_section(step);
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
