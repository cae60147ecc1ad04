// Says how far a lesson is, or whether one step is right: the same checks as `ctest`, and nothing
// is built that they do not need.
//
//   build/kit-check 03          up to the first step that is red
//   build/kit-check 03.4        this step alone
//   build/kit-check 03 --all    every step, with its report
//
// The last line says where the lesson stands. See also: kit_watch.cpp, which does this on saving.

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "judge.hpp"
#include "prediction.hpp"
#include "proof/command.hpp"
#include "terminal.hpp"

namespace {

constexpr int red = 1;
constexpr int usage = 2;
constexpr int kit_error = 99;

struct Options {
  std::string what;  ///< "03" or "03.4"
  bool all = false;
  bool stages = false;   ///< for kit-watch: a line for each thing that is begun
  bool by_hand = false;  ///< for kit-watch: only builds what a person runs
  std::string lessons;   ///< a folder in place of lessons/
};

int wrong(const std::string& sentence) {
  std::fprintf(stderr,
               "kit-check: %s\n"
               "usage: kit-check LESSON [--all] | STEP      such as 03 or 03.4\n",
               sentence.c_str());
  return usage;
}

void print(const std::string& text) {
  static const kit::Style style(STDOUT_FILENO);
  std::fputs(kit::paint_lines(style, text).c_str(), stdout);
  std::fflush(stdout);
}

// One step, with what is said of it.
kit::Known judge_aloud(const kit::Judge& judge, const kit::StepEntry& step,
                       const kit::Judge::Say& say) {
  kit::Known known = judge.judge(step, say);
  if (known.state == kit::Known::State::nothing && kit::interrupted() == 0) {
    known = judge.judge(step, say);  // a file was saved meanwhile: once more
  }
  if (known.state != kit::Known::State::nothing) print(judge.report(step));
  return known;
}

void print_all(const kit::Judge& judge) {
  for (const kit::StepEntry& step : judge.lesson().steps) {
    print(judge.report(step) + (judge.known(step).done() ? "" : "\n"));
  }
}

int run(const Options& options, const kit::Judge& judge, const kit::StepEntry* only) {
  const kit::Judge::Say say = [&](const std::string& what) {
    if (options.stages || what.ends_with('%')) print(what + '\n');
  };
  std::string words;
  if (!judge.prepare(say, words)) {
    print(words);
    std::fprintf(stderr, "kit-check: the kit's own part does not build\n");
    return kit_error;
  }
  if (options.by_hand) {
    judge.build_plain();
    return 0;
  }
  bool good = true;
  const kit::Lesson& lesson = judge.lesson();
  if (only != nullptr) {
    good = judge_aloud(judge, *only, say).done();
  } else if (options.all) {
    std::vector<const kit::StepEntry*> steps;
    for (const kit::StepEntry& step : lesson.steps) steps.push_back(&step);
    judge.judge_all(steps, say);
    if (kit::interrupted() == 0) print_all(judge);
    good = judge.next() == nullptr;
  } else {
    for (const kit::StepEntry& step : lesson.steps) {
      good = judge_aloud(judge, step, say).done();
      if (!good || kit::interrupted() != 0) break;
    }
  }
  if (kit::interrupted() != 0) return 128 + kit::interrupted();
  if (options.stages) return good ? 0 : red;
  if (only == nullptr) judge.build_plain();
  const std::string told =
      options.all ? kit::decided_predictions(judge) : kit::newly_decided_predictions(judge);
  if (!told.empty()) print('\n' + told);
  const std::string written = kit::predictions_line(judge);
  if (only == nullptr) print('\n' + written + (written.empty() ? "" : "\n"));
  const kit::Style style(STDOUT_FILENO);
  print(style.paint(good ? kit::Style::green : kit::Style::red, kit::last_line(judge)) + '\n');
  return good ? 0 : red;
}

}  // namespace

int main(int argc, char* argv[]) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--all") {
      options.all = true;
    } else if (argument == "--stages" || argument == "--all-stages") {
      options.stages = true;
      options.all = argument == "--all-stages";
    } else if (argument == "--by-hand") {
      options.by_hand = true;
    } else if (argument == "--lessons" && i + 1 < argc) {
      options.lessons = argv[++i];
    } else if (!argument.starts_with('-') && options.what.empty()) {
      options.what = argument;
    } else {
      return wrong("\"" + argument + "\" is no option");
    }
  }
  if (const char* const lesson = std::getenv("KIT_LESSON"); lesson && options.what.empty()) {
    options.what = lesson;
  }
  if (options.what.empty()) return wrong("which lesson? (an argument, or KIT_LESSON=03)");
  kit::end_commands_on_signals();
  try {
    const kit::Desk desk{KIT_ROOT_FOLDER, KIT_BUILD_FOLDER, options.lessons};
    const kit::Manifest manifest = desk.manifest();
    for (const kit::Lesson& lesson : manifest.lessons()) {
      const kit::StepEntry* const step = lesson.step(options.what);
      if (lesson.number() != options.what && step == nullptr) continue;
      const int status = run(options, kit::Judge(desk, lesson, kit::jobs_here()), step);
      kit::end_what_is_left();
      return status;
    }
    return wrong("there is no lesson and no step \"" + options.what + "\"");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "kit-check: %s\n", error.what());
    return kit_error;
  }
}
