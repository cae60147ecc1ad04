#include "course.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iomanip>
#include <sstream>
#include <stdexcept>

#include "options.hpp"

namespace kit {
namespace {

/// One line's words, taken one by one.
class Words {
 public:
  Words(const std::string& line, std::string place) : in_(line), place_(std::move(place)) {}

  bool next(std::string& word) { return static_cast<bool>(in_ >> word); }
  std::string need(const char* what) {
    std::string word;
    if (!next(word)) fail(std::string("expected ") + what);
    return word;
  }
  double number(const char* what) {
    const std::string word = need(what);
    char* end = nullptr;
    const double value = std::strtod(word.c_str(), &end);
    if (*end != '\0' || !(value >= 0) || value > 10'000) {
      fail("expected " + std::string(what) + ", not \"" + word + "\"");
    }
    return value;
  }
  [[noreturn]] void fail(const std::string& what) const { throw InputError(place_ + ": " + what); }

 private:
  std::istringstream in_;
  std::string place_;
};

}  // namespace

Course Course::parse(std::string_view text, const std::string& name, const Manifest& manifest) {
  Course course;
  std::istringstream in{std::string(text)};
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    line = line.substr(0, line.find('#'));
    Words words(line, name + ":" + std::to_string(number));
    std::string kind;
    if (!words.next(kind)) continue;
    std::string more;
    if (kind == "lesson") {
      LessonEntry entry{words.need("a lesson's number"), 1};
      const bool known = std::ranges::any_of(manifest.lessons(), [&](const Lesson& lesson) {
        return lesson.number() == entry.number || lesson.name == entry.number;
      });
      if (!known) words.fail("there is no lesson " + entry.number);
      entry.number = entry.number.substr(0, 2);
      if (words.next(more)) {
        if (more != "weight") words.fail("expected weight, not \"" + more + "\"");
        entry.weight = words.number("a weight");
      }
      course.lessons.push_back(entry);
    } else if (kind == "step") {
      const std::string id = words.need("a step, such as 01.4");
      if (manifest.lesson_of(id) == nullptr) words.fail("there is no step " + id);
      if (words.need("points") != "points") words.fail("expected points and a number");
      course.points[id] = words.number("a number of points");
    } else if (kind == "deadline") {
      std::string when = words.need("a day, such as 2026-12-01");
      if (words.next(more)) when += " " + more;
      course.deadline = parse_time(when);
      if (!course.deadline) words.fail("\"" + when + "\" is no time, such as 2026-12-01 23:59");
    } else if (kind == "late") {
      course.late = words.number("per cent");
      if (course.late > 100) words.fail("late work keeps at most 100 per cent");
    } else {
      words.fail("\"" + kind + "\" is none of lesson, step, deadline, late");
    }
    if (words.next(more)) words.fail("does not understand \"" + more + "\"");
  }
  return course;
}

Course Course::read(const std::filesystem::path& file, const Manifest& manifest) {
  const std::ifstream in(file);
  if (!in || std::filesystem::is_directory(file)) {
    throw InputError("the course file " + file.string() + " cannot be read");
  }
  std::ostringstream text;
  text << in.rdbuf();
  return parse(text.str(), file.string(), manifest);
}

double Course::weight(const Lesson& lesson) const {
  for (const LessonEntry& entry : lessons) {
    if (entry.number == lesson.number()) return entry.weight;
  }
  return 1;
}

double Course::points_of(const Lesson& lesson, const StepEntry& step) const {
  const auto own = points.find(step.id);
  return weight(lesson) * (own != points.end() ? own->second : step.points);
}

std::optional<std::time_t> parse_time(const std::string& text) {
  for (const char* form :
       {"%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d"}) {
    std::tm time{};
    std::istringstream in(text);
    in >> std::get_time(&time, form);
    if (in.fail() || in.peek() != std::istringstream::traits_type::eof()) continue;
    if (std::string_view(form) == "%Y-%m-%d") time.tm_hour = 23, time.tm_min = 59, time.tm_sec = 59;
    time.tm_isdst = -1;
    const int day = time.tm_mday;
    const std::time_t moment = std::mktime(&time);
    if (time.tm_mday != day) return std::nullopt;  // 31 February
    if (moment != -1) return moment;
  }
  return std::nullopt;
}

std::string time_text(std::time_t time) {
  std::tm local{};
  localtime_r(&time, &local);
  std::ostringstream out;
  out << std::put_time(&local, "%Y-%m-%d %H:%M");
  return out.str();
}

}  // namespace kit
