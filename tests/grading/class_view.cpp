#include "class_view.hpp"

#include <algorithm>
#include <numeric>

#include "course.hpp"

namespace kit {
namespace {

/// The submissions' names, or what stands for them: a number by points, so that nobody's place in
/// the alphabet shows.
std::map<std::string, std::string> shown_names(const std::vector<const Grade*>& grades,
                                               bool anonymous) {
  std::map<std::string, std::string> shown;
  for (const Grade* grade : grades) shown[grade->submission] = grade->submission;
  if (!anonymous) return shown;
  std::vector<const Grade*> sorted = grades;
  std::ranges::stable_sort(sorted, std::greater<>{}, &Grade::score);
  std::size_t number = 0;
  for (const Grade* grade : sorted) {
    shown[grade->submission] = "submission " + std::to_string(++number);
  }
  return shown;
}

char mark_of(const StepGrade& step) {
  if (step.status == "pass") return 'p';
  if (step.status != "fail") return 'n';
  return is_unwritten(step) ? 'u' : 'f';
}

void add_step(std::vector<ClassView::Step>& steps, const StepGrade& step, char mark) {
  auto found = std::ranges::find(steps, step.id, &ClassView::Step::id);
  if (found == steps.end()) {
    steps.push_back({step.id, step.title});
    found = steps.end() - 1;
  }
  ++(mark == 'p' ? found->passed : mark == 'u' ? found->unwritten : found->failed);
}

/// A cause without the ports in it, which are others in each run.
std::string without_ports(std::string_view cause) {
  std::string text;
  for (std::size_t i = 0; i < cause.size(); ++i) {
    text += cause[i];
    const bool address = text.ends_with("127.0.0.1:") || text.ends_with("[::1]:");
    if (!address) continue;
    std::size_t end = i + 1;
    while (end < cause.size() && cause[end] >= '0' && cause[end] <= '9') ++end;
    if (end > i + 1) text += "PORT";
    i = end - 1;
  }
  return text;
}

/// Causes that differ only in numbers and quoted bytes are one. What is not written is said once,
/// though it costs many steps.
class Causes {
 public:
  void add(const StepGrade& step, const std::string& who) {
    const std::string key = (is_unwritten(step) ? "" : step.id + ' ') + steady_words(step.cause);
    const auto [place, is_new] = places_.insert({key, causes_.size()});
    if (is_new) causes_.push_back({step.id, without_ports(step.cause), {}});
    std::vector<std::string>& all = causes_[place->second].who;
    if (all.empty() || all.back() != who) all.push_back(who);
  }
  std::vector<ClassView::Cause> most_frequent_first() {
    std::ranges::stable_sort(causes_, std::greater<>{}, [](auto& one) { return one.who.size(); });
    return std::move(causes_);
  }

 private:
  std::map<std::string, std::size_t> places_;
  std::vector<ClassView::Cause> causes_;
};

class Groups {
 public:
  void add(const Resemblance& like, const std::string& who) {
    std::vector<KnownAnswerPointer> answers;
    for (const Likeness& one : like.nearest) answers.push_back(one.answer);
    of(std::move(answers)).who.push_back(who);
    if (like.besides) of({like.besides->answer}).besides.push_back(who);
  }
  std::vector<ClassView::Group> largest_first() {
    std::ranges::stable_sort(groups_, std::greater<>{}, [](const ClassView::Group& one) {
      return std::pair(one.who.size() + one.besides.size(), one.who.size());
    });
    return std::move(groups_);
  }

 private:
  ClassView::Group& of(std::vector<KnownAnswerPointer> answers) {
    const auto found = std::ranges::find(groups_, answers, &ClassView::Group::answers);
    if (found != groups_.end()) return *found;
    groups_.push_back({std::move(answers), {}, {}});
    return groups_.back();
  }
  std::vector<ClassView::Group> groups_;
};

ClassView::Lesson lesson_view(const std::string& name, const ClassInput& input,
                              const std::vector<const Grade*>& grades,
                              const std::map<std::string, std::string>& shown) {
  ClassView::Lesson view;
  view.name = name;
  if (const auto title = input.titles.find(name); title != input.titles.end()) {
    view.title = title->second;
  }
  const auto table = input.known.find(name);
  view.compared = table != input.known.end() && !table->second.empty();
  Causes causes;
  Groups groups;
  for (const Grade* grade : grades) {
    const auto lesson = std::ranges::find(grade->lessons, name, &LessonGrade::lesson);
    if (lesson == grade->lessons.end()) continue;
    const std::string& who = shown.at(grade->submission);
    ClassView::Student student{who, lesson->score, {}, {}};
    view.max = std::max(view.max, lesson->max);
    for (const StepGrade& step : lesson->steps) {
      const char mark = mark_of(step);
      student.marks[step.id] = mark;
      add_step(view.steps, step, mark);
      if (mark != 'p') causes.add(step, who);
    }
    if (view.compared) student.like = table->second.of(*lesson);
    const bool failed =
        std::ranges::any_of(student.marks, [](const auto& one) { return one.second == 'f'; });
    if (!student.like.nearest.empty()) {
      groups.add(student.like, who);
    } else if (failed) {
      ++view.like_none;
    }
    view.students.push_back(std::move(student));
  }
  std::ranges::stable_sort(view.students, std::greater<>{}, &ClassView::Student::score);
  view.causes = causes.most_frequent_first();
  view.groups = groups.largest_first();
  return view;
}

}  // namespace

double ClassView::Lesson::mean() const {
  if (students.empty()) return 0;
  const double sum =
      std::accumulate(students.begin(), students.end(), 0.0,
                      [](double total, const Student& one) { return total + one.score; });
  return sum / static_cast<double>(students.size());
}

double ClassView::Lesson::median() const {
  if (students.empty()) return 0;
  const std::size_t half = students.size() / 2;  // they are in the order of their points
  return students.size() % 2 == 1 ? students[half].score
                                  : (students[half - 1].score + students[half].score) / 2;
}

std::size_t ClassView::Lesson::perfect() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(students, [this](const Student& one) { return one.score >= max; }));
}

std::vector<std::size_t> ClassView::Lesson::distribution() const {
  std::vector<std::size_t> tenths(11);
  for (const Student& one : students) {
    const double share = max > 0 ? one.score / max : 0;
    ++tenths[std::min<std::size_t>(10, static_cast<std::size_t>(share * 10 + 1e-9))];
  }
  return tenths;
}

double ClassView::Way::hours() const {
  const auto first = parse_time(hand_ins.front().time);
  const auto last = parse_time(hand_ins.back().time);
  return first && last ? static_cast<double>(*last - *first) / 3600 : 0;
}

ClassView::ClassView(const ClassInput& input) : anonymous(input.anonymous) {
  std::vector<const Grade*> grades;
  std::vector<std::string> names;
  std::vector<std::string> missing = input.not_graded;
  for (const Grade& grade : input.grades) {
    if (!grade.complete) {
      missing.push_back(grade.submission);
      continue;
    }
    grades.push_back(&grade);
    for (const LessonGrade& lesson : grade.lessons) names.push_back(lesson.lesson);
  }
  std::ranges::sort(missing);
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  submissions = grades.size();
  if (!grades.empty()) {
    kit = grades.front()->kit;
    seed = grades.front()->seed;
  }
  const auto shown = shown_names(grades, anonymous);
  for (const std::string& name : names) lessons.push_back(lesson_view(name, input, grades, shown));
  for (const Grade* grade : grades) {
    if (grade->hand_ins.size() < 2) continue;
    ways.push_back({shown.at(grade->submission), grade->hand_ins});
  }
  for (std::string& name : missing) {
    not_graded.push_back(anonymous ? "submission without a grade" : std::move(name));
  }
}

std::string mark_text(char mark) {
  switch (mark) {
    case 'p':
      return "pass";
    case 'f':
      return "fail";
    case 'u':
      return "not written";
    default:
      return "not judged";
  }
}

std::string tenth_text(std::size_t tenth) {
  if (tenth >= 10) return "100 %";
  return std::to_string(tenth * 10) + " to " + std::to_string(tenth * 10 + 9) + " %";
}

Json class_json(const ClassView& view) {
  const auto names = [](const std::vector<std::string>& texts) {
    return Json::Array(texts.begin(), texts.end());
  };
  const auto answer_json = [](const Likeness& one) {
    return Json(Json::Object{{"answer", one.answer->name}, {"sentence", one.answer->sentence}});
  };
  Json::Array lessons;
  for (const ClassView::Lesson& lesson : view.lessons) {
    Json::Array steps, students, groups, causes, tenths;
    for (const auto& step : lesson.steps) {
      steps.push_back(Json::Object{{"id", step.id},
                                   {"title", step.title},
                                   {"passed", step.passed},
                                   {"failed", step.failed},
                                   {"not_written", step.unwritten}});
    }
    for (const auto& student : lesson.students) {
      Json::Object marks;
      for (const auto& step : lesson.steps) {
        const auto mark = student.marks.find(step.id);
        if (mark != student.marks.end()) marks.emplace_back(step.id, mark_text(mark->second));
      }
      Json::Array like;
      for (const Likeness& one : student.like.nearest) like.push_back(answer_json(one));
      students.push_back(Json::Object{
          {"submission", student.name},
          {"score", student.score},
          {"steps", std::move(marks)},
          {"behaves_like", std::move(like)},
          {"besides", student.like.besides ? answer_json(*student.like.besides) : Json()}});
    }
    for (const auto& group : lesson.groups) {
      Json::Array answers;
      for (const KnownAnswerPointer& answer : group.answers) {
        answers.push_back(Json::Object{
            {"answer", answer->name}, {"sentence", answer->sentence}, {"step", answer->step}});
      }
      groups.push_back(Json::Object{{"answers", std::move(answers)},
                                    {"submissions", names(group.who)},
                                    {"besides", names(group.besides)}});
    }
    for (const auto& cause : lesson.causes) {
      causes.push_back(Json::Object{
          {"step", cause.step}, {"cause", cause.cause}, {"submissions", names(cause.who)}});
    }
    for (const std::size_t count : lesson.distribution()) tenths.emplace_back(count);
    lessons.push_back(Json::Object{{"lesson", lesson.name},
                                   {"title", lesson.title},
                                   {"max", lesson.max},
                                   {"mean", lesson.mean()},
                                   {"median", lesson.median()},
                                   {"all_points", lesson.perfect()},
                                   {"tenths", std::move(tenths)},
                                   {"compared", lesson.compared},
                                   {"like_no_known_answer", lesson.like_none},
                                   {"wrong_answers", std::move(groups)},
                                   {"steps", std::move(steps)},
                                   {"causes", std::move(causes)},
                                   {"students", std::move(students)}});
  }
  Json::Array ways;
  for (const ClassView::Way& way : view.ways) {
    Json::Array hand_ins;
    for (const HandIn& one : way.hand_ins) {
      hand_ins.push_back(Json::Object{{"time", one.time}, {"score", one.score}});
    }
    ways.push_back(Json::Object{
        {"submission", way.name}, {"hours", way.hours()}, {"hand_ins", std::move(hand_ins)}});
  }
  return Json::Object{{"schema", 1},
                      {"kit", view.kit},
                      {"seed", static_cast<double>(view.seed)},
                      {"anonymous", view.anonymous},
                      {"submissions", view.submissions},
                      {"not_graded", names(view.not_graded)},
                      {"lessons", std::move(lessons)},
                      {"hand_ins", std::move(ways)}};
}

}  // namespace kit
