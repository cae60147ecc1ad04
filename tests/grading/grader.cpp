#include "grader.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <mutex>
#include <numeric>
#include <set>
#include <sstream>

#include "harness/base/descriptor.hpp"
#include "harness/base/escape.hpp"
#include "harness/base/limits.hpp"
#include "harness/base/markup.hpp"
#include "harness/base/plain_file.hpp"
#include "harness/base/sources.hpp"
#include "picture.hpp"
#include "refused.hpp"

namespace kit {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

/// What kit-cell gets to clean up, above what the check itself gets.
constexpr milliseconds grace{6'000};

/// After so many steps of a program have run into their deadline, its others get a tenth of it.
constexpr unsigned patience = 2;
constexpr int cut = 10;

/// Of a compiler's words a report keeps so much.
constexpr std::size_t most_words = 6'000;

double time_scale() {
  const char* text = std::getenv("KIT_TIME_SCALE");
  const double scale = text == nullptr ? 1 : std::strtod(text, nullptr);
  return scale >= 1 ? scale : 1;
}

milliseconds times(milliseconds time, double factor) {
  return milliseconds(static_cast<milliseconds::rep>(static_cast<double>(time.count()) * factor));
}

milliseconds of_seconds(double seconds) {
  return milliseconds(static_cast<milliseconds::rep>(seconds * 1000));
}

double in_seconds(milliseconds time) {
  return static_cast<double>(time.count()) / 1000;
}

/// What the cell leaves out of itself: see harness/kernel/landlock.hpp.
constexpr const char* cell_without = "KIT_WITHOUT";

/// Far from what a check makes: a report has some fifty lines.
constexpr std::size_t most_result = std::size_t{1} << 20;

/// The values of a KIT_RESULT file: `key<TAB>value`, with \n, \t and \\ in a value. (Where a cell
/// is weak a judged program can reach it, too.)
std::map<std::string, std::string> read_values(const fs::path& file) {
  std::map<std::string, std::string> values;
  std::istringstream in(PlainFile(AT_FDCWD, file.string(), most_result).text().value_or(""));
  for (std::string line; std::getline(in, line);) {
    const auto tab = line.find('\t');
    if (tab == std::string::npos) continue;
    std::string value;
    for (std::size_t i = tab + 1; i < line.size(); ++i) {
      if (line[i] == '\\' && i + 1 < line.size()) {
        ++i;
        value += line[i] == 'n' ? '\n' : line[i] == 't' ? '\t' : line[i];
      } else {
        value += line[i];
      }
    }
    values[line.substr(0, tab)] = value;
  }
  return values;
}

/// "01.7 a message in pieces …                 0 of 8 points": as the check's own reports begin.
std::string header(const StepEntry& step) {
  const std::string score = "0 of " + counted(static_cast<std::size_t>(step.points), "point");
  const std::size_t used = step.name().size() + score.size();
  return step.name() +
         std::string(used + 2 <= limits::report_width ? limits::report_width - used : 2, ' ') +
         score + "\n";
}

/// The command with which the learner runs this step alone.
std::string run_only_this(const Lesson& lesson, const StepEntry& step) {
  std::string pattern = step.id;
  pattern.insert(pattern.find('.'), "\\");
  const std::string preset = "lesson-" + lesson.number();
  return "cmake --build --preset " + preset + " && ctest --preset " + preset + " -R '^" + pattern +
         " '";
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

/// What the learner is told of a program that was not built.
StepGrade not_built(StepGrade step, const StepEntry& entry, const BuiltProgram& program) {
  std::string words = program.why.text();
  if (words.size() > most_words) words = words.substr(0, most_words) + "\n(and more)\n";
  words = valid_utf8(words);
  step.status = "fail";
  step.cause = program.why.not_written.empty() ? "does not build: " + first_line(words)
                                               : program.why.not_written.front();
  step.report = header(entry) + "\n  The " + program.name + " was not built:\n\n";
  std::istringstream lines(words);
  for (std::string line; std::getline(lines, line);) step.report += "    " + line + "\n";
  return step;
}

}  // namespace

std::vector<std::string> environment_of_cell() {
  std::vector<std::string> environment = plain_environment();
  if (const char* parts = std::getenv(cell_without)) {
    environment.push_back(std::string(cell_without) + "=" + parts);
  }
  return environment;
}

void leave_out(const std::vector<std::string>& parts) {
  std::string all;
  for (const std::string& part : parts) all += (all.empty() ? "" : " ") + part;
  setenv(cell_without, all.c_str(), 1);
}

Times Times::scaled() {
  const double scale = time_scale();
  Times all;
  for (milliseconds* time : {&all.lesson, &all.build, &all.compiler, &all.step, &all.event}) {
    *time = times(*time, scale);
  }
  if (const char* deadline = std::getenv("KIT_DEADLINE_MS")) {
    all.event = times(milliseconds(std::strtol(deadline, nullptr, 10)), scale);
  }
  return all;
}

/// What a step said, and whether time was the reason.
struct LessonGrader::Judged {
  std::string status = "error";
  std::string cause, report, reproduce;
  std::string picture;  ///< of a failure
  double seconds = 0;
  bool out_of_time = false;
};

LessonGrader::LessonGrader(const House& house, const Shelf& shelf, const Lesson& lesson,
                           const Course& course, const GraderOptions& options)
    : house_(house),
      shelf_(shelf),
      lesson_(lesson),
      course_(course),
      options_(options),
      times_(Times::scaled()) {
  if (!options_.steps.empty()) {
    std::erase_if(lesson_.steps, [&](const StepEntry& step) {
      return std::ranges::find(options_.steps, step.id) == options_.steps.end();
    });
  }
  if (!fs::exists(house_.check(lesson_))) {
    throw std::runtime_error("there is no " + house_.check(lesson_).string() +
                             ": build the target kit-grade");
  }
}

// ---- what compilers may see --------------------------------------

namespace {

/// Whether a user without a name can read the file.
bool open_to_others(const fs::path& file) {
  std::error_code error;
  using fs::perms;
  for (fs::path path = file; !path.empty(); path = path.parent_path()) {
    const perms all = fs::status(path, error).permissions();
    const perms needed =
        path == file && !fs::is_directory(path, error) ? perms::others_read : perms::others_exec;
    if (error || (all & needed) == perms::none) return false;
    if (path == path.parent_path()) break;
  }
  return true;
}

bool is_header(const fs::path& file) {
  const fs::path extension = file.extension();
  return extension == ".hpp" || extension == ".h" || extension == ".ipp";
}

/// Each header by itself: beside those of earlier references lie the answers.
void add_headers(const fs::path& folder, std::set<std::string>& files) {
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (is_header(entry.path())) files.insert(entry.path().string());
  }
}

void copy_headers(const fs::path& from, const fs::path& to) {
  fs::create_directories(to);
  for (const auto& entry : fs::recursive_directory_iterator(from)) {
    const fs::path target = to / fs::relative(entry.path(), from);
    if (entry.is_directory()) {
      fs::create_directories(target);
    } else if (is_header(entry.path())) {
      fs::copy_file(entry.path(), target, fs::copy_options::overwrite_existing);
    }
  }
}

}  // namespace

namespace {

/// /opt/gcc for /opt/gcc/bin/g++; but nothing that the kit lies in.
std::string home_of_compiler(const fs::path& compiler, const House& house) {
  const fs::path home = compiler.parent_path().parent_path();
  const fs::path from_home = fs::weakly_canonical(house.root).lexically_relative(home);
  const bool above_the_kit = !from_home.empty() && *from_home.begin() != "..";
  return (above_the_kit ? compiler : home).string();
}

}  // namespace

Shelf Shelf::fill(const House& house, const fs::path& folder) {
  Shelf shelf;
  shelf.root = house.root;
  shelf.toolchain = read_toolchain(house.toolchain());
  bool open = open_to_others(house.root / "tests" / "probes");
  for (const auto& [lesson, folders] : shelf.toolchain.includes) {
    for (const std::string& include : folders) open = open && open_to_others(include);
  }
  for (const auto& [which, words] : shelf.toolchain.links) {
    for (const std::string& word : words) {
      open = open && (!word.starts_with('/') || !fs::exists(word) || open_to_others(word));
    }
  }
  shelf.references = house.build / "grading";
  std::error_code error;
  fs::create_directories(shelf.references, error);
  if (error || access(shelf.references.c_str(), W_OK) != 0) {  // somebody else has built the kit
    shelf.references = folder.parent_path() / "references";
  }
  if (!open) shelf.copy(house, folder);
  std::map<std::string, std::set<std::string>> readable;
  for (const auto& [lesson, folders] : shelf.toolchain.includes) {
    for (const std::string& include : folders) add_headers(include, readable[lesson]);
  }
  for (const auto& [which, words] : shelf.toolchain.links) {
    for (const std::string& word : words) {
      if (word.starts_with('/')) readable[which.first].insert(word);
    }
  }
  for (auto& [lesson, files] : readable) {
    files.insert((shelf.root / "tests" / "probes").string());
    // Where the compiler itself lives, if that is not the system.
    files.insert(home_of_compiler(shelf.toolchain.compiler, house));
    shelf.readable[lesson].assign(files.begin(), files.end());
  }
  return shelf;
}

void Shelf::copy(const House& house, const fs::path& folder) {
  root = folder;
  references = folder.parent_path() / "references";
  std::set<std::string> copied;
  for (auto& [lesson, folders] : toolchain.includes) {
    for (std::string& include : folders) {
      const std::string there =
          (folder / fs::path(include).lexically_relative(house.root)).string();
      if (copied.insert(include).second) copy_headers(include, there);
      include = there;
    }
  }
  fs::create_directories(folder / "tests");
  fs::copy(house.root / "tests" / "probes", folder / "tests" / "probes",
           fs::copy_options::recursive | fs::copy_options::overwrite_existing);
  for (auto& [which, words] : toolchain.links) {
    for (std::string& word : words) {
      if (!word.starts_with('/') || !fs::exists(word)) continue;
      const fs::path there = folder / "archives" / fs::path(word).relative_path();
      if (copied.insert(word).second) {
        fs::create_directories(there.parent_path());
        fs::copy_file(word, there, fs::copy_options::overwrite_existing);
      }
      word = there.string();
    }
  }
  // The users of cells read it, whatever the umask is here.
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    fs::permissions(entry, fs::perms(entry.is_directory() ? 0755 : 0644));
  }
}

// ---- building ----------------------------------------------------

Outcome LessonGrader::run_confined(const Command& command, Clock::time_point until) const {
  const auto left = std::chrono::duration_cast<milliseconds>(until - Clock::now());
  if (left.count() <= 0) return {Outcome::End::timed_out, 0, {}, 0};
  Command confined = command;
  auto& words = confined.arguments;
  words = {(house_.build / "kit-cell").string(),
           "compile",
           "--candidate",
           command.folder.string(),
           "--cpu",
           std::to_string(
               static_cast<long>(static_cast<double>(times_.compiler_cpu.count()) * time_scale()))};
  if (const auto found = shelf_.readable.find(lesson_.name); found != shelf_.readable.end()) {
    for (const std::string& path : found->second) words.insert(words.end(), {"--read", path});
  }
  words.push_back("--");
  words.insert(words.end(), command.arguments.begin(), command.arguments.end());
  const char* const left_out = std::getenv(cell_without);
  if (left_out != nullptr)
    confined.environment.push_back(std::string(cell_without) + "=" + left_out);
  confined.folder = house_.build;
  confined.time_limit = std::min(command.time_limit, left);
  confined.grace = grace;
  return run_command(confined);
}

/// Why an object is not to be linked, or "".
std::string LessonGrader::refused(const Object& object, const Command& compiler,
                                  Clock::time_point until) const {
  const bool instrumented = object.build != "plain";
  if (std::string why = refused_in_object(object.file, instrumented); !why.empty()) return why;
  // An attribute leaves no name behind. Only sources that could hold one cost a second look.
  const fs::path sources = compiler.folder / "src";
  const bool suspicious =
      std::ranges::any_of(fs::directory_iterator(sources), [](const fs::directory_entry& entry) {
        return may_hold_refused_words(read_text(entry.path().string()).value_or(""));
      });
  if (!instrumented || !suspicious) return {};
  const std::string output = object.file.string() + ".ii";
  Command preprocessor = compiler;
  auto& words = preprocessor.arguments;
  if (const auto dependencies = std::ranges::find(words, "-MMD"); dependencies != words.end()) {
    words.erase(dependencies, dependencies + 3);  // -MMD -MF FILE
  }
  words.insert(std::ranges::find(words, "-c"), "-E");
  words.back() = output;
  const Outcome outcome = run_confined(preprocessor, until);
  const std::string text = read_text(output).value_or("");
  std::error_code ignored;
  fs::remove(output, ignored);
  if (!outcome.ok()) return "cannot be looked through: it does not get through the preprocessor.";
  return refused_in_source(text);
}

Builder LessonGrader::builder(Clock::time_point until) const {
  Builder::Options options;
  options.jobs = options_.workers;
  options.time_limit = times_.compiler;
  options.run = [this, until](const Command& command) { return run_confined(command, until); };
  options.inspect = [this, until](const Object& object, const Command& compiler) {
    return refused(object, compiler, until);
  };
  return {shelf_.toolchain, lesson_, shelf_.root, options};
}

// ---- the reference -----------------------------------------------

void LessonGrader::prove() {
  const fs::path solution = house_.root / "solutions" / lesson_.name;
  if (!fs::exists(solution)) {
    notes_.push_back("This kit has no solution of " + lesson_.name +
                     ": that every step can be passed on this machine was not proved.");
    return;
  }
  // Kept from run to run, if it can be. Two graders do not build it at the same time.
  const fs::path out = shelf_.references / ("reference_" + lesson_.number());
  fs::create_directories(out);
  fs::permissions(out, fs::perms::owner_all);
  const Descriptor lock(
      open((out.string() + ".lock").c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  while (lock && flock(lock.get(), LOCK_EX) != 0 && errno == EINTR && interrupted() == 0) {
  }
  const auto until = Clock::now() + 4 * times_.build;
  reference_ = builder(until).build({solution, {}, {}, out, "solutions/" + lesson_.name});
  for (const BuiltProgram& program : reference_->programs) {
    if (!program.built && interrupted() == 0) {
      throw std::runtime_error("the reference's " + program.name + " (" + program.build +
                               ") is not built:\n" + program.why.text());
    }
  }
  flock(lock.get(), LOCK_UN);
  std::vector<Judged> all(lesson_.steps.size());
  in_parallel(all.size(), options_.workers, [&](std::size_t i) {
    const StepEntry& step = lesson_.steps[i];
    all[i] = run_step(*reference_, step, times_.event, of_seconds(step.timeout));
  });
  if (interrupted() != 0) return;
  std::set<std::string> cannot;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const StepEntry& step = lesson_.steps[i];
    seconds_[step.id] = all[i].seconds;
    if (all[i].status == "not run") {
      if (!options_.lower_maximum) {
        throw std::runtime_error("step " + step.name() + " cannot be judged on this machine (" +
                                 all[i].cause +
                                 "): grade on another, or say --lower-maximum to leave it out");
      }
      cannot.insert(step.id);
      notes_.push_back("Step " + step.id + " cannot be judged on the machine that graded (" +
                       all[i].cause + ") and does not count.");
    } else if (all[i].status != "pass") {
      throw std::runtime_error("the reference itself does not pass step " + step.name() +
                               " here, so that no grade would be right:\n" + all[i].report);
    }
  }
  std::erase_if(lesson_.steps, [&](const StepEntry& step) { return cannot.contains(step.id); });
}

milliseconds LessonGrader::time_of(const StepEntry& step, double factor, milliseconds least) const {
  const auto found = seconds_.find(step.id);
  return found == seconds_.end() ? least : std::max(least, of_seconds(factor * found->second));
}

milliseconds LessonGrader::time_of_lesson() const {
  const double all = std::accumulate(seconds_.begin(), seconds_.end(), 0.0,
                                     [](double sum, auto& one) { return sum + one.second; });
  return std::max(times_.lesson, of_seconds(4 * all));
}

// ---- one step ----------------------------------------------------

LessonGrader::Judged LessonGrader::run_step(const Candidate& candidate, const StepEntry& step,
                                            milliseconds event, milliseconds time) const {
  const fs::path results = candidate.folder / "results";
  fs::create_directories(results);
  static std::atomic<unsigned> count{0};
  const std::string number = std::to_string(getpid()) + "-" + std::to_string(count.fetch_add(1));
  const fs::path result = results / (step.id + "." + number + ".txt");
  const fs::path note = results / (step.id + "." + number + ".note");
  const fs::path seen = results / (step.id + "." + number + ".seen");

  Command command;
  command.arguments = {(house_.build / "kit-cell").string(), "check", "--note", note.string()};
  std::istringstream limits(options_.limits);
  for (std::string word; limits >> word;) command.arguments.push_back(word);
  command.arguments.insert(command.arguments.end(),
                           {"--", house_.check(lesson_).string(), "[" + step.id + "]"});
  command.environment = environment_of_cell();
  const double scale = time_scale();
  // The check scales its deadlines itself; the step's whole time is given as it is.
  const auto unscaled = times(event, 1 / scale);
  const double timeout = in_seconds(time) / limits::share_of_timeout;
  const auto set = [&](const char* name, const std::string& value) {
    command.environment.push_back(std::string(name) + "=" + value);
  };
  set("KIT_CANDIDATE", candidate.folder.string());
  set("KIT_SOURCES", candidate.sources.string());
  set("KIT_MANIFEST", house_.manifest().string());
  set("KIT_ROOT", house_.root.string());
  set("KIT_BUILD", house_.build.string());
  set("KIT_RESULT", result.string());
  set("KIT_SHOW", seen.string());
  set("KIT_SEED", std::to_string(options_.seed));
  set("KIT_TIME_SCALE", number_text(scale));
  set("KIT_DEADLINE_MS", std::to_string(std::max<milliseconds::rep>(unscaled.count(), 1)));
  set("KIT_STEP_TIMEOUT", number_text(timeout));
  set("KIT_CONFINE", "1");
  command.folder = house_.build;
  command.time_limit = of_seconds(timeout) + milliseconds{2000};
  command.grace = grace;

  const Outcome outcome = run_command(command);
  auto values = read_values(result);
  Judged judged;
  judged.seconds = outcome.seconds;
  judged.cause = values["cause"];
  judged.report = values["report"].empty() ? outcome.output : values["report"];
  judged.reproduce = run_only_this(lesson_, step);
  // A failure that took the whole wait for one event, or for the step, is one of time.
  judged.out_of_time = outcome.seconds >= 0.95 * in_seconds(std::min(event, time));
  const std::string too_much = first_line(read_text(note.string()).value_or(""));

  using End = Outcome::End;
  if (!too_much.empty()) {
    judged.status = "fail";
    judged.cause = "it was ended: its programs took " + too_much;
    judged.report = header(step) + "\n  Ended: its programs took " + too_much + ".\n";
  } else if (outcome.end == End::interrupted) {
    judged.status = "not run";
    judged.cause = "grading was interrupted";
  } else if (outcome.end == End::timed_out) {
    judged.status = "fail";
    judged.out_of_time = true;
    judged.cause = "it ran past the time that a step has";
    judged.report = header(step) + "\n  It ran past the time that a step has (" +
                    number_text(in_seconds(command.time_limit)) + " s).\n";
  } else if (outcome.end == End::exited && outcome.code == limits::passed &&
             values["status"] == "pass") {
    judged.status = "pass";
    judged.out_of_time = false;
  } else if (outcome.end == End::exited && outcome.code == limits::failed) {
    judged.status = "fail";
    judged.picture = seen_picture(seen, step);
  } else if (outcome.end == End::exited && outcome.code == limits::cannot_run) {
    judged.status = "not run";
  } else {
    judged.status = "error";
    if (judged.cause.empty()) judged.cause = "the check ended with " + std::to_string(outcome.code);
  }
  std::error_code ignored;
  for (const fs::path& file : {result, note, seen}) fs::remove(file, ignored);
  return judged;
}

// ---- one submission ----------------------------------------------

LessonGrade LessonGrader::nothing() const {
  LessonGrade grade;
  grade.lesson = lesson_.name;
  for (const StepEntry& step : lesson_.steps) {
    StepGrade one;
    one.id = step.id;
    one.title = step.title;
    one.program = step.program;
    one.max = course_.points_of(lesson_, step);
    one.reproduce = run_only_this(lesson_, step);
    grade.steps.push_back(std::move(one));
  }
  grade.add_up();
  return grade;
}

/// One submission on its way through the steps.
class LessonGrader::Run {
 public:
  Run(const LessonGrader& grader, const Candidate& candidate, LessonGrade& grade,
      const Progress& progress, Clock::time_point until)
      : grader_(grader),
        candidate_(candidate),
        grade_(grade),
        progress_(progress),
        until_(until),
        pictures_(grade.steps.size()),
        doubts_(grade.steps.size(), Doubt::none) {}

  void all() {
    in_parallel(pictures_.size(), grader_.options_.workers, [&](std::size_t i) { first_look(i); });
    std::vector<std::size_t> again;
    for (std::size_t i = 0; i < doubts_.size(); ++i) {
      if (doubts_[i] != Doubt::none) again.push_back(i);
    }
    in_parallel(again.size(), grader_.options_.workers,
                [&](std::size_t i) { second_look(again[i]); });
    if (const StepGrade* const failed = grade_.first_failed()) {
      grade_.picture = std::move(pictures_[static_cast<std::size_t>(failed - grade_.steps.data())]);
    }
  }

 private:
  /// Whether a failure may be the machine's: it came by a deadline.
  enum class Doubt : char { none, short_deadline, full_deadline };

  [[nodiscard]] const StepEntry& step(std::size_t i) const { return grader_.lesson_.steps[i]; }
  [[nodiscard]] milliseconds left() const {
    return std::chrono::duration_cast<milliseconds>(until_ - Clock::now());
  }

  void first_look(std::size_t i) {
    for (const BuiltProgram* program : candidate_.programs_of(step(i))) {
      if (program->built) continue;
      keep(i, not_built(grade_.steps[i], step(i), *program));
      return;
    }
    const bool impatient = waited_for(step(i).program) >= patience;
    const Times& times = grader_.times_;
    const milliseconds event = impatient ? times.event / cut : times.event;
    const milliseconds time = impatient ? grader_.time_of(step(i), 3, times.step / 4)
                                        : grader_.time_of(step(i), 6, times.step);
    Judged judged = judge(i, event, time);
    if (judged.out_of_time && judged.status == "fail") {
      doubts_[i] = impatient ? Doubt::short_deadline : Doubt::full_deadline;
      if (!impatient) note_wait(step(i).program);
    }
    keep(i, std::move(judged));
  }

  /// No point is lost to time alone: what failed by a deadline is judged once more when all else is
  /// done. Not so after a short one that the reference keeps on the spot, with half of it: then the
  /// machine is not to blame and the verdict stands.
  void second_look(std::size_t i) {
    const Times& times = grader_.times_;
    if (doubts_[i] == Doubt::short_deadline && grader_.reference_) {
      const Judged control =
          grader_.run_step(*grader_.reference_, step(i), times.event / cut / 2,
                           std::min(left(), grader_.time_of(step(i), 6, times.step)));
      if (control.status == "pass") return;
    }
    // One that ran into its deadline twice was no victim of a moment: nor are its others.
    const std::string& program = step(i).program;
    if (left() < times.event || interrupted() != 0 || hangs(program)) return;
    Judged judged = judge(i, times.event, grader_.time_of(step(i), 6, times.step));
    if (judged.out_of_time && judged.status == "fail") note_hanging(program);
    keep(i, std::move(judged));
  }

  Judged judge(std::size_t i, milliseconds event, milliseconds time) {
    time = std::min(time, left());
    if (time < milliseconds{500}) {
      Judged judged;
      judged.status = "not run";
      judged.cause = "the time for one submission of a lesson was used up by the steps before";
      judged.report = header(step(i)) + "\n  Not run: " + judged.cause + ".\n";
      return judged;
    }
    return grader_.run_step(candidate_, step(i), event, time);
  }

  void keep(std::size_t i, Judged judged) {
    pictures_[i] = std::move(judged.picture);
    StepGrade grade = grade_.steps[i];
    grade.status = judged.status;
    grade.points = judged.status == "pass" ? grade.max : 0;
    grade.cause = judged.status == "pass" ? "" : valid_utf8(judged.cause);
    grade.report = judged.status == "pass" ? "" : valid_utf8(judged.report);
    grade.seconds = judged.seconds;
    keep(i, std::move(grade));
  }

  void keep(std::size_t i, StepGrade grade) {
    const std::scoped_lock lock(mutex_);
    grade_.steps[i] = std::move(grade);
    grade_.add_up();
    progress_(grade_, ++done_);
  }

  unsigned waited_for(const std::string& program) {
    const std::scoped_lock lock(mutex_);
    return waits_[program];
  }
  void note_wait(const std::string& program) {
    const std::scoped_lock lock(mutex_);
    ++waits_[program];
  }
  bool hangs(const std::string& program) {
    const std::scoped_lock lock(mutex_);
    return hanging_.contains(program);
  }
  void note_hanging(const std::string& program) {
    const std::scoped_lock lock(mutex_);
    hanging_.insert(program);
  }

  const LessonGrader& grader_;
  const Candidate& candidate_;
  LessonGrade& grade_;
  const Progress& progress_;
  Clock::time_point until_;
  std::vector<std::string> pictures_;
  std::vector<Doubt> doubts_;
  std::mutex mutex_;
  std::map<std::string, unsigned> waits_;
  std::set<std::string> hanging_;
  std::size_t done_ = 0;
};

LessonGrade LessonGrader::grade(const fs::path& sources, const fs::path& work,
                                const Progress& progress) const {
  const auto start = Clock::now();
  LessonGrade grade = nothing();
  const Candidate candidate =
      builder(start + times_.build)
          .build({sources, {}, {}, work / lesson_.name, "lessons/" + lesson_.name},
                 reference_ ? &*reference_ : nullptr);
  if (interrupted() == 0) {
    Run(*this, candidate, grade, progress, start + time_of_lesson()).all();
  }
  grade.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return grade;
}

}  // namespace kit
