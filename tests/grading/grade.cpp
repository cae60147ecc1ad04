#include "grade.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <fstream>
#include <numeric>
#include <sstream>
#include <stdexcept>

#include "harness/base/descriptor.hpp"
#include "harness/base/escape.hpp"
#include "harness/processes/sandbox.hpp"

namespace kit {
namespace {

Json::Array strings(const std::vector<std::string>& texts) {
  return {texts.begin(), texts.end()};
}

std::vector<std::string> strings(const Json& json) {
  std::vector<std::string> texts;
  if (json.is_null()) return texts;
  for (const Json& one : json.array()) texts.push_back(one.string());
  return texts;
}

std::string text_or_nothing(const Json& json) {
  return json.is_null() ? std::string() : json.string();
}

double number_or_0(const Json& json) {
  return json.is_null() ? 0 : json.number();
}

Json step_json(const StepGrade& step) {
  return Json::Object{{"id", step.id},           {"title", step.title},
                      {"points", step.points},   {"max", step.max},
                      {"program", step.program}, {"status", step.status},
                      {"cause", step.cause},     {"reproduce", step.reproduce},
                      {"seconds", step.seconds}, {"report", step.report}};
}

StepGrade step_of(const Json& json) {
  StepGrade step;
  step.id = json["id"].string();
  step.title = json["title"].string();
  step.points = json["points"].number();
  step.max = json["max"].number();
  step.program = json["program"].string();
  step.status = json["status"].string();
  step.cause = text_or_nothing(json["cause"]);
  step.reproduce = text_or_nothing(json["reproduce"]);
  step.seconds = number_or_0(json["seconds"]);
  step.report = text_or_nothing(json["report"]);
  return step;
}

template <typename Get>
double sum(const std::vector<LessonGrade>& lessons, Get get) {
  return std::accumulate(lessons.begin(), lessons.end(), 0.0,
                         [&](double total, const auto& one) { return total + get(one); });
}

}  // namespace

void LessonGrade::add_up(double keep) {
  score = max = 0;
  for (const StepGrade& step : steps) {
    score += step.points;
    max += step.max;
  }
  score *= keep;
}

const StepGrade* LessonGrade::first_failed() const {
  const auto step = std::ranges::find(steps, "fail", &StepGrade::status);
  return step == steps.end() ? nullptr : &*step;
}

const LessonGrade* Grade::first_failed() const {
  const auto lesson = std::ranges::find_if(
      lessons, [](const LessonGrade& one) { return one.first_failed() != nullptr; });
  return lesson == lessons.end() ? nullptr : &*lesson;
}

double Grade::score() const {
  return sum(lessons, [](const LessonGrade& lesson) { return lesson.score; });
}
double Grade::max() const {
  return sum(lessons, [](const LessonGrade& lesson) { return lesson.max; });
}
double Grade::seconds() const {
  return sum(lessons, [](const LessonGrade& lesson) { return lesson.seconds; });
}

bool Grade::all_passed() const {
  return complete && std::ranges::all_of(lessons, [](const LessonGrade& lesson) {
           return std::ranges::all_of(lesson.steps,
                                      [](const StepGrade& step) { return step.status == "pass"; });
         });
}

Json Grade::json() const {
  Json::Array all;
  for (const LessonGrade& lesson : lessons) {
    Json::Array steps;
    for (const StepGrade& step : lesson.steps) steps.push_back(step_json(step));
    all.push_back(Json::Object{{"lesson", lesson.lesson},
                               {"score", lesson.score},
                               {"max", lesson.max},
                               {"steps", std::move(steps)},
                               {"notes", strings(lesson.notes)},
                               {"seconds", lesson.seconds}});
  }
  Json::Array times;
  for (const HandIn& one : hand_ins) {
    times.push_back(Json::Object{{"time", one.time}, {"score", one.score}});
  }
  return Json::Object{{"schema", schema},
                      {"kit", kit},
                      {"seed", static_cast<double>(seed)},
                      {"submission", submission},
                      {"score", score()},
                      {"max", max()},
                      {"lessons", std::move(all)},
                      {"notes", strings(notes)},
                      {"hand_ins", std::move(times)},
                      {"isolation", isolation},
                      {"files", files},
                      {"complete", complete}};
}

Grade Grade::from_json(const Json& json) {
  if (!json.has("schema") || json["schema"].number() != schema) {
    throw std::runtime_error("this is no grade of schema " + std::to_string(schema));
  }
  Grade grade;
  grade.kit = json["kit"].string();
  grade.seed = static_cast<std::uint32_t>(json["seed"].number());
  grade.submission = json["submission"].string();
  for (const Json& one : json["lessons"].array()) {
    LessonGrade lesson;
    lesson.lesson = one["lesson"].string();
    lesson.score = one["score"].number();
    lesson.max = one["max"].number();
    for (const Json& step : one["steps"].array()) lesson.steps.push_back(step_of(step));
    lesson.notes = strings(one["notes"]);
    lesson.seconds = number_or_0(one["seconds"]);
    grade.lessons.push_back(std::move(lesson));
  }
  grade.notes = strings(json["notes"]);
  if (json.has("hand_ins")) {
    for (const Json& one : json["hand_ins"].array()) {
      grade.hand_ins.push_back({one["time"].string(), one["score"].number()});
    }
  }
  grade.isolation = text_or_nothing(json["isolation"]);
  grade.files = text_or_nothing(json["files"]);
  grade.complete = json.has("complete") && json["complete"].boolean();
  return grade;
}

Grade Grade::read(const std::filesystem::path& file) {
  const std::ifstream in(file, std::ios::binary);
  if (!in) throw std::runtime_error("it cannot be opened");
  std::ostringstream text;
  text << in.rdbuf();
  return from_json(Json::parse(text.str()));
}

void write_by_rename(const std::filesystem::path& file, const std::string& text) {
  static std::atomic<unsigned> count{0};
  const std::filesystem::path part = file.string() + ".part" + std::to_string(count.fetch_add(1));
  // Where it is written others may have written, too: no link is followed, and what is no file
  // makes way.
  remove_tree(part.string());
  unlink(part.c_str());
  const Descriptor out(
      open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666));
  std::size_t at = 0;
  while (out && at < text.size()) {
    const ssize_t n = write(out.get(), text.data() + at, text.size() - at);
    if (n < 0 && errno != EINTR) break;
    if (n > 0) at += static_cast<std::size_t>(n);
  }
  if (!out || at < text.size())
    throw std::runtime_error("cannot write " + escape_text(part.string()));
  if (std::filesystem::is_directory(std::filesystem::symlink_status(file))) {
    remove_tree(file.string());
  }
  std::filesystem::rename(part, file);
}

}  // namespace kit
