// The proof of what is wrong by rule: every mistake that a rule can make in the solution is noticed
// by some step, or stands in a list with the reason why not.

#include <sys/stat.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <sstream>

#include "folder.hpp"
#include "harness/base/sources.hpp"
#include "prove.hpp"
#include "rules.hpp"
#include "rules_list.hpp"

namespace kit {
namespace {

namespace fs = std::filesystem;
using Status = Verdict::Status;
using Clock = std::chrono::steady_clock;

/// How long a check waits for one event where a mutant is expected to be noticed: what does not
/// come in this time does not come.
constexpr std::chrono::milliseconds short_deadline{2000};

/// A check that fails has mostly waited: so many of them at a time for each job.
constexpr unsigned cells_a_job = 4;

/// A mutant that no step has noticed is tried again, with patience: some steps look for as long as
/// they may wait, and some mutants are noticed by chance alone.
constexpr int rounds = 2;

/// One that is in no list, and would be a find, is then asked so often with nothing beside it: a
/// busy machine keeps steps from looking.
constexpr int rounds_alone = 3;

/// The part of a day: so many mutants of one file, as long as there is time for them.
constexpr std::size_t mutants_a_day = 10;
constexpr std::chrono::seconds time_a_day{15};

/// So many finds in the part of a day are told and counted, and no more: what is drawn by lot must
/// not make a change red that has nothing to do with it. Whoever tries them all is told of each.
constexpr std::size_t finds_a_day = 1;

/// What a mutant's steps have said.
struct Finding {
  const RuleMutant* mutant = nullptr;
  std::vector<std::size_t> reached_by;   ///< the steps that come to its place
  std::optional<std::size_t> caught_by;  ///< the step that noticed it
  bool tried = false;
};

/// All mutants of some files: the texts that hold them.
struct Sources {
  std::map<std::string, RuleSource> files;
  std::vector<RuleMutant> mutants;

  [[nodiscard]] const RuleMutant* find(unsigned number) const {
    const auto found = std::find_if(mutants.begin(), mutants.end(),
                                    [&](const RuleMutant& one) { return one.number == number; });
    return found == mutants.end() ? nullptr : &*found;
  }
};

std::set<std::string> read_names(const fs::path& file) {
  std::set<std::string> names;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) names.insert(line);
  return names;
}

/// The files in which a task of the lesson is: the learner's own.
std::set<std::string> files_of_tasks(const Lesson& lesson) {
  std::set<std::string> files;
  for (const Task& task : lesson.tasks) files.insert(task.file);
  return files;
}

Sources make_sources(const std::set<std::string>& files, const fs::path& solution,
                     const fs::path& starter, const std::set<std::string>& refused) {
  Sources sources;
  // Each file has numbers of its own, whichever files are made.
  constexpr unsigned numbers_a_file = 2000;
  unsigned first = 1;
  for (const std::string& file : files) {
    const auto text = read_text(solution / file);
    if (!text) throw std::runtime_error((solution / file).string() + " is missing");
    RuleSource source =
        make_rule_source(file, *text, read_text(starter / file).value_or(""), first, refused);
    sources.mutants.insert(sources.mutants.end(), source.mutants.begin(), source.mutants.end());
    sources.files.emplace(file, std::move(source));
    first += numbers_a_file;
  }
  return sources;
}

/// The mutants that the compiler's errors are about: those of the lines that are errors, or else of
/// every line that is mentioned.
std::set<unsigned> blamed(const std::string& said, const Sources& sources, const fs::path& folder) {
  std::set<unsigned> of_errors;
  std::set<unsigned> mentioned;
  std::istringstream in(said);
  for (std::string line; std::getline(in, line);) {
    for (const auto& [file, source] : sources.files) {
      const std::string lead = (folder / file).string() + ":";
      const std::size_t found = line.find(lead);
      if (found == std::string::npos) continue;
      const auto number = std::strtoul(line.c_str() + found + lead.size(), nullptr, 10);
      if (number >= source.number_of_line.size()) continue;
      const unsigned mutant = source.number_of_line[number];
      if (mutant == 0) continue;
      mentioned.insert(mutant);
      if (line.find(": error: ") != std::string::npos) of_errors.insert(mutant);
    }
  }
  return of_errors.empty() ? mentioned : of_errors;
}

/// The results of earlier runs: name, and the step that noticed it or "-".
std::map<std::string, std::string> read_results(const fs::path& file) {
  std::map<std::string, std::string> results;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    const auto tab = line.find('\t');
    if (tab != std::string::npos) results[line.substr(tab + 1)] = line.substr(0, tab);
  }
  return results;
}

std::string percent(std::size_t part, std::size_t all) {
  return std::to_string(all == 0 ? 100 : (100 * part) / all) + " %";
}

}  // namespace

/// Mutants by rule, from their sources to their findings.
class Proof::Rules {
 public:
  explicit Rules(Proof& proof)
      : proof_(proof),
        work_(proof.folder() / (proof.options_.day ? "rules-of-the-day" : "rules")),
        runtime_(proof.house_.root / "tests" / "proof" / "rules_runtime.hpp"),
        list_file_(proof.house_.root / "tests" / "mutants" / "by_rule" /
                   (proof.lesson_.name + ".txt")),
        list_(read_unnoticed(list_file_)) {
    fs::create_directories(work_ / "given");
  }

  bool prove() {
    const FileLock alone(work_.string() + ".lock");
    choose_files();
    leave_out_what_does_not_compile();
    build();
    // What stops a step without a mistake says nothing about mistakes.
    if (!find_what_is_reached()) return proof_.finish(mode(), "not tried", {});
    choose_mutants();
    try_all();
    return judge_findings();
  }

 private:
  [[nodiscard]] fs::path starter() const {
    return proof_.house_.root / "lessons" / proof_.lesson_.name;
  }

  /// All files of the lesson; for the part of a day, the one that holds a mutant drawn by lot.
  void choose_files() {
    files_ = files_of_tasks(proof_.lesson_);
    if (proof_.options_.day) {
      const std::string& name = proof_.lesson_.name;
      dice_.seed(proof_.options_.seed ^ std::hash<std::string>{}(name));
      const Sources all = make_sources(files_, proof_.solution_sources(), starter(), {});
      if (all.mutants.empty()) throw std::runtime_error("no rule applies to " + name);
      files_ = {all.mutants[dice_() % all.mutants.size()].file};
    }
  }

  /// @returns whether a text is another one than the last time
  bool make() {
    sources_ = make_sources(files_, proof_.solution_sources(), starter(), refused_);
    bool changed = false;
    // Another day's file would be built again.
    for (const auto& entry : fs::directory_iterator(work_ / "given")) {
      if (!sources_.files.contains(entry.path().filename().string())) fs::remove(entry.path());
    }
    for (const auto& [file, source] : sources_.files) {
      if (read_text(work_ / "given" / file) == source.text) continue;
      std::ofstream(work_ / "given" / file) << source.text;
      changed = true;
    }
    return changed;
  }

  // ---- compiling ------------------------------------------------------------------------------

  void leave_out_what_does_not_compile() {
    const fs::path known = work_ / "refused.txt";
    refused_ = read_names(known);
    if (!make() && fs::exists(known)) return;
    constexpr int most_rounds = 12;
    for (int round = 0; round < most_rounds; ++round) {
      const std::string said = look_at_syntax();
      stop_if_interrupted();
      if (said.empty()) {
        std::ofstream out(known);
        for (const std::string& name : refused_) out << name << "\n";
        return;
      }
      const std::set<unsigned> numbers = blamed(said, sources_, work_ / "given");
      if (numbers.empty()) {
        throw std::runtime_error("the mutants of " + proof_.lesson_.name +
                                 " do not compile, and none of them is at fault:\n" +
                                 first_lines(said, 30, "    | "));
      }
      for (const unsigned number : numbers) {
        if (const RuleMutant* mutant = sources_.find(number)) refused_.insert(mutant->name());
      }
      make();
    }
    throw std::runtime_error("the mutants of " + proof_.lesson_.name + " never compile");
  }

  /// What the compiler says against the sources; "" if nothing.
  std::string look_at_syntax() {
    const Toolchain toolchain = read_toolchain(proof_.house_.toolchain());
    const fs::path given = work_ / "given";
    std::vector<fs::path> sources;
    for (const std::string& file : proof_.builder_.learners_files()) {
      if (!fs::path(file).extension().string().starts_with(".c")) continue;
      sources.push_back(files_.contains(file) ? given / file : proof_.solution_sources() / file);
    }
    std::mutex mutex;
    std::string said;
    in_parallel(sources.size(), proof_.options_.jobs, [&](std::size_t i) {
      const auto text = read_text(sources[i]);
      const bool concerned =
          files_.contains(sources[i].filename().string()) ||
          std::any_of(files_.begin(), files_.end(), [&](const std::string& file) {
            return text && text->find("#include \"" + file) != std::string::npos;
          });
      // A file that includes them by way of another one is looked at when it is built.
      if (!concerned) return;
      Command command;
      command.environment = plain_environment();
      command.folder = work_;
      auto& arguments = command.arguments;
      arguments.push_back(toolchain.compiler);
      const auto& flags = toolchain.flags.at("checked");
      arguments.insert(arguments.end(), flags.begin(), flags.end());
      arguments.insert(arguments.end(), {"-w", "-fsyntax-only", "-fdiagnostics-color=never",
                                         "-include", runtime_.string(), "-I" + given.string()});
      // Quoted includes of a file that is not changed look beside it first.
      arguments.push_back("-I" + proof_.solution_sources().string());
      if (const auto found = toolchain.includes.find(proof_.lesson_.name);
          found != toolchain.includes.end()) {
        for (const std::string& folder : found->second) arguments.push_back("-I" + folder);
      }
      fs::path source = sources[i];
      if (source.parent_path() != given) {
        source = given / source.filename();
        std::ofstream(source) << *text;
      }
      arguments.push_back(source.string());
      const Outcome outcome = run_command(command);
      if (outcome.ok()) return;
      const std::lock_guard lock(mutex);
      said += outcome.output.empty() ? "the compiler failed\n" : outcome.output;
    });
    return said;
  }

  void build() {
    const Candidate& solution = proof_.base();
    Builder builder(
        read_toolchain(proof_.house_.toolchain()), proof_.lesson_, proof_.house_.root,
        {proof_.options_.jobs, {"-w", "-include", runtime_.string()}, std::chrono::minutes{5}});
    candidate_ = builder.build({work_ / "given",
                                proof_.solution_sources(),
                                {},
                                work_ / "built",
                                "solutions/" + proof_.lesson_.name},
                               &solution);
    stop_if_interrupted();
    for (const BuiltProgram& program : candidate_.programs) {
      if (program.built) continue;
      fs::remove(work_ / "refused.txt");  // the next time the compiler is asked again
      throw std::runtime_error("the mutants' " + program.name + " (" + program.build +
                               ") is not built:\n" + first_lines(program.why.text(), 30, "    | "));
    }
    // What a step reads in the sources is the solution's.
    candidate_.sources = solution.sources;
  }

  // ---- running --------------------------------------------------------------------------------

  Verdict run(std::size_t step, const std::string& variable,
              std::optional<std::chrono::milliseconds> deadline) {
    return judge(proof_.house_, proof_.lesson_, candidate_, proof_.lesson_.steps[step], deadline,
                 {variable});
  }

  /// Runs each step once without a mistake, and notes which places it comes to.
  /// @returns whether they pass
  bool find_what_is_reached() {
    const std::size_t steps = proof_.lesson_.steps.size();
    unsigned size = 1;
    for (const RuleMutant& mutant : sources_.mutants) size = std::max(size, mutant.number + 1);
    const TemporaryFolder folder;
    fs::permissions(folder.path(), fs::perms::others_all | fs::perms::group_all,
                    fs::perm_options::add);
    std::vector<std::string> seen(steps);
    std::vector<Verdict> verdicts(steps);
    in_parallel(steps, proof_.options_.jobs * 2, [&](std::size_t i) {
      if (all_same(i)) {
        verdicts[i].status = Status::skip;
        return;
      }
      const std::string name = std::to_string(i);
      folder.write(name, std::string(size, '\0'));
      // The programs may run as another user.
      const fs::path file = folder.path() / name;
      ::chmod(file.c_str(), 0666);
      verdicts[i] = run(i, "KIT_MUTANTS_SEEN=" + file.string(), std::nullopt);
      seen[i] = read_text(file).value_or("");
    });
    stop_if_interrupted();

    std::map<std::size_t, std::size_t> reach;
    for (const RuleMutant& mutant : sources_.mutants) {
      Finding finding;
      finding.mutant = &mutant;
      for (std::size_t i = 0; i < steps; ++i) {
        if (verdicts[i].status != Status::pass || mutant.number >= seen[i].size() ||
            seen[i][mutant.number] == '\0') {
          continue;
        }
        finding.reached_by.push_back(i);
        ++reach[i];
      }
      findings_.push_back(std::move(finding));
    }
    bool good = true;
    for (std::size_t i = 0; i < steps; ++i) {
      if (verdicts[i].status == Status::pass || verdicts[i].status == Status::skip) continue;
      proof_.complain_about("without a mistake", proof_.lesson_.steps[i], verdicts[i], "pass");
      good = false;
    }
    // First the step that noticed it the last time; then those that look at little, which is what
    // they are made for, and are fast.
    before_ = read_results(results());
    for (Finding& finding : findings_) {
      const auto last = before_.find(finding.mutant->name());
      const auto rank = [&](std::size_t i) {
        const bool again = last != before_.end() && last->second == proof_.lesson_.steps[i].id;
        return again ? 0.0 : static_cast<double>(reach[i] + 1) * (0.3 + verdicts[i].seconds);
      };
      std::stable_sort(finding.reached_by.begin(), finding.reached_by.end(),
                       [&](std::size_t a, std::size_t b) { return rank(a) < rank(b); });
    }
    return good;
  }

  /// Whether a step runs no program that has mutants.
  bool all_same(std::size_t step) const {
    const auto programs = candidate_.programs_of(proof_.lesson_.steps[step]);
    return std::all_of(programs.begin(), programs.end(),
                       [](auto* program) { return program->same_as_base; });
  }

  void choose_mutants() {
    for (std::size_t i = 0; i < findings_.size(); ++i) {
      const RuleMutant& mutant = *findings_[i].mutant;
      const std::string& only = proof_.options_.only;
      if (!only.empty() && mutant.name().find(only) == std::string::npos &&
          std::to_string(mutant.number) != only) {
        continue;
      }
      if (proof_.options_.open && !is_open(mutant.name())) continue;
      if (proof_.options_.rest && before_.contains(mutant.name())) continue;
      chosen_.push_back(i);
    }
    if (!proof_.options_.day) return;
    std::shuffle(chosen_.begin(), chosen_.end(), dice_);
    chosen_.resize(std::min(chosen_.size(), mutants_a_day));
  }

  void try_all() {
    const auto start = Clock::now();
    in_parallel(chosen_.size(), proof_.options_.jobs * cells_a_job, [&](std::size_t i) {
      if (proof_.options_.day && Clock::now() - start > time_a_day) return;
      Finding& finding = findings_[chosen_[i]];
      try_one(finding, is_listed(finding) ? rounds - 1 : 0, rounds);
    });
    for (const std::size_t i : chosen_) {
      Finding& finding = findings_[i];
      if (!finding.tried || finding.caught_by || !is_examined() || is_listed(finding)) continue;
      stop_if_interrupted();
      try_one(finding, rounds, rounds + rounds_alone);
      if (finding.caught_by) {
        proof_.say(mode(), finding.mutant->name() + ": noticed only when asked alone");
      }
    }
    keep_results();
    stop_if_interrupted();
  }

  [[nodiscard]] bool is_listed(const Finding& finding) const {
    return list_.contains(finding.mutant->name());
  }

  [[nodiscard]] bool is_open(const std::string& name) const {
    const auto entry = list_.find(name);
    return entry != list_.end() && entry->second.why == Unnoticed::Why::open;
  }

  /// Whether somebody has gone through this lesson's survivors.
  [[nodiscard]] bool is_examined() const { return fs::exists(list_file_); }

  /// Asks every step that comes to a mistake, from one round to another; in round 0 in a hurry.
  void try_one(Finding& finding, int first_round, int last_round) {
    const std::string variable = "KIT_MUTANT=" + std::to_string(finding.mutant->number);
    for (int round = first_round; round < last_round; ++round) {
      for (const std::size_t step : finding.reached_by) {
        // One that passes everywhere never makes a check wait: there is time to be sure.
        const Verdict verdict =
            run(step, variable, round == 0 ? std::optional(short_deadline) : std::nullopt);
        if (verdict.status == Status::interrupted) return;
        if (verdict.status == Status::pass || verdict.status == Status::skip) continue;
        finding.caught_by = step;
        finding.tried = true;
        if (proof_.options_.verbose) {
          const std::lock_guard lock(mutex_);
          std::cout << finding.mutant->number << " " << finding.mutant->name() << "\n"
                    << first_lines(verdict.report, 12, "    | ");
        }
        return;
      }
    }
    finding.tried = true;
  }

  // ---- what has come of it --------------------------------------------------------------------

  [[nodiscard]] fs::path results() const { return proof_.folder() / "rules.txt"; }

  /// The step that noticed it, "-" if none did, "nowhere" if none comes to it; "" is not known.
  [[nodiscard]] std::string outcome(const Finding& finding) const {
    if (finding.caught_by) return proof_.lesson_.steps[*finding.caught_by].id;
    if (finding.tried) return finding.reached_by.empty() ? "nowhere" : "-";
    const auto before = before_.find(finding.mutant->name());
    return proof_.options_.rest && before != before_.end() ? before->second : "";
  }

  void keep_results() const {
    auto all = before_;
    std::set<std::string> names;
    for (const Finding& finding : findings_) {
      names.insert(finding.mutant->name());
      if (finding.tried) all[finding.mutant->name()] = outcome(finding);
    }
    std::ofstream out(results());
    for (const auto& [name, step] : all) {
      const bool gone = files_.contains(name.substr(0, name.find(' '))) && !names.contains(name);
      if (!gone) out << step << '\t' << name << '\n';
    }
  }

  bool judge_findings() {
    std::map<Unnoticed::Why, std::size_t> unnoticed;
    std::size_t tried = 0;
    std::size_t caught = 0;
    std::size_t nowhere = 0;
    std::set<std::string> names;
    std::vector<std::string> finds;
    for (const Finding& finding : findings_) {
      const std::string name = finding.mutant->name();
      names.insert(name);
      const std::string step = outcome(finding);
      if (step.empty()) continue;
      ++tried;
      const auto entry = list_.find(name);
      if (step != "-" && step != "nowhere") {
        ++caught;
        if (entry != list_.end()) {
          proof_.say(mode(), "noticed by " + step + ", and yet in the list: " + name);
        }
        continue;
      }
      if (step == "nowhere") ++nowhere;
      if (entry != list_.end()) {
        ++unnoticed[entry->second.why];
      } else if (!is_examined()) {
        // The number is printed, and that is all.
        ++unnoticed[Unnoticed::Why::not_examined];
      } else {
        finds.push_back(place(*finding.mutant) + "  nobody notices\n    " + name + "\n    " +
                        steps_of(finding));
      }
    }
    const bool told = proof_.options_.day && finds.size() <= finds_a_day;
    if (told) unnoticed[Unnoticed::Why::not_examined] += finds.size();
    for (const std::string& find : finds) {
      told ? proof_.say(mode(), find) : proof_.complain(find);
    }
    for (const auto& [name, entry] : list_) {
      if (!files_.contains(name.substr(0, name.find(' '))) || names.contains(name)) continue;
      const std::string text = "in the list, but no rule makes it: " + name;
      // A list that is too long hides nothing: it is set right when all are tried.
      proof_.options_.day ? proof_.say(mode(), text) : proof_.complain(text);
    }
    if (tried == 0) proof_.complain("no mutant was tried");
    return proof_.finish(mode(), summary(tried, caught, nowhere, unnoticed),
                         {{"made", std::to_string(tried)},
                          {"caught", std::to_string(caught)},
                          {"same", std::to_string(unnoticed[Unnoticed::Why::same])},
                          {"open", std::to_string(unnoticed[Unnoticed::Why::open])},
                          {"unexplained", std::to_string(unnoticed[Unnoticed::Why::not_examined])},
                          {"nowhere", std::to_string(nowhere)}});
  }

  [[nodiscard]] std::string mode() const {
    return proof_.options_.day ? "rules-of-the-day" : "rules";
  }

  std::string summary(std::size_t tried, std::size_t caught, std::size_t nowhere,
                      std::map<Unnoticed::Why, std::size_t>& unnoticed) const {
    using Why = Unnoticed::Why;
    std::ostringstream text;
    text << caught << " of " << counted(tried, "mutant") << " caught (" << percent(caught, tried)
         << "), " << unnoticed[Why::same] << " that nobody can tell, " << unnoticed[Why::open]
         << " open, unexplained: " << unnoticed[Why::not_examined] << "; " << nowhere
         << " reached by no step";
    if (!refused_.empty()) text << ", " << refused_.size() << " do not compile";
    if (proof_.options_.day) {
      text << "; of " << findings_.size() << " in " << *files_.begin()
           << ", KIT_SEED=" << proof_.options_.seed;
    } else if (tried < findings_.size()) {
      text << "; " << findings_.size() - tried << " not tried";
    }
    return text.str();
  }

  [[nodiscard]] std::string place(const RuleMutant& mutant) const {
    return "solutions/" + proof_.lesson_.name + "/" + mutant.file + ":" +
           std::to_string(mutant.line) + "  KIT_MUTANT=" + std::to_string(mutant.number);
  }

  [[nodiscard]] std::string steps_of(const Finding& finding) const {
    if (finding.reached_by.empty()) return "no step comes to this place";
    std::string text = "reached by";
    for (const std::size_t step : finding.reached_by) {
      text += " " + proof_.lesson_.steps[step].id;
    }
    return text;
  }

  Proof& proof_;
  fs::path work_;
  fs::path runtime_;
  fs::path list_file_;
  std::map<std::string, Unnoticed> list_;
  std::set<std::string> files_;
  std::set<std::string> refused_;
  std::mt19937_64 dice_;
  Sources sources_;
  Candidate candidate_;
  std::map<std::string, std::string> before_;  // what earlier runs have found
  std::vector<Finding> findings_;
  std::vector<std::size_t> chosen_;
  std::mutex mutex_;
};

bool Proof::rules() {
  begin(options_.day ? "rules-of-the-day" : "rules");
  return Rules(*this).prove();
}

}  // namespace kit
