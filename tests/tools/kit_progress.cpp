// How far along a learner is: every lesson and step with its points, what is next, and a total.
//
//   cmake --workflow --preset progress
//
// Builds and checks the lessons that have been begun; what has not changed since the last time is
// not checked again (build/kit/progress keeps the results). Never red itself: only a mistake of the
// kit's own makes it fail.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "harness/escape.hpp"
#include "harness/manifest.hpp"
#include "harness/sources.hpp"
#include "proof/command.hpp"

namespace {

namespace fs = std::filesystem;
using kit::Lesson;
using kit::StepEntry;

enum class State { not_begun, not_yet, failed, passed, elsewhere, does_not_build };

struct Result {
  State state = State::not_begun;
  std::string cause;
};

struct Folders {
  fs::path root, build;
  fs::path kept() const { return build / "kit" / "progress"; }
  fs::path sources(const Lesson& lesson) const { return root / "lessons" / lesson.name; }
  fs::path programs(const Lesson& lesson) const { return build / "lessons" / lesson.name; }
  fs::path check(const Lesson& lesson) const { return build / ("check_" + lesson.number()); }
};

const char* word(State state) {
  switch (state) {
    case State::passed:
      return "passed";
    case State::failed:
      return "failed";
    case State::elsewhere:
      return "elsewhere";
    case State::does_not_build:
      return "no build";
    case State::not_begun:
    case State::not_yet:
      break;
  }
  return "not yet";
}

// Whether the starter's hole of a task still stands in the learner's file.
bool is_open(const fs::path& sources, const kit::Task& task) {
  const auto text = kit::read_text(sources / task.file);
  return !text || text->find("not_written(\"" + task.id + "\"") != std::string::npos;
}

// A task that only harden steps belong to comes back to code that is there already.
bool has_hole(const Lesson& lesson, const kit::Task& task) {
  bool named = false;
  for (const StepEntry& step : lesson.steps) {
    if (step.task != task.id) continue;
    if (step.part == "core") return true;
    named = true;
  }
  return !named;
}

bool is_begun(const Folders& folders, const Lesson& lesson) {
  return std::any_of(lesson.tasks.begin(), lesson.tasks.end(), [&](const kit::Task& task) {
    return has_hole(lesson, task) && !is_open(folders.sources(lesson), task);
  });
}

// The newest of the programs and the check: a result older than that is none.
std::optional<fs::file_time_type> newest_program(const Folders& folders, const Lesson& lesson) {
  std::optional<fs::file_time_type> newest;
  std::error_code error;
  const auto look = [&](const fs::path& file) {
    const auto time = fs::last_write_time(file, error);
    if (!error && (!newest || time > *newest)) newest = time;
  };
  look(folders.check(lesson));
  for (const auto& entry : fs::recursive_directory_iterator(folders.programs(lesson), error)) {
    if (entry.is_regular_file(error)) look(entry.path());
  }
  return newest;
}

std::map<std::string, std::string> read_result(const fs::path& file) {
  std::map<std::string, std::string> values;
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t tab = line.find('\t');
    if (tab != std::string::npos) values[line.substr(0, tab)] = line.substr(tab + 1);
  }
  return values;
}

Result judged(const std::map<std::string, std::string>& values) {
  const auto at = [&](const char* key) {
    const auto found = values.find(key);
    return found == values.end() ? std::string() : found->second;
  };
  const std::string status = at("status");
  if (status == "pass") return {State::passed, {}};
  if (status == "skip") return {State::elsewhere, at("cause")};
  if (at("cause").find("not written") != std::string::npos) return {State::not_yet, at("cause")};
  return {State::failed, at("cause")};
}

std::vector<std::string> check_environment(const Folders& folders, const Lesson& lesson,
                                           const fs::path& result) {
  std::vector<std::string> environment = kit::plain_environment();
  for (const char* name : {"KIT_TIME_SCALE", "KIT_SEED", "KIT_DEADLINE_MS"}) {
    if (const char* value = std::getenv(name))
      environment.push_back(std::string(name) + '=' + value);
  }
  environment.insert(environment.end(),
                     {"KIT_CANDIDATE=" + folders.programs(lesson).string(),
                      "KIT_SOURCES=" + folders.sources(lesson).string(),
                      "KIT_MANIFEST=" + (folders.build / "kit" / "manifest.txt").string(),
                      "KIT_ROOT=" + folders.root.string(), "KIT_BUILD=" + folders.build.string(),
                      "KIT_RESULT=" + result.string()});
  return environment;
}

std::vector<Result> check_lesson(const Folders& folders, const Lesson& lesson, unsigned jobs) {
  std::vector<Result> results(lesson.steps.size());
  if (!is_begun(folders, lesson)) return results;

  std::printf("%s: building\n", lesson.name.c_str());
  std::fflush(stdout);
  const kit::Outcome built =
      kit::run_command({{CMAKE_COMMAND_PATH, "--build", folders.build.string(), "--target",
                         "lesson-" + lesson.number(), "--parallel", std::to_string(jobs)},
                        kit::plain_environment(),
                        folders.root,
                        std::chrono::minutes(20)});
  if (!built.ok()) {
    for (Result& result : results) result = {State::does_not_build, {}};
    return results;
  }
  const auto newest = newest_program(folders, lesson);
  std::printf("%s: checking\n", lesson.name.c_str());
  std::fflush(stdout);
  kit::in_parallel(results.size(), jobs, [&](std::size_t i) {
    const StepEntry& step = lesson.steps[i];
    const fs::path file = folders.kept() / step.id;
    std::error_code error;
    const auto time = fs::last_write_time(file, error);
    if (error || !newest || time < *newest) {
      fs::remove(file, error);
      kit::run_command({{folders.check(lesson).string(), "[" + step.id + "]"},
                        check_environment(folders, lesson, file),
                        folders.root,
                        std::chrono::seconds(step.timeout),
                        std::chrono::seconds(5)});
    }
    results[i] = judged(read_result(file));
  });
  return results;
}

struct Sum {
  int got = 0, here = 0, all = 0;
  void add(const StepEntry& step, const Result& result) {
    all += step.points;
    if (result.state != State::elsewhere) here += step.points;
    if (result.state == State::passed) got += step.points;
  }
  std::string text() const {
    std::string line = std::to_string(got) + " of " + std::to_string(here);
    if (here < all) line += " here; " + std::to_string(all - here) + " are decided elsewhere";
    return line;
  }
};

void print_lesson(const Lesson& lesson, const std::vector<Result>& results) {
  Sum core, harden;
  bool begun = false;
  for (std::size_t i = 0; i < results.size(); ++i) {
    (lesson.steps[i].part == "core" ? core : harden).add(lesson.steps[i], results[i]);
    begun |= results[i].state != State::not_begun;
  }
  std::printf("\n%s  %s\n", lesson.name.c_str(), lesson.title.c_str());
  if (!begun) {
    std::printf("  not begun: %zu steps, core %d points, harden %d points\n", results.size(),
                core.all, harden.all);
    return;
  }
  for (std::size_t i = 0; i < results.size(); ++i) {
    const StepEntry& step = lesson.steps[i];
    const int got = results[i].state == State::passed ? step.points : 0;
    std::printf("  %-6s %-9s %2d of %2d  %-6s  %-6s  %s\n", step.id.c_str(), word(results[i].state),
                got, step.points, step.part.c_str(), step.program.c_str(), step.title.c_str());
  }
  std::printf("  core %s, harden %s\n", core.text().c_str(), harden.text().c_str());
}

void print_next(const Folders& folders, const Lesson& lesson, const StepEntry& step) {
  std::printf("next:  %s\n", step.name().c_str());
  if (const kit::Task* task = lesson.task(step.task)) {
    const kit::Place place = kit::find_task(folders.sources(lesson), *task);
    std::printf("       lessons/%s/%s:%d\n", lesson.name.c_str(), place.file.c_str(),
                std::max(place.line, 1));
  }
  std::printf("       cmake --workflow --preset lesson-%s\n", lesson.number().c_str());
}

int run(const Folders& folders) {
  const kit::Manifest manifest =
      kit::Manifest::read((folders.build / "kit" / "manifest.txt").string());
  const unsigned jobs = std::clamp(std::thread::hardware_concurrency(), 1U, 8U);
  fs::create_directories(folders.kept());
  Sum total;
  std::vector<std::vector<Result>> all;
  for (const Lesson& lesson : manifest.lessons()) {
    all.push_back(check_lesson(folders, lesson, jobs));
    if (kit::interrupted() != 0) return 128 + kit::interrupted();
  }
  const Lesson* next_lesson = nullptr;
  const StepEntry* next_step = nullptr;
  for (std::size_t l = 0; l < all.size(); ++l) {
    const Lesson& lesson = manifest.lessons()[l];
    print_lesson(lesson, all[l]);
    for (std::size_t i = 0; i < all[l].size(); ++i) {
      total.add(lesson.steps[i], all[l][i]);
      const State state = all[l][i].state;
      if (!next_step && state != State::passed && state != State::elsewhere) {
        next_lesson = &lesson;
        next_step = &lesson.steps[i];
      }
    }
  }
  std::printf("\ntotal: %s points\n", total.text().c_str());
  if (next_step) {
    print_next(folders, *next_lesson, *next_step);
  } else {
    std::printf("next:  nothing is left: the course is done\n");
  }
  return 0;
}

}  // namespace

int main(int argc, char* argv[]) {
  if (argc != 3) {
    std::fprintf(stderr,
                 "kit-progress: takes the kit's folder and its build folder\n"
                 "usage: kit-progress ROOT BUILD\n");
    return 2;
  }
  kit::end_commands_on_signals();
  try {
    return run({argv[1], argv[2]});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "kit-progress: %s\n", error.what());
    return 99;
  }
}
