// The commands that play a failed step again by hand.

#include <netinet/in.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "causes.hpp"
#include "harness/base/escape.hpp"
#include "harness/step/step.hpp"
#include "report.hpp"
#include "sections.hpp"

namespace kit {
namespace {

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

constexpr const char* shown_path = "/tmp/kit.sock";

constexpr std::string_view in_background = " &";

// What is said above the lines. (kit-prove reads them there, and tries them.)
constexpr const char* in_any_terminal = "    or, without the check:\n";
constexpr const char* in_one_terminal = "    or, without the check, in one terminal:\n";
constexpr const char* in_another_terminal = "    in another:\n";

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

// A command in lines that a shell reads as one: broken at blanks that no quotes hold.
std::string in_shell_lines(std::string_view command) {
  const std::size_t width = report_width();
  std::string out;
  std::string line(4, ' ');
  bool quoted = false;
  for (std::size_t at = 0; at < command.size();) {
    std::size_t end = at;
    while (end < command.size() && (quoted || command[end] != ' ')) {
      if (command[end++] == '\'') quoted = !quoted;
    }
    // An option and its value stay together.
    if (command.substr(at).starts_with("--") && end < command.size() &&
        !command.substr(end + 1).starts_with("--") && command[end + 1] != '&') {
      ++end;
      while (end < command.size() && (quoted || command[end] != ' ')) {
        if (command[end++] == '\'') quoted = !quoted;
      }
    }
    const std::string_view word = command.substr(at, end - at);
    if (at > 0 && width_of(line) + 1 + width_of(word) + 2 > width) {
      out += line + " \\\n";
      line.assign(6, ' ');
    } else if (at > 0) {
      line += ' ';
    }
    line += word;
    at = std::min(end + 1, command.size());
  }
  return out + line + '\n';
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
  if (conversation.open && !conversation.datagrams) command += " --hold";
  return command;
}

bool had_faults(const Program& program) {
  const RecorderLog* const log = program.recorder_if_any();
  if (log == nullptr || !log->attached()) return false;
  const auto faults = log->delivered();
  return std::ranges::any_of(faults, [](const auto& one) { return one.times > 0; });
}

// kit-talk waits for an answer to each of its datagrams; as a partner that says nothing it takes
// one.
bool is_beyond_talk(const Conversation& one) {
  if (!one.datagrams) return false;
  if (one.listens) return one.words.empty();
  int sent = 0;
  bool answered_once = false;
  for (const std::string& word : one.words) {
    if (word == "--pause") {
      answered_once = sent > 1;
      sent = 0;
    } else if (word == "--send") {
      if (answered_once) return true;
      ++sent;
    }
  }
  return false;
}

// Somebody has done something after the next had come: typed one after the other, that is another
// story.
bool is_interleaved(const std::vector<const Conversation*>& talks) {
  return std::ranges::any_of(talks, [&talks](const Conversation* one) {
    return std::ranges::any_of(talks, [one](const Conversation* other) {
      return one->order < other->order && other->order < one->acted;
    });
  });
}

// What a person who types these lines cannot do: a fault in a call, a signal, two threads at the
// same moment; and what they do not say: what the check has typed into the program.
bool is_beyond_typing(const Program& program, const Diagnosis& diagnosis) {
  const bool race = diagnosis.kind == Diagnosis::Kind::sanitizer && program.build() == "raced";
  return had_faults(program) || program.told_to_end_by() != 0 || program.typed_to() || race;
}

// The same without the check, where that shows it too: what failed is what a partner of one program
// has seen, and all that the partners did can be typed. Whoever comes first, a server or what
// stands in for one, keeps its terminal for itself.
std::string by_hand(const Step& step, const Diagnosis& diagnosis) {
  if (step.failure()->who.empty()) return {};
  std::vector<const Conversation*> talks;
  for (const Conversation& one : step.conversations()) {
    if (!one.name.empty()) talks.push_back(&one);
  }
  // Of a client: itself and the partner that it was given, not those of earlier clients.
  std::size_t from = 0;
  if (diagnosis.program != nullptr && !diagnosis.program->is_server()) {
    for (const Conversation* one : talks) {
      if (one->listens && one->order < diagnosis.program->order()) from = one->order;
    }
    std::erase_if(talks, [from](const Conversation* one) { return one->order < from; });
  }
  if (is_interleaved(talks)) return {};
  std::vector<std::pair<std::size_t, std::string>> lines;
  for (const auto& program : step.programs()) {
    if (program->order() < from) continue;
    if (!lines.empty() || is_beyond_typing(*program, diagnosis)) return {};
    const bool instrumented = diagnosis.kind == Diagnosis::Kind::sanitizer;
    lines.emplace_back(program->order(), command_of(step, *program, instrumented));
  }
  for (const Conversation* one : talks) {
    if (!one->exact || is_beyond_talk(*one)) return {};
    // One that stays open while the next speaks goes to the background.
    const bool background = one->listens || (one->open && one != talks.back());
    lines.emplace_back(one->order, talk_of(*one) + std::string(background ? in_background : ""));
  }
  std::ranges::sort(lines);
  if (lines.empty()) return {};
  const bool two = lines.size() > 1;
  std::string& first = lines.front().second;
  if (first.ends_with(in_background)) first.resize(first.size() - in_background.size());
  std::string out = two ? in_one_terminal : in_any_terminal;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i == 1) out += in_another_terminal;
    out += in_shell_lines(lines[i].second);
  }
  return out;
}

}  // namespace

std::string see_section(const Step& step, const Diagnosis& diagnosis, const Room& room) {
  if (step.lesson().name.empty()) return {};
  std::string out =
      title("see it yourself") + "    " + build_folder + "kit-show " + step.entry().id;
  if (step.random_used()) out += " --seed " + std::to_string(step.settings().seed);
  const std::string plain = by_hand(step, diagnosis);
  const bool short_enough = std::ranges::count(plain, '\n') <= static_cast<long>(room.by_hand);
  return out + '\n' + (short_enough ? plain : "");
}

}  // namespace kit
