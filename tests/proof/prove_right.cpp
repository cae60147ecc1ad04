// The proofs of what is right: the solution, the starter, and right answers written differently.

#include <algorithm>
#include <atomic>
#include <map>
#include <set>
#include <sstream>
#include <thread>

#include "harness/base/sources.hpp"
#include "mutant.hpp"
#include "prove.hpp"

namespace kit {
namespace {

namespace fs = std::filesystem;

/// Keeps every core busy until the end of the scope.
class Load {
 public:
  Load() {
    const unsigned cores = std::max(1u, std::thread::hardware_concurrency());
    for (unsigned i = 0; i < cores; ++i) {
      threads_.emplace_back([this] {
        while (!ended_.load(std::memory_order_relaxed)) {
        }
      });
    }
  }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;
  ~Load() {
    ended_ = true;
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  std::atomic<bool> ended_{false};
  std::vector<std::thread> threads_;
};

/// The tasks whose holes are filled: in a learner's folder the lesson is the learner's own work,
/// and no starter. The first task that names a function makes its hole; harden tasks may come back
/// to code that has none.
std::vector<std::string> filled_holes(const Lesson& lesson, const fs::path& sources) {
  std::vector<std::string> filled;
  std::set<std::string> named;
  for (const Task& task : lesson.tasks) {
    bool names_new = false;
    for (const std::string& symbol : task.symbols) {
      names_new = named.insert(task.file + " " + symbol).second || names_new;
    }
    const bool core = std::any_of(lesson.steps.begin(), lesson.steps.end(), [&](auto& step) {
      return step.task == task.id && step.part == "core";
    });
    if (!names_new || !core) continue;
    const std::string text = read_text((sources / task.file).string()).value_or("");
    if (text.find("not_written(\"" + task.id + "\"") == std::string::npos) {
      filled.push_back(task.id);
    }
  }
  return filled;
}

}  // namespace

bool Proof::solution() {
  begin("solution");
  const Candidate& candidate = base();
  if (!candidate.warnings.empty())
    complain("the solution compiles with warnings:\n" + candidate.warnings);
  std::optional<Load> load;
  if (options_.load) load.emplace();

  const std::size_t steps = lesson_.steps.size();
  std::vector<Verdict> verdicts(steps * options_.repeat);
  // Under load more steps run at a time than the machine has cores: waits meet each other.
  const unsigned jobs = options_.load ? 4 * options_.jobs : options_.jobs;
  in_parallel(verdicts.size(), jobs, [&](std::size_t i) {
    const StepEntry& step = lesson_.steps[i % steps];
    verdicts[i] = judge(house_, lesson_, candidate, step);
    if (options_.verbose) {
      say("solution",
          step.id + "  " + name_of(verdicts[i].status) + "  " + seconds_text(verdicts[i].seconds));
    }
  });
  stop_if_interrupted();

  std::size_t passed = 0;
  std::size_t runs_passed = 0;
  for (std::size_t s = 0; s < steps; ++s) {
    bool always = true;
    for (std::size_t i = s; i < verdicts.size(); i += steps) {
      if (verdicts[i].status == Verdict::Status::pass) {
        ++runs_passed;
      } else {
        if (always) complain_about("solution", lesson_.steps[s], verdicts[i], "pass");
        always = false;
      }
    }
    if (always) ++passed;
  }
  std::string summary = std::to_string(passed) + " of " + counted(steps, "step") + " pass";
  if (options_.repeat > 1) {
    const std::size_t failures = verdicts.size() - runs_passed;
    summary += ", " + std::to_string(failures) + " failures in " + counted(verdicts.size(), "run");
    if (failures == 0) {
      // The rule of three: with no failure in N runs, the rate is below 3/N with 95% confidence.
      std::ostringstream bound;
      bound.precision(2);
      bound << 300.0 / static_cast<double>(verdicts.size());
      summary += ": a run fails in less than " + bound.str() + "% of cases (95%)";
    }
  }
  Figures figures{{"steps", std::to_string(steps)},
                  {"passed", std::to_string(passed)},
                  {"runs", std::to_string(verdicts.size())},
                  {"runs_passed", std::to_string(runs_passed)}};
  std::size_t looks = 0;
  std::map<std::string, std::size_t> faults;
  for (std::size_t s = 0; s < steps; ++s) {
    looks += verdicts[s].looks;
    for (const auto& [fault, times] : verdicts[s].faults) faults[fault] += times;
  }
  figures.emplace_back("looks", std::to_string(looks));
  for (const auto& [fault, times] : faults) {
    figures.emplace_back("fault " + fault, std::to_string(times));
  }
  for (std::size_t s = 0; s < steps; ++s) {
    figures.emplace_back("took " + lesson_.steps[s].id, std::to_string(verdicts[s].seconds));
  }
  return finish("solution", summary, std::move(figures));
}

bool Proof::starter() {
  begin("starter");
  const fs::path sources = house_.root / "lessons" / lesson_.name;
  if (const auto filled = filled_holes(lesson_, sources); !filled.empty()) {
    std::string which;
    for (const std::string& task : filled) which += " " + task;
    if (options_.strict) complain("the starter has no hole for" + which);
    return finish("starter",
                  "lessons/" + lesson_.name + " has been worked on (" + which.substr(1) +
                      "): it is no starter, and not judged as one",
                  {{"edited", "1"}});
  }

  const Candidate candidate =
      builder_.build({sources, {}, {}, folder() / "starter", "lessons/" + lesson_.name});
  stop_if_interrupted();
  if (!candidate.warnings.empty())
    complain("the starter compiles with warnings:\n" + candidate.warnings);
  for (const BuiltProgram& program : candidate.programs) {
    if (!program.built) {
      complain("the starter's " + program.name + " (" + program.build + ") is not built:\n" +
               program.why.text());
    }
  }
  const std::vector<Verdict> verdicts = judge_all(candidate);
  std::size_t red = 0;
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    if (verdicts[i].status == Verdict::Status::fail &&
        verdicts[i].cause.starts_with("not written: ")) {
      ++red;
    } else {
      complain_about("starter", lesson_.steps[i], verdicts[i], "fail, not written");
    }
  }
  return finish("starter",
                std::to_string(red) + " of " + counted(verdicts.size(), "step") +
                    " are red because they are not written yet",
                {{"steps", std::to_string(verdicts.size())}, {"red", std::to_string(red)}});
}

bool Proof::alternatives() {
  begin("alternatives");
  const fs::path list = house_.root / "tests" / "alternatives" / (lesson_.name + ".cmake");
  std::vector<Mutant> answers;
  if (fs::exists(list)) {
    answers = make_mutants(house_.root / "tests" / "cmake" / "mutants.cmake", list,
                           solution_sources(), folder() / "right");
  }
  if (!options_.only.empty()) {
    std::erase_if(answers, [&](const Mutant& answer) { return answer.name != options_.only; });
  }
  if (answers.empty())
    complain(options_.only.empty() ? "no alternative in " + list.string()
                                   : "no alternative named " + options_.only);
  const std::vector<std::string> known = builder_.learners_files();
  std::size_t accepted = 0;
  std::size_t cells = 0;
  for (const Mutant& answer : answers) {
    const std::string& name = answer.name;
    if (!answer.step.empty()) {
      complain("alternative " + name + " is a wrong answer: it stands with a step that catches it");
    }
    for (const std::string& file : answer.files) {
      if (std::find(known.begin(), known.end(), file) == known.end()) {
        complain("alternative " + name + ": " + file + " is none of the lesson's files");
      }
    }
    const Candidate candidate = builder_.build({answer.sources,
                                                solution_sources(),
                                                {},
                                                folder() / "alternatives" / name,
                                                fs::relative(answer.sources, house_.root).string()},
                                               &base());
    stop_if_interrupted();
    std::vector<Verdict> verdicts(lesson_.steps.size());
    std::vector<std::size_t> to_judge;
    for (std::size_t i = 0; i < verdicts.size(); ++i) {
      const auto programs = candidate.programs_of(lesson_.steps[i]);
      const bool same = std::all_of(programs.begin(), programs.end(),
                                    [](auto* program) { return program->same_as_base; });
      if (!same) to_judge.push_back(i);
    }
    if (to_judge.empty()) complain("alternative " + name + " is the solution itself");
    in_parallel(to_judge.size(), options_.jobs, [&](std::size_t i) {
      verdicts[to_judge[i]] = judge(house_, lesson_, candidate, lesson_.steps[to_judge[i]]);
    });
    stop_if_interrupted();
    bool all_pass = true;
    for (const std::size_t i : to_judge) {
      if (verdicts[i].status == Verdict::Status::pass) continue;
      complain_about("alternative " + name, lesson_.steps[i], verdicts[i], "pass");
      all_pass = false;
    }
    cells += to_judge.size();
    if (all_pass) ++accepted;
    if (all_pass && !partial()) remove_programs(candidate);
    say("alternative", name + (all_pass ? "  accepted, " : "  rejected, ") +
                           counted(to_judge.size(), "step") + " run");
  }
  return finish("alternatives",
                std::to_string(accepted) + " of " + counted(answers.size(), "right answer") +
                    " written differently accepted",
                {{"alternatives", std::to_string(answers.size())},
                 {"accepted", std::to_string(accepted)},
                 {"cells", std::to_string(cells)}});
}

}  // namespace kit
