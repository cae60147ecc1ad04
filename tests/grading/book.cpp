#include "book.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <random>
#include <stdexcept>

#include "class_view.hpp"
#include "formats.hpp"
#include "harness/base/escape.hpp"
#include "harness/base/sources.hpp"
#include "harness/processes/sandbox.hpp"

namespace kit {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

/// While a class is graded its files are written again at most so often, and so that no more than a
/// part of the time goes into that.
constexpr std::chrono::seconds class_interval{5};
constexpr int class_part = 20;

}  // namespace

Book::Book(const Options& options, const House& house, const Manifest& manifest)
    : out_(options.out),
      format_(options.format),
      results_(options.results),
      anonymous_(options.anonymous) {
  for (const Lesson& lesson : manifest.lessons()) {
    titles_[lesson.name] = lesson.title;
    known_[lesson.name] = KnownAnswers::read(house.build / "proof" / lesson.name / "answers.txt");
  }
}

void Book::open() {
  std::error_code error;
  if (fs::create_directories(kept(), error); error) {
    throw InputError("grades cannot be written to " + escape_text(out_.string()) + ": " +
                     error.message());
  }
  out_ = fs::canonical(out_);
  struct stat status {};
  if (lstat(kept().c_str(), &status) != 0 || !S_ISDIR(status.st_mode) ||
      status.st_uid != geteuid()) {
    throw InputError(escape_text(kept().string()) +
                     " is not this user's own folder: choose another --out");
  }
  fs::permissions(kept(), fs::perms::owner_all);
  fs::create_directories(grades());
  lock_ = Descriptor(
      ::open((kept() / "lock").c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!lock_ || flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    throw InputError("another kit-grade is at work in " + out_.string());
  }
  remove_tree((kept() / "work").string());
  fs::create_directories(kept() / "work");
}

std::uint32_t Book::seed(std::optional<std::uint32_t> given) {
  const fs::path file = kept() / "seed";
  std::uint32_t seed = given.value_or(0);
  if (!given && !(std::ifstream(file) >> seed)) seed = std::random_device{}() % 1'000'000;
  write_by_rename(file, std::to_string(seed) + "\n");
  return seed;
}

std::optional<Grade> Book::read(const std::string& submission, std::string* checks) const try {
  const auto text = read_text((grades() / (submission + ".json")).string());
  if (!text) return std::nullopt;
  const Json json = Json::parse(*text);
  if (checks != nullptr) *checks = json.has("checks") ? json["checks"].string() : "";
  Grade grade = Grade::from_json(json);
  if (const LessonGrade* const failed = grade.first_failed(); failed && checks != nullptr) {
    grade.lessons[static_cast<std::size_t>(failed - grade.lessons.data())].picture =
        read_text((grades() / (submission + ".svg")).string()).value_or("");
  }
  return grade;
} catch (const std::exception&) {
  return std::nullopt;
}

void Book::write(const Grade& grade, const std::string& checks, bool all) {
  const fs::path to = out_ / grade.submission;
  // Somebody's link would lead elsewhere.
  if (!fs::is_directory(fs::symlink_status(to))) fs::remove(to);
  fs::create_directories(to);
  const Json json = grade.json();
  // The grade.json that is handed out may be anybody's, above all where the grades lie in the
  // folder of the class: it is never read again. And it is the same on every machine: with which
  // programs it was made stands in the book alone.
  Json::Object own = json.object();
  own.emplace_back("checks", checks);
  write_by_rename(grades() / (grade.submission + ".json"), Json(std::move(own)).text());
  write_by_rename(to / "grade.json", json.text());
  if (!format_.empty()) {
    const std::string text = convert(grade, format_);
    write_by_rename(to / format_file(format_), text);
    if (!results_.empty()) write_by_rename(results_, text);
  }
  if (!all) return;
  write_by_rename(to / "junit.xml", junit(grade));
  const LessonGrade* const failed = grade.first_failed();
  for (const fs::path& picture : {grades() / (grade.submission + ".svg"), to / picture_file}) {
    if (failed != nullptr && !failed->picture.empty()) {
      write_by_rename(picture, failed->picture);
    } else {
      fs::remove(picture);
    }
  }
  write_by_rename(to / "report.md", report(grade));
}

void Book::write_class(const std::vector<std::string>& not_graded) {
  const std::scoped_lock lock(mutex_);
  write_class_locked(not_graded);
}

void Book::write_class_now_and_then() {
  const std::scoped_lock lock(mutex_);
  if (Clock::now() < next_class_) return;
  write_class_locked({});
}

void Book::write_class_locked(const std::vector<std::string>& not_graded) {
  const auto start = Clock::now();
  ClassInput input{{}, titles_, known_, not_graded, anonymous_};
  std::vector<std::string> lessons;
  for (const auto& entry : fs::directory_iterator(grades())) {
    if (entry.path().extension() != ".json") continue;  // one that is being written
    auto grade = read(entry.path().stem().string());
    if (!grade) continue;  // of another schema
    for (const LessonGrade& lesson : grade->lessons) lessons.push_back(lesson.lesson);
    input.grades.push_back(std::move(*grade));
  }
  std::ranges::sort(input.grades, {}, &Grade::submission);
  std::ranges::sort(lessons);
  lessons.erase(std::unique(lessons.begin(), lessons.end()), lessons.end());
  std::string text = csv_head(lessons);
  for (const Grade& grade : input.grades) text += csv_line(grade, lessons);
  write_by_rename(out_ / "class.csv", text);
  const ClassView view(input);
  write_by_rename(out_ / "class.html", class_html(view));
  write_by_rename(out_ / "class.md", class_markdown(view));
  write_by_rename(out_ / "class.json", class_json(view).text());
  const auto now = Clock::now();
  next_class_ = now + std::max<Clock::duration>(class_interval, class_part * (now - start));
}

}  // namespace kit
