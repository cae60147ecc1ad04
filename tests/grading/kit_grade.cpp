// kit-grade: grades submissions, one or a class, with the steps that the learner knows.
//
//   build/kit-grade class/* --out grades
//   KIT_SUBMISSION=class cmake --workflow --preset grade
//
// Everything starts at zero and is written before anything runs; as steps end, files are replaced
// by rename. So a crash, a kill or a time limit never loses what was earned, and what has a
// complete grade is not graded again. The page: tests/grading/README.md.

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <sstream>

#include "book.hpp"
#include "formats.hpp"
#include "grader.hpp"
#include "harness/base/escape.hpp"
#include "harness/base/sources.hpp"
#include "harness/processes/sandbox.hpp"
#include "leftovers.hpp"
#include "merge.hpp"
#include "options.hpp"

namespace {

namespace fs = std::filesystem;
using kit::Grade;
using kit::LessonGrade;
using kit::LessonGrader;
using kit::Submission;

constexpr int exit_all_passed = 0;
constexpr int exit_not_all = 1;
constexpr int exit_usage = 2;
constexpr int exit_kit_error = 99;

/// The line that changes while the grader works; one line a submission where nobody watches.
class Progress {
 public:
  Progress(std::FILE* out, std::size_t count)
      : out_(out), live_(isatty(fileno(out)) != 0), count_(count) {}

  void step(const Grade& grade, const LessonGrade& lesson, std::size_t done) {
    if (!live_) return;
    const std::scoped_lock lock(mutex_);
    std::fprintf(out_, "\r\033[K  %zu of %zu graded   %s: %s, %zu of %zu steps", graded_, count_,
                 grade.submission.c_str(), lesson.lesson.c_str(), done, lesson.steps.size());
    std::fflush(out_);
  }
  void say(const std::string& line) {
    const std::scoped_lock lock(mutex_);
    std::fprintf(out_, "%s%s\n", live_ ? "\r\033[K" : "", line.c_str());
    std::fflush(out_);
  }
  void graded(const Grade& grade, bool kept) {
    std::string line;
    {
      const std::scoped_lock lock(mutex_);
      line = std::to_string(++graded_) + " of " + std::to_string(count_);
    }
    char time[32];
    std::snprintf(time, sizeof time, "%.1f s", grade.seconds());
    say("  " + line + "  " + grade.submission + ": " + kit::number_text(grade.score()) + " of " +
        kit::number_text(grade.max()) +
        (kept ? "  (graded before)" : "  (" + std::string(time) + ")"));
  }

 private:
  std::FILE* out_;
  bool live_;
  std::size_t count_;
  std::size_t graded_ = 0;
  std::mutex mutex_;
};

/// A submission, its grade, and the files that tell of it.
struct Entry {
  Submission submission;
  Grade grade;
  bool kept = false;  ///< graded before
};

class Class {
 public:
  explicit Class(kit::Options options)
      : options_(std::move(options)),
        house_{KIT_ROOT_FOLDER, KIT_BUILD_FOLDER},
        manifest_(kit::Manifest::read(house_.manifest().string())),
        book_(options_, house_, manifest_) {
    if (!options_.course.empty()) course_ = kit::Course::read(options_.course, manifest_);
    // What a receiver reads from standard output stands there alone.
    out_ = !options_.format.empty() && kit::is_printed(options_.format) ? stderr : stdout;
  }

  int grade() {
    book_.open();
    seed_ = book_.seed(options_.seed);
    kit::guard_answers(house_.root);
    find_submissions();
    keep_shard();
    read_times();
    start_progress();
    make_graders();
    begin_part();
    begin();
    run();
    book_.write_class();
    print_table();
    if (kit::interrupted() != 0) return 128 + kit::interrupted();
    return std::ranges::all_of(entries_, [](auto& one) { return one->grade.all_passed(); })
               ? exit_all_passed
               : exit_not_all;
  }

 private:
  void find_submissions() {
    for (const fs::path& path : options_.submissions) {
      for (const Submission& one : kit::submissions_in(path)) {
        entries_.push_back(std::make_unique<Entry>());
        entries_.back()->submission = one;
      }
    }
    if (!options_.name.empty() || !options_.results.empty()) {
      if (entries_.size() != 1)
        throw kit::UsageError("--name and --results are for one submission");
      if (!options_.name.empty()) {
        entries_[0]->submission.name = kit::plain_submission_name(options_.name);
      }
    }
    tell_names_apart();
  }

  /// Leaves the part of the class that this machine grades.
  void keep_shard() {
    for (const auto& entry : entries_) names_.push_back(entry->submission.name);
    std::ranges::sort(names_);
    if (!options_.shard) return;
    std::erase_if(entries_, [this](const auto& entry) {
      return kit::shard_of(entry->submission.name, options_.shard->count) != options_.shard->index;
    });
  }

  /// Says in the folder which part of which class it is.
  void begin_part() {
    if (!options_.shard) return;
    std::uint64_t sum = kit::empty_sum;
    const auto add = [&sum](const std::string& text) { sum = kit::add_to_sum(sum, text + '\0'); };
    for (const std::string& name : names_) add(name);
    add(terms());
    for (const auto& grader : graders_) add(grader->lesson().name);
    kit::write_part(book_.folder(), {*options_.shard, kit::hexadecimal(sum), names_});
  }

  /// What all grades of a class have in common.
  [[nodiscard]] std::string terms() const {
    std::string text = manifest_.version() + '\0' + std::to_string(seed_) + '\0' +
                       (options_.lower_maximum ? "lower" : "") + '\0';
    for (const std::string& part : options_.without) text += "without " + part + '\0';
    text += kit::read_text(house_.manifest().string()).value_or("") + '\0';
    if (!options_.course.empty()) {
      text += kit::read_text(options_.course.string()).value_or("") + '\0';
    }
    for (const std::string& step : options_.steps) text += step + '\0';
    return text;
  }

  /// Folders whose names differ only in what is not shown get a number each; two of one name are an
  /// error of whoever asks.
  void tell_names_apart() {
    std::map<std::string, const Submission*> known;
    for (const auto& entry : entries_) {
      Submission& one = entry->submission;
      const std::string shown = one.name;
      for (unsigned number = 2; !known.insert({one.name, &one}).second; ++number) {
        if (known[one.name]->folder.filename() == one.folder.filename()) {
          throw kit::UsageError("two submissions are called \"" + one.name +
                                "\": " + kit::escape_text(known[one.name]->folder.string()) +
                                " and " + kit::escape_text(one.folder.string()));
        }
        one.name = shown + "~" + std::to_string(number);
      }
    }
  }

  void start_progress() {
    progress_ = std::make_unique<Progress>(out_, entries_.size());
    progress_->say("Grading " + kit::counted(entries_.size(), "submission") + " with seed " +
                   std::to_string(seed_));
    kit::Command command{{(house_.build / "kit-cell").string(), "isolation"}, {}, house_.build};
    command.environment = kit::environment_of_cell();
    const kit::Outcome said = kit::run_command(command);
    isolation_ = said.output.substr(0, said.output.find('\n'));
    progress_->say("Isolation: " + isolation_);
    const auto doubtful = std::ranges::count_if(
        entries_, [this](const auto& entry) { return !doubt_of_time(*entry).empty(); });
    if (doubtful > 0) {
      progress_->say(
          "WARNING: the deadline is held against the files' own times, which whoever\n"
          "hands them in can set (touch). --submitted-from FILE gives each one's time.");
    }
  }

  [[nodiscard]] bool wanted(const kit::Lesson& lesson) const {
    const auto names = [&](const std::string& word) {
      return word == lesson.number() || word == lesson.name;
    };
    if (!options_.lessons.empty()) return std::ranges::any_of(options_.lessons, names);
    if (!course_.lessons.empty()) {
      return std::ranges::any_of(course_.lessons, names, &kit::Course::LessonEntry::number);
    }
    std::istringstream configured(KIT_CONFIGURED_LESSONS);
    for (std::string number; configured >> number;) {
      if (names(number)) return true;
    }
    return false;
  }

  void make_graders() {
    for (const std::string& word : options_.lessons) {
      const bool known = std::ranges::any_of(manifest_.lessons(), [&](const kit::Lesson& lesson) {
        return word == lesson.number() || word == lesson.name;
      });
      if (!known) throw kit::UsageError("there is no lesson \"" + word + "\"");
    }
    shelf_sandbox_ = std::make_unique<kit::Sandbox>();
    const fs::path folder = fs::path(shelf_sandbox_->folder()).parent_path() / "shelf";
    fs::create_directory(folder);
    fs::permissions(folder, fs::perms(0755));
    shelf_ = kit::Shelf::fill(house_, folder);
    kit::GraderOptions options;
    options.seed = seed_;
    options.lower_maximum = options_.lower_maximum;
    options.steps = options_.steps;
    if (const char* limits = std::getenv("KIT_GRADE_LIMITS")) options.limits = limits;
    for (const kit::Lesson& lesson : manifest_.lessons()) {
      if (!wanted(lesson)) continue;
      auto grader = std::make_unique<LessonGrader>(house_, shelf_, lesson, course_, options);
      if (grader->nothing().steps.empty()) continue;
      graders_.push_back(std::move(grader));
    }
    if (graders_.empty()) throw kit::UsageError("there is no such lesson or step");
  }

  /// What a grade is a grade of: while this is the same, it need not be made again.
  std::string sum_of(const Entry& entry, const std::vector<kit::Taken>& taken) const {
    std::uint64_t sum = kit::add_to_sum(kit::empty_sum, entry.submission.name);
    const auto add = [&sum](const std::string& text) { sum = kit::add_to_sum(sum, text + '\0'); };
    for (const kit::Taken& one : taken) {
      sum = kit::add_to_sum(sum, std::to_string(one.sum));
      add(kit::number_text(late_share(entry, one)));
      for (const std::string& note : one.notes) add(note);
    }
    add(terms());
    for (const auto& grader : graders_) add(grader->lesson().name);
    return kit::hexadecimal(sum);
  }

  /// Stands for the programs that judge: once they are others, what was graded is graded again.
  [[nodiscard]] std::string checks() const {
    std::string text;
    for (const auto& grader : graders_) {
      struct stat status {};
      stat(house_.check(grader->lesson()).c_str(), &status);
      text += grader->lesson().name + " " + std::to_string(status.st_mtime) + "\n";
    }
    return text;
  }

  [[nodiscard]] std::optional<std::time_t> time_of(const Entry& entry,
                                                   const kit::Taken& taken) const {
    if (options_.submitted) return options_.submitted;
    const auto told = submitted_.find(entry.submission.name);
    return told != submitted_.end() ? told->second : taken.changed;
  }
  [[nodiscard]] bool is_late(const Entry& entry, const kit::Taken& taken) const {
    const auto time = time_of(entry, taken);
    return course_.deadline && time && *time > *course_.deadline;
  }
  [[nodiscard]] double late_share(const Entry& entry, const kit::Taken& taken) const {
    return is_late(entry, taken) ? course_.late / 100 : 1;
  }

  /// Times of files are set by whoever hands them in.
  [[nodiscard]] std::string doubt_of_time(const Entry& entry) const {
    if (!course_.deadline || options_.submitted || submitted_.contains(entry.submission.name)) {
      return {};
    }
    return "Whether it was late is told by its files' own times, which whoever hands them in can "
           "set: --submitted-from FILE tells better.";
  }

  /// Everybody's time, from --submitted-from.
  void read_times() {
    if (options_.submitted_from.empty()) return;
    submitted_ = kit::read_submitted(options_.submitted_from);
    std::string missing;
    for (const auto& entry : entries_) {
      if (!submitted_.contains(entry->submission.name)) missing += "\n  " + entry->submission.name;
    }
    if (!missing.empty()) {
      throw kit::UsageError(kit::escape_text(options_.submitted_from.string()) +
                            " has no line for" + missing);
    }
  }

  /// The lessons' files of one submission, each in a folder of its own.
  std::vector<kit::Taken> take(const Entry& entry) const {
    const fs::path work = book_.kept() / "work" / entry.submission.name;
    kit::remove_tree(work.string());
    std::vector<kit::Taken> all;
    for (const auto& grader : graders_) {
      const fs::path into = work / ("taken_" + grader->lesson().name);
      fs::create_directories(into);
      all.push_back(
          kit::take_lesson(entry.submission, grader->lesson(), into, graders_.size() == 1));
    }
    return all;
  }

  /// Writes all that there is to say of every submission before anything of theirs runs.
  void begin() {
    checks_ = checks();
    std::vector<Entry*> to_grade;
    for (const auto& entry : entries_) {
      const std::vector<kit::Taken> taken = take(*entry);
      const std::string sum = sum_of(*entry, taken);
      kit::remove_tree((book_.kept() / "work" / entry->submission.name).string());
      std::string made_with;
      if (auto before = book_.read(entry->submission.name, &made_with);
          before && before->complete) {
        if (!options_.again && before->files == sum && made_with == checks_) {
          entry->grade = std::move(*before);
          entry->kept = true;
          book_.write(entry->grade, checks_, true);
          progress_->graded(entry->grade, true);
          continue;
        }
        entry->grade.hand_ins = std::move(before->hand_ins);
      }
      Grade& grade = entry->grade;
      grade.kit = manifest_.version();
      grade.seed = seed_;
      grade.submission = entry->submission.name;
      grade.files = sum;
      grade.isolation = isolation_;
      for (const auto& grader : graders_) grade.lessons.push_back(grader->nothing());
      book_.write(grade, checks_, true);
      to_grade.push_back(entry.get());
    }
    book_.write_class();
    if (to_grade.empty()) return;
    for (const auto& grader : graders_) {
      progress_->say("Proving the reference of " + grader->lesson().name);
      grader->prove();
      for (const std::string& note : grader->notes()) progress_->say(note);
      if (kit::interrupted() != 0) return;
      for (Entry* entry : to_grade) {
        for (LessonGrade& lesson : entry->grade.lessons) {
          if (lesson.lesson == grader->lesson().name) lesson = grader->nothing();
        }
      }
    }
    todo_ = std::move(to_grade);
  }

  void run() {
    kit::in_parallel(todo_.size(), options_.jobs, [&](std::size_t i) { grade(*todo_[i]); });
  }

  void grade(Entry& entry) {
    const std::vector<kit::Taken> taken = take(entry);
    Grade& grade = entry.grade;
    grade.notes = kit::ignored_files(entry.submission, house_.root);
    if (const std::string sum = sum_of(entry, taken); sum != grade.files) {
      grade.files = sum;
      grade.notes.push_back(
          "The files have changed since grading began: this is the grade of what lay there when "
          "their turn came.");
    }
    if (const std::string note = doubt_of_time(entry); !note.empty()) grade.notes.push_back(note);
    for (std::size_t i = 0; i < graders_.size(); ++i) {
      LessonGrader& grader = *graders_[i];
      LessonGrade& lesson = grade.lessons[i];
      std::vector<std::string> notes = grader.notes();
      notes.insert(notes.end(), taken[i].notes.begin(), taken[i].notes.end());
      const double share = late_share(entry, taken[i]);
      if (is_late(entry, taken[i])) {
        notes.push_back("Handed in " + kit::time_text(*time_of(entry, taken[i])) +
                        ", after the deadline " + kit::time_text(*course_.deadline) +
                        ": it keeps " + kit::number_text(100 * share) + " % of its points.");
      }
      lesson.notes = notes;
      if (!taken[i].anything) {
        for (kit::StepGrade& step : lesson.steps) {
          step.status = "fail";
          step.cause = "nothing was handed in";
          step.report = taken[i].notes.empty() ? "" : taken[i].notes.front() + "\n";
        }
        book_.write(grade, checks_, true);
        continue;
      }
      const fs::path work = book_.kept() / "work" / entry.submission.name;
      const auto keep = [&](const LessonGrade& so_far, std::size_t done) {
        lesson = so_far;
        lesson.notes = notes;
        lesson.add_up(share);
        book_.write(grade, checks_, false);
        progress_->step(grade, lesson, done);
      };
      LessonGrade result = grader.grade(work / ("taken_" + lesson.lesson), work, keep);
      lesson = std::move(result);
      lesson.notes = notes;
      lesson.add_up(share);
      kit::remove_tree((work / lesson.lesson).string());
      kit::remove_leftovers();
      if (kit::interrupted() != 0) break;
    }
    grade.complete = kit::interrupted() == 0;
    if (grade.complete) note_hand_in(entry, taken);
    kit::remove_tree((book_.kept() / "work" / entry.submission.name).string());
    book_.write(grade, checks_, true);
    book_.write_class_now_and_then();
    if (grade.complete) progress_->graded(grade, false);
  }

  /// Adds this one to the times that somebody has handed in. Only where they are told: the files'
  /// own times are another on each machine.
  void note_hand_in(Entry& entry, const std::vector<kit::Taken>& taken) {
    const bool told = options_.submitted.has_value() || submitted_.contains(entry.submission.name);
    if (!told || taken.empty()) return;
    const std::string time = kit::time_text(*time_of(entry, taken.front()));
    std::vector<kit::HandIn>& all = entry.grade.hand_ins;
    if (all.empty() || all.back().time != time) all.push_back({time, 0});
    all.back().score = entry.grade.score();
  }

  void print_table() {
    std::size_t width = 10;
    for (const auto& entry : entries_) width = std::max(width, entry->grade.submission.size());
    width = std::min<std::size_t>(width, 40);
    std::fprintf(out_, "\n  %-*s  %6s %6s  %7s  passed  remarks\n", static_cast<int>(width),
                 "submission", "points", "of", "time");
    for (const auto& entry : entries_) {
      const Grade& grade = entry->grade;
      std::size_t passed = 0, steps = 0, errors = 0, notes = grade.notes.size();
      for (const LessonGrade& lesson : grade.lessons) {
        notes += lesson.notes.size();
        for (const kit::StepGrade& step : lesson.steps) {
          ++steps;
          passed += step.status == "pass" ? 1 : 0;
          errors += step.status == "error" ? 1 : 0;
        }
      }
      std::string remarks = entry->kept ? "graded before" : "";
      const auto remark = [&](const std::string& text) {
        remarks += (remarks.empty() ? "" : ", ") + text;
      };
      if (!grade.complete) remark("not complete");
      if (errors > 0) remark(kit::counted(errors, "error"));
      if (notes > 0) remark(kit::counted(notes, "note"));
      const std::string marks = std::to_string(passed) + "/" + std::to_string(steps);
      std::fprintf(out_, "  %-*s  %6s %6s  %5.1f s  %6s  %s\n", static_cast<int>(width),
                   grade.submission.c_str(), kit::number_text(grade.score()).c_str(),
                   kit::number_text(grade.max()).c_str(), grade.seconds(), marks.c_str(),
                   remarks.c_str());
    }
    std::fprintf(out_,
                 "\n  Written to %s: class.html, class.md, class.json, class.csv,\n"
                 "  and for each grade.json, junit.xml, report.md (and picture.svg)\n",
                 kit::escape_text(book_.folder().string()).c_str());
    std::fflush(out_);
    if (out_ == stderr) {
      for (const auto& entry : entries_) std::cout << kit::convert(entry->grade, options_.format);
      std::cout.flush();
    }
  }

  kit::Options options_;
  kit::House house_;
  kit::Manifest manifest_;
  kit::Course course_;
  kit::Book book_;
  std::map<std::string, std::time_t> submitted_;  ///< by name, as --submitted-from tells
  std::FILE* out_ = stdout;
  std::uint32_t seed_ = 0;
  std::string isolation_;
  std::unique_ptr<kit::Sandbox> shelf_sandbox_;
  kit::Shelf shelf_;
  std::vector<std::unique_ptr<LessonGrader>> graders_;
  std::vector<std::unique_ptr<Entry>> entries_;
  std::vector<std::string> names_;  ///< the whole class, also where a part of it is graded
  std::string checks_;
  std::vector<Entry*> todo_;
  std::unique_ptr<Progress> progress_;
};

}  // namespace

int main(int argc, char** argv) {
  int status = exit_kit_error;
  setenv("KIT_CONFINE", "1", 1);  // private folders lie where no program of a submission reaches
  try {
    const kit::Options options = kit::read_options({argv + 1, argv + argc});
    if (options.help) {
      std::cout << kit::usage;
      return 0;
    }
    if (!options.converted.empty()) {
      Grade grade;
      try {
        grade = Grade::read(options.converted);
      } catch (const std::exception& error) {
        throw kit::InputError("no grade can be read from " +
                              kit::escape_text(options.converted.string()) + ": " + error.what());
      }
      std::cout << kit::convert(grade, options.format);
      return 0;
    }
    if (!options.merged.empty()) {
      const kit::House house{KIT_ROOT_FOLDER, KIT_BUILD_FOLDER};
      kit::Book book(options, house, kit::Manifest::read(house.manifest().string()));
      book.open();
      return kit::merge(options, book) ? exit_all_passed : exit_not_all;
    }
    if (!options.without.empty()) kit::leave_out(options.without);
    kit::end_commands_on_signals();
    status = Class(options).grade();
  } catch (const kit::InputError& error) {
    std::cerr << "kit-grade: " << error.what() << "\n";
    return exit_usage;
  } catch (const kit::UsageError& error) {
    std::cerr << "kit-grade: " << error.what() << "\n" << kit::usage;
    return exit_usage;
  } catch (const std::exception& error) {
    std::cerr << "kit-grade: " << error.what() << "\n";
  }
  kit::end_what_is_left();
  return status;
}
