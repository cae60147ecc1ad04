// How far along a learner is: every lesson and step with its points, what is next, and a total.
//
//   cmake --workflow --preset progress
//
// Begins with what is known. Of the lessons that have been begun, what has changed since it was
// last judged is built and checked; nothing else is. Never red itself: only a mistake of the kit's
// own makes it fail.

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "harness/base/sources.hpp"
#include "judge.hpp"
#include "proof/command.hpp"
#include "terminal.hpp"

namespace {

using kit::Judge;
using kit::Known;
using kit::StepEntry;
using kit::Style;

void print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
}

struct Sum {
  int got = 0, here = 0, all = 0;
  void add(const StepEntry& step, const Known& known) {
    all += step.points;
    if (known.state != Known::State::elsewhere) here += step.points;
    if (known.passed()) got += step.points;
  }
  std::string text() const {
    std::string line = std::to_string(got) + " of " + std::to_string(here);
    if (here < all) line += " here; " + std::to_string(all - here) + " are decided elsewhere";
    return line;
  }
};

/// "01_tcp_echo      [############........]  60 of 100": a letter for five points.
std::string bar(const Judge& judge, const Style& style) {
  const kit::Points sum = kit::points(judge);
  const int got = sum.core + sum.harden;
  const int all = std::max(sum.core_of + sum.harden_of, 1);
  const int letters = got * 20 / all;
  char line[128];
  std::snprintf(line, sizeof line, "  %3d of %3d points\n", got, all);
  std::string name = judge.lesson().name;
  name.resize(18, ' ');
  return name + '[' +
         style.paint(Style::green, std::string(static_cast<std::size_t>(letters), '#')) +
         std::string(static_cast<std::size_t>(20 - letters), '.') + ']' + line;
}

std::string table(const Judge& judge, const Style& style, Sum& total) {
  const kit::Lesson& lesson = judge.lesson();
  Sum core, harden;
  std::string rows;
  for (const StepEntry& step : lesson.steps) {
    const Known known = judge.known(step);
    (step.part == "core" ? core : harden).add(step, known);
    total.add(step, known);
    char row[128];
    std::snprintf(row, sizeof row, "%2d of %2d  %-6s  %-6s  ", known.passed() ? step.points : 0,
                  step.points, step.part.c_str(), step.program.c_str());
    std::string state = kit::word(known.state);
    state.resize(9, ' ');
    if (known.state != Known::State::nothing && known.state != Known::State::not_yet) {
      state = style.paint(known.done() ? Style::green : Style::red, state);
    }
    std::string id = step.id;
    id.resize(6, ' ');
    rows += "  " + id + ' ' + state + ' ' + row + step.title.substr(0, 36) + '\n';
  }
  const std::string head = '\n' + lesson.name + "  " + lesson.title + '\n';
  if (!judge.begun()) {
    return head + "  not begun: " + std::to_string(lesson.steps.size()) + " steps, core " +
           std::to_string(core.all) + " points, harden " + std::to_string(harden.all) + " points\n";
  }
  return head + rows + "  core " + core.text() + ", harden " + harden.text() + '\n';
}

/// What has changed in a lesson that has been begun.
std::vector<const StepEntry*> unknown(const Judge& judge) {
  std::vector<const StepEntry*> steps;
  if (!judge.begun()) return steps;
  for (const StepEntry& step : judge.lesson().steps) {
    if (judge.known(step).state == Known::State::nothing) steps.push_back(&step);
  }
  return steps;
}

void print_next(const Judge& judge, const StepEntry& step) {
  const kit::Lesson& lesson = judge.lesson();
  std::string text = "next:  " + step.name() + '\n';
  if (const kit::Task* task = lesson.task(step.task)) {
    const kit::Place place = kit::find_task(judge.desk().sources(lesson).string(), *task);
    text += "       lessons/" + lesson.name + '/' + place.file + ':' +
            std::to_string(std::max(place.line, 1)) + '\n';
  }
  print(text + "       cmake --workflow --preset lesson-" + lesson.number() + '\n');
}

int run() {
  const kit::Desk desk{KIT_ROOT_FOLDER, KIT_BUILD_FOLDER};
  const Style style(STDOUT_FILENO);
  std::vector<Judge> judges;
  const kit::Manifest manifest = desk.manifest();
  for (const kit::Lesson& lesson : manifest.lessons()) {
    judges.emplace_back(desk, lesson, kit::jobs_here());
  }
  for (const Judge& judge : judges) print(bar(judge, style));

  bool changed = false;
  for (Judge& judge : judges) {
    const auto steps = unknown(judge);
    if (steps.empty()) continue;
    const std::string name = judge.lesson().name;
    print((changed ? "" : "\n") + name + ": " + std::to_string(steps.size()) +
          (steps.size() == 1 ? " step has" : " steps have") + " changed; building and checking\n");
    changed = true;
    std::string words;
    if (!judge.prepare([](const std::string& what) { print("  " + what + '\n'); }, words)) {
      print(words);
      throw std::runtime_error("the kit's own part of lesson " + judge.lesson().number() +
                               " does not build");
    }
    judge.judge_all(steps, [](const std::string&) {});
    if (kit::interrupted() != 0) return 128 + kit::interrupted();
  }
  Sum total;
  for (const Judge& judge : judges) print(table(judge, style, total));
  print("\ntotal: " + total.text() + " points\n");
  for (const Judge& judge : judges) {
    if (const StepEntry* const next = judge.next()) {
      print_next(judge, *next);
      return 0;
    }
  }
  print("next:  nothing is left: the course is done\n");
  return 0;
}

}  // namespace

int main(int argc, char* /*argv*/[]) {
  if (argc != 1) {
    std::fprintf(stderr, "kit-progress: takes no argument\nusage: kit-progress\n");
    return 2;
  }
  kit::end_commands_on_signals();
  try {
    const int status = run();
    kit::end_what_is_left();
    return status;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "kit-progress: %s\n", error.what());
    return 99;
  }
}
