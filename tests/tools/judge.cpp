#include "judge.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <system_error>
#include <thread>
#include <utility>

#include "harness/base/descriptor.hpp"
#include "harness/base/sources.hpp"
#include "harness/said/report.hpp"
#include "proof/builder.hpp"
#include "proof/command.hpp"

namespace kit {
namespace {

namespace fs = std::filesystem;

// As wide as a terminal is.
constexpr std::size_t columns = 80;
// The kit's part of a lesson, built from nothing on a slow machine.
constexpr std::chrono::minutes longest_build{20};

// FNV-1a: names a state, keeps no secret.
class Number {
 public:
  void add(std::string_view bytes) {
    for (const char byte : bytes) {
      value_ ^= static_cast<unsigned char>(byte);
      value_ *= 1099511628211ULL;
    }
    value_ ^= 0xff;  // where one text ends and the next begins
    value_ *= 1099511628211ULL;
  }
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 14695981039346656037ULL;
};

// Size and time of every file below a folder, in the order of their names.
void add_tree(Number& number, const fs::path& folder) {
  std::vector<std::string> states;
  std::error_code error;
  for (const auto& entry : fs::recursive_directory_iterator(folder, error)) {
    if (!entry.is_regular_file(error)) continue;
    states.push_back(entry.path().string() + ' ' + std::to_string(entry.file_size(error)) + ' ' +
                     std::to_string(static_cast<long long>(
                         entry.last_write_time(error).time_since_epoch().count())));
  }
  std::ranges::sort(states);
  for (const std::string& state : states) number.add(state);
}

std::uint64_t number_of_kit(const Desk& desk, const Lesson& lesson) {
  Number number;
  for (const char* folder : {"common", "tests", "solutions"}) add_tree(number, desk.root / folder);
  number.add(read_text(desk.build / "kit" / "manifest.txt").value_or(""));
  number.add(read_text(desk.build / "kit" / "foundation.txt").value_or(""));
  // With KIT_FOUNDATION=own a lesson builds on the learner's earlier ones.
  const char* const foundation = std::getenv("KIT_FOUNDATION");
  if (foundation != nullptr && *foundation != '\0') {
    for (const auto& entry : fs::directory_iterator(desk.root / "lessons")) {
      if (entry.path().filename().string() < lesson.name) add_tree(number, entry.path());
    }
  }
  return number.value();
}

std::map<std::string, std::string> read_fields(const fs::path& file) {
  std::map<std::string, std::string> values;
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t tab = line.find('\t');
    if (tab != std::string::npos) values[line.substr(0, tab)] = line.substr(tab + 1);
  }
  return values;
}

Known found(std::map<std::string, std::string> fields) {
  const std::string& status = fields["status"];
  const std::string& cause = fields["cause"];
  if (status == "pass") return {Known::State::passed, {}};
  if (status == "skip") return {Known::State::elsewhere, cause};
  if (status == "no build") return {Known::State::does_not_build, cause};
  if (status == "error") return {Known::State::kit_error, cause};
  if (status != "fail") return {};
  const bool open = cause.find("not written") != std::string::npos;
  return {open ? Known::State::not_yet : Known::State::failed, cause};
}

// Whether the starter's hole of a task still stands in the learner's file.
bool is_open(const fs::path& sources, const Task& task) {
  const auto text = read_text(sources / task.file);
  return !text || text->find("not_written(\"" + task.id + "\"") != std::string::npos;
}

std::vector<std::string> check_environment(const Desk& desk, const Lesson& lesson,
                                           const fs::path& result) {
  std::vector<std::string> environment = plain_environment();
  for (const char* name : {"KIT_TIME_SCALE", "KIT_SEED", "KIT_DEADLINE_MS", "KIT_SHOW"}) {
    if (const char* value = std::getenv(name))
      environment.push_back(std::string(name) + '=' + value);
  }
  environment.insert(environment.end(),
                     {"KIT_CANDIDATE=" + desk.programs(lesson).string(),
                      "KIT_SOURCES=" + desk.sources(lesson).string(),
                      "KIT_MANIFEST=" + (desk.build / "kit" / "manifest.txt").string(),
                      "KIT_ROOT=" + desk.root.string(), "KIT_BUILD=" + desk.build.string(),
                      "KIT_RESULT=" + result.string(), "KIT_COLUMNS=" + std::to_string(columns)});
  // A red step of the learner's leaves its picture there.
  if (desk.lessons.empty()) environment.push_back("KIT_PICTURES=" + (desk.build / "show").string());
  return environment;
}

Builder builder_of(const Desk& desk, const Lesson& lesson, unsigned jobs) {
  return Builder(read_toolchain(desk.build / "kit" / "foundation.txt"), lesson, desk.root,
                 {.jobs = jobs,
                  .more_flags = {"-Wall", "-Wextra"},
                  .preambles = desk.kept().parent_path() / "precompiled"});
}

Order order_of(const Desk& desk, const Lesson& lesson) {
  Order order;
  order.sources = desk.sources(lesson);
  order.out = desk.programs(lesson);
  order.shown = "lessons/" + lesson.name;
  return order;
}

// A source saved without a change makes no new program; the check looks at the times alone.
void make_newer(const Candidate& candidate, const fs::path& sources) {
  std::error_code error;
  auto newest = fs::file_time_type::min();
  for (const auto& entry : fs::directory_iterator(sources, error)) {
    newest = std::max(newest, entry.last_write_time(error));
  }
  for (const BuiltProgram& program : candidate.programs) {
    if (program.built && fs::last_write_time(program.file, error) < newest) {
      fs::last_write_time(program.file, fs::file_time_type::clock::now(), error);
    }
  }
}

std::string indented(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    out += "    " + std::string(text.substr(0, end)) + '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

// How far a build is by its own words: of ten parts, or -1.
int tenths_done(std::string_view said) {
  const std::size_t at = said.rfind("\n[");
  const std::string mark(said.substr(at == std::string_view::npos ? 0 : at + 1, 16));
  int done = 0;
  int all = 0;
  if (std::sscanf(mark.c_str(), "[%d/%d]", &done, &all) == 2 && all > 0) return 10 * done / all;
  if (std::sscanf(mark.c_str(), "[%d%%]", &done) == 1) return done / 10;
  return -1;
}

std::string of_points(int got, int all) {
  return std::to_string(got) + " of " + std::to_string(all);
}

}  // namespace

const char* word(Known::State state) {
  switch (state) {
    case Known::State::passed:
      return "passed";
    case Known::State::failed:
      return "failed";
    case Known::State::elsewhere:
      return "elsewhere";
    case Known::State::does_not_build:
      return "no build";
    case Known::State::kit_error:
      return "kit error";
    case Known::State::nothing:
    case Known::State::not_yet:
      break;
  }
  return "not yet";
}

fs::path Desk::sources(const Lesson& lesson) const {
  return (lessons.empty() ? root / "lessons" : lessons) / lesson.name;
}

fs::path Desk::programs(const Lesson& lesson) const {
  if (!work.empty()) return work / lesson.name;
  return (lessons.empty() ? build / "lessons" : lessons / "build") / lesson.name;
}

fs::path Desk::kept() const {
  if (!work.empty()) return work / "progress";
  return lessons.empty() ? build / "kit" / "progress" : lessons / "build" / "progress";
}

Manifest Desk::manifest() const {
  return Manifest::read((build / "kit" / "manifest.txt").string());
}

/// Two processes that build into one folder would spoil each other's programs.
struct Judge::Lock {
  explicit Lock(const fs::path& file)
      : descriptor(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
    if (!descriptor) throw std::system_error(errno, std::generic_category(), file.string());
    while (::flock(descriptor.get(), LOCK_EX) != 0) {
      if (errno != EINTR || interrupted() != 0) {
        throw std::system_error(errno, std::generic_category(), "flock");
      }
    }
  }
  Descriptor descriptor;
};

Judge::Judge(Desk desk, Lesson lesson, unsigned jobs)
    : desk_(std::move(desk)), lesson_(std::move(lesson)), jobs_(jobs) {
  look_at_kit();
  fs::create_directories(desk_.kept());
}

void Judge::look_at_kit() {
  kit_ = number_of_kit(desk_, lesson_);
}

fs::path Judge::result_file(const StepEntry& step) const {
  return desk_.kept() / step.id;
}

fs::path Judge::new_result_file(const StepEntry& step) const {
  return desk_.kept() / (step.id + ".new");
}

fs::path Judge::report_file(const StepEntry& step) const {
  return desk_.kept() / (step.id + ".report");
}

std::vector<std::string> Judge::files_of_step(const StepEntry& step) const {
  std::set<std::string> files;
  const auto add = [&](const ProgramEntry& program) {
    const auto names =
        files_of(desk_.root.string(), desk_.sources(lesson_).string(), lesson_, program);
    files.insert(names.begin(), names.end());
  };
  for (const ProgramEntry& program : lesson_.programs) {
    if (program.name == step.program) add(program);
  }
  for (const ProgramEntry& probe : lesson_.probes) {
    const bool started = std::ranges::find(step.probes, probe.name) != step.probes.end();
    if (started || (step.program == "probe" && step.probes.empty())) add(probe);
  }
  return {files.begin(), files.end()};
}

/// A number of all that the verdict depends on.
std::string Judge::key(const StepEntry& step) const {
  Number number;
  number.add(std::to_string(kit_));
  for (const std::string& file : files_of_step(step)) {
    number.add(file);
    number.add(read_text(desk_.sources(lesson_) / file).value_or("(none)"));
  }
  return std::to_string(number.value());
}

Known Judge::known(const StepEntry& step) const {
  const auto fields = read_fields(result_file(step));
  const auto of = fields.find("key");
  if (of == fields.end() || of->second != key(step)) return {};
  return found(fields);
}

bool Judge::passed_before(const StepEntry& step) const {
  return !known(step).done() && found(read_fields(result_file(step))).passed();
}

std::string Judge::report(const StepEntry& step) const {
  return read_text(report_file(step)).value_or("");
}

bool Judge::begun() const {
  const auto has_hole = [&](const Task& task) {
    bool named = false;
    for (const StepEntry& step : lesson_.steps) {
      if (step.task != task.id) continue;
      if (step.part == "core") return true;
      named = true;
    }
    return !named;
  };
  // Several tasks may work on one function: the first of them has the hole.
  std::set<std::string> symbols;
  return std::ranges::any_of(lesson_.tasks, [&](const Task& task) {
    bool first = false;
    for (const std::string& symbol : task.symbols) {
      first = symbols.insert(task.file + ' ' + symbol).second || first;
    }
    return first && has_hole(task) && !is_open(desk_.sources(lesson_), task);
  });
}

bool Judge::prepare(const Say& say, std::string& words) const {
  const fs::path made = desk_.build / "kit" / ("made_" + lesson_.number());
  const fs::path check = desk_.build / ("check_" + lesson_.number());
  const std::string number = std::to_string(kit_);
  if (fs::exists(check) && read_text(made) == number) return true;
  Command command{{KIT_CMAKE, "--build", desk_.build.string(), "--target",
                   "kit-" + lesson_.number(), "--parallel", std::to_string(jobs_)},
                  plain_environment(),
                  desk_.root,
                  longest_build};
  // make and Ninja say how far they are: "[ 42%] Building", "[12/30] Building".
  command.heard = [&, tenths = -1](std::string_view said) mutable {
    const int now = tenths_done(said);
    if (now <= tenths) return;
    tenths = now;
    say(preparing + (" of lesson " + lesson_.number()) + ", once: " + std::to_string(10 * tenths) +
        " %");
  };
  const Outcome built = run_command(command);
  words = built.output;
  if (!built.ok()) return false;
  std::ofstream(made) << number;
  return true;
}

void Judge::keep(const StepEntry& step, const std::string& report, const std::string& key) const {
  std::ofstream(report_file(step)) << report;
  // Below what the check has written: it knows nothing of keys.
  std::ofstream(new_result_file(step), std::ios::app) << "key\t" << key << '\n';
  // By rename: another terminal may read what is known at any moment.
  fs::rename(new_result_file(step), result_file(step));
}

Known Judge::keep_build_failure(const StepEntry& step, const std::string& words,
                                const std::string& key) const {
  const bool open = words.starts_with("not written:");
  const std::string cause = words.substr(0, words.find('\n'));
  std::ofstream(new_result_file(step))
      << "status\t" << (open ? "fail" : "no build") << "\ncause\t" << cause << '\n';
  const std::string title = open ? "  not written yet\n" : "  it does not compile\n";
  keep(step, header(step, 0, columns) + '\n' + title + indented(words), key);
  return {open ? Known::State::not_yet : Known::State::does_not_build, cause};
}

/// Builds what the step starts.
/// @returns what is known already if that fails; nothing if the step can be checked
std::optional<Known> Judge::build(const StepEntry& step, const std::string& key) const {
  std::error_code error;
  fs::remove(new_result_file(step), error);
  Order order = order_of(desk_, lesson_);
  order.only = &step;
  const Candidate candidate = builder_of(desk_, lesson_, jobs_).build(order);
  if (interrupted() != 0) return Known{};
  make_newer(candidate, desk_.sources(lesson_));
  for (const BuiltProgram* program : candidate.programs_of(step)) {
    if (!program->built) return keep_build_failure(step, program->why.text(), key);
  }
  return std::nullopt;
}

/// Runs the step's check. A file that was saved since the key was made: nothing is known.
Known Judge::check(const StepEntry& step, const std::string& key_before) const {
  const Outcome outcome =
      run_command({{(desk_.build / ("check_" + lesson_.number())).string(), "[" + step.id + "]"},
                   check_environment(desk_, lesson_, new_result_file(step)),
                   desk_.root,
                   std::chrono::seconds(step.timeout),
                   std::chrono::seconds(5)});
  if (outcome.end == Outcome::End::interrupted || key_before != key(step)) {
    std::error_code error;
    fs::remove(new_result_file(step), error);
    return {};
  }
  keep(step, outcome.output, key_before);
  return found(read_fields(result_file(step)));
}

Known Judge::judge(const StepEntry& step, const Say& say) const {
  const Lock lock(desk_.kept() / (lesson_.number() + ".lock"));
  const std::string before = key(step);
  say("building what " + step.id + " needs");
  if (const auto failure = build(step, before)) return *failure;
  say("checking " + step.id);
  return check(step, before);
}

void Judge::judge_all(const std::vector<const StepEntry*>& steps, const Say& say) const {
  const Lock lock(desk_.kept() / (lesson_.number() + ".lock"));
  std::vector<std::pair<const StepEntry*, std::string>> built;
  for (const StepEntry* step : steps) {
    if (interrupted() != 0) return;
    say("building what " + step->id + " needs");
    std::string before = key(*step);
    if (!build(*step, before)) built.emplace_back(step, std::move(before));
  }
  say("checking");
  in_parallel(built.size(), jobs_, [&](std::size_t i) { check(*built[i].first, built[i].second); });
}

void Judge::build_plain() const {
  const Lock lock(desk_.kept() / (lesson_.number() + ".lock"));
  for (const ProgramEntry& program : lesson_.programs) {
    StepEntry by_hand;
    by_hand.program = program.name;
    by_hand.builds = {"plain"};
    Order order = order_of(desk_, lesson_);
    order.only = &by_hand;
    make_newer(builder_of(desk_, lesson_, jobs_).build(order), desk_.sources(lesson_));
  }
}

const StepEntry* Judge::next() const {
  for (const StepEntry& step : lesson_.steps) {
    if (!known(step).done()) return &step;
  }
  return nullptr;
}

Points points(const Judge& judge) {
  Points sum;
  for (const StepEntry& step : judge.lesson().steps) {
    const Known known = judge.known(step);
    const int got = known.passed() ? step.points : 0;
    (step.part == "core" ? sum.core : sum.harden) += got;
    (step.part == "core" ? sum.core_of : sum.harden_of) += step.points;
    if (known.state == Known::State::elsewhere) sum.elsewhere += step.points;
  }
  return sum;
}

std::string last_line(const Judge& judge) {
  const Lesson& lesson = judge.lesson();
  const Points sum = points(judge);
  std::string line = lesson.number() + ": ";
  const StepEntry* const next = judge.next();
  if (next == nullptr) {
    const int got = sum.core + sum.harden;
    line += got + sum.elsewhere == 100 && sum.elsewhere == 0
                ? "all 100 points."
                : std::to_string(got) + " points; " + std::to_string(sum.elsewhere) +
                      " are decided elsewhere.";
    const Manifest manifest = judge.desk().manifest();
    for (const Lesson& other : manifest.lessons()) {
      if (other.name > lesson.name) return line + " Next: lesson " + other.number() + '.';
    }
    return line + " That was the last lesson.";
  }
  line += of_points(sum.core, sum.core_of) + " core points";
  if (sum.core == sum.core_of || sum.harden > 0) {
    line += ", " + of_points(sum.harden, sum.harden_of) + " harden";
  }
  line += ". Next: " + next->id;
  if (judge.passed_before(*next)) return line + " again: its files changed";
  if (const Task* const task = lesson.task(next->task)) {
    const Place place = find_task(judge.desk().sources(lesson).string(), *task);
    const std::string where = ", " + place.file + ':' + std::to_string(std::max(place.line, 1));
    if (line.size() + where.size() <= columns) line += where;
  }
  return line;
}

unsigned jobs_here() {
  return std::clamp(std::thread::hardware_concurrency(), 1U, 8U);
}

}  // namespace kit
