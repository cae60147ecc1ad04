#include "formats.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <sstream>
#include <stdexcept>

#include "harness/base/markup.hpp"
#include "picture.hpp"

namespace kit {
namespace {

/// Receivers have limits (PrairieLearn: 1 MB in all): a step's report has some fifty lines.
constexpr std::size_t most_report = 12'000;

std::string cut(const std::string& text) {
  if (text.size() <= most_report) return text;
  return valid_utf8(text.substr(0, most_report)) + "\n(cut: the whole text is in report.md)\n";
}

std::string points_text(double points, double max) {
  return number_text(points) + " of " + number_text(max);
}

std::string name_of(const StepGrade& step) {
  return step.id + " " + step.title;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

/// All sentences about the submission.
std::string notes_of(const Grade& grade) {
  std::string text = joined(grade.notes);
  for (const LessonGrade& lesson : grade.lessons) {
    for (const std::string& note : lesson.notes) text += lesson.lesson + ": " + note + "\n";
  }
  return text;
}

/// A late lesson keeps a part of its points: so does each of its steps, where a receiver adds up.
double kept(const LessonGrade& lesson) {
  double earned = 0;
  for (const StepGrade& step : lesson.steps) earned += step.points;
  return earned > 0 ? lesson.score / earned : 1;
}

template <typename Each>
void for_each_step(const Grade& grade, const Each& each) {
  for (const LessonGrade& lesson : grade.lessons) {
    for (const StepGrade& step : lesson.steps) each(lesson, step);
  }
}

std::string gradescope(const Grade& grade) {
  Json::Array tests;
  for_each_step(grade, [&](const LessonGrade& lesson, const StepGrade& step) {
    tests.push_back(Json::Object{{"name", name_of(step)},
                                 {"number", step.id},
                                 {"score", step.points * kept(lesson)},
                                 {"max_score", step.max},
                                 {"status", step.status == "pass" ? "passed" : "failed"},
                                 {"output", cut(step.report)},
                                 {"output_format", "text"},
                                 {"name_format", "text"},
                                 {"tags", Json::Array{lesson.lesson, step.program}},
                                 {"visibility", "visible"}});
  });
  // The sum of the tests is the score: no total of its own, which would override it.
  return Json(Json::Object{{"output", notes_of(grade)},
                           {"output_format", "text"},
                           {"test_output_format", "text"},
                           {"test_name_format", "text"},
                           {"stdout_visibility", "hidden"},
                           {"visibility", "visible"},
                           {"execution_time", std::ceil(grade.seconds())},
                           {"tests", std::move(tests)},
                           {"extra_data", Json::Object{{"kit", grade.kit},
                                                       {"seed", static_cast<double>(grade.seed)},
                                                       {"complete", grade.complete}}}})
      .text();
}

std::string github(const Grade& grade) {
  Json::Array tests;
  for_each_step(grade, [&](const LessonGrade& lesson, const StepGrade& step) {
    const bool judged = step.status == "pass" || step.status == "fail";
    tests.push_back(Json::Object{{"name", name_of(step)},
                                 {"status", judged ? step.status : "error"},
                                 {"score", step.points * kept(lesson)},
                                 {"message", step.cause},
                                 {"test_code", step.reproduce},
                                 {"filename", ""},
                                 {"line_no", 0},
                                 {"duration", step.seconds * 1000}});
  });
  const Json results = Json::Object{{"version", 1},
                                    {"status", grade.all_passed() ? "pass" : "fail"},
                                    {"max_score", grade.max()},
                                    {"tests", std::move(tests)}};
  return base64(results.text(false)) + "\n";
}

std::string prairielearn(const Grade& grade) {
  Json::Array tests;
  for_each_step(grade, [&](const LessonGrade& lesson, const StepGrade& step) {
    tests.push_back(Json::Object{{"name", name_of(step)},
                                 {"description", lesson.lesson + ", " + step.program},
                                 {"points", step.points * kept(lesson)},
                                 {"max_points", step.max},
                                 {"message", step.cause},
                                 {"output", cut(step.report)}});
  });
  const double share = grade.max() > 0 ? grade.score() / grade.max() : 0;
  // Nothing that can be built of nothing handed in: the attempt is not lost.
  const bool handed_in = std::ranges::any_of(grade.lessons, [](const LessonGrade& lesson) {
    return std::ranges::any_of(
        lesson.steps, [](const StepGrade& step) { return step.cause != "nothing was handed in"; });
  });
  Json::Object results{{"gradable", handed_in || !grade.complete},
                       {"score", share},
                       {"message", points_text(grade.score(), grade.max()) + " points"},
                       {"output", notes_of(grade)},
                       {"tests", std::move(tests)}};
  if (!handed_in && grade.complete) results.emplace_back("format_errors", notes_of(grade));
  return Json(std::move(results)).text();
}

/// Text that stands in a comment block of VPL: each line begins with '>', so that none is taken for
/// a title, for the block's end, or for a grade.
std::string vpl_quoted(const std::string& text) {
  std::string result;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) result += ">" + valid_utf8(line) + "\n";
  return result;
}

std::string vpl(const Grade& grade) {
  std::string text = "<|--\n";
  text += "-" + points_text(grade.score(), grade.max()) + " points\n";
  text += vpl_quoted(notes_of(grade));
  for_each_step(grade, [&](const LessonGrade&, const StepGrade& step) {
    text += "-" + name_of(step) + ": " + points_text(step.points, step.max) + "\n";
    if (step.status != "pass") text += vpl_quoted(cut(step.report));
  });
  text += "--|>\n";
  // VPL takes the last line that begins so. Its scale is the teacher's: the wrapper sets
  // VPL_GRADEMAX.
  const double share = grade.max() > 0 ? grade.score() / grade.max() : 0;
  return text + "Grade :=>> " + number_text(share * 100) + "\n";
}

std::string autolab(const Grade& grade) {
  Json::Object scores;
  Json::Array board;
  for (const LessonGrade& lesson : grade.lessons) {
    scores.emplace_back(lesson.lesson, lesson.score);
    board.push_back(lesson.score);
  }
  return Json(Json::Object{{"scores", std::move(scores)}, {"scoreboard", std::move(board)}})
             .text(false) +
         "\n";
}

/// A row of backticks that nothing in the text ends.
std::string fence_around(const std::string& text) {
  std::size_t longest = 9, row = 0;
  for (const char c : text) {
    row = c == '`' ? row + 1 : 0;
    longest = std::max(longest, row);
  }
  return std::string(longest + 1, '`');
}

struct Format {
  std::string name, file;
  bool printed;
  std::function<std::string(const Grade&)> make;
};

const std::vector<Format>& all_formats() {
  static const std::vector<Format> all{
      {"gradescope", "gradescope.json", false, gradescope},
      {"github", "github.txt", true, github},
      {"prairielearn", "prairielearn.json", false, prairielearn},
      {"vpl", "vpl.txt", true, vpl},
      {"autolab", "autolab.json", true, autolab},
      {"junit", "junit.xml", false, junit},
      {"json", "grade.json", false, [](const Grade& grade) { return grade.json().text(); }},
  };
  return all;
}

const Format& format(const std::string& name) {
  for (const Format& one : all_formats()) {
    if (one.name == name) return one;
  }
  throw std::invalid_argument("there is no format \"" + name + "\"");
}

/// A spreadsheet takes it for a formula: blanks before it do not help, and neither does another
/// width of the sign.
bool begins_as_formula(const std::string& text) {
  static const std::vector<std::string> blanks{" ", "\t", "\xC2\xA0", "\xE3\x80\x80"};
  static const std::vector<std::string> signs{
      "=", "+", "-", "@", "\t", "\xEF\xBC\x9D", "\xEF\xBC\x8B", "\xEF\xBC\x8D", "\xEF\xBC\xA0"};
  const auto starts = [&](std::size_t at, const std::string& what) {
    return text.compare(at, what.size(), what) == 0;
  };
  for (std::size_t at = 0; at < text.size();) {
    for (const std::string& sign : signs) {
      if (starts(at, sign)) return true;
    }
    const auto blank = std::ranges::find_if(blanks, [&](auto& one) { return starts(at, one); });
    if (blank == blanks.end()) return false;
    at += blank->size();
  }
  return false;
}

std::string csv_field(const std::string& text) {
  std::string value = valid_utf8(text);
  std::replace(value.begin(), value.end(), '\n', ' ');
  if (begins_as_formula(value)) value.insert(0, 1, '\'');
  if (value.find_first_of("\",;") == std::string::npos) return value;
  std::string quoted = "\"";
  for (const char c : value) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + '"';
}

/// The page's section that a step's report points to: 01.F A stream has no messages.
std::string page_in(const std::string& report) {
  constexpr std::string_view before = "page: \"";
  const std::size_t at = report.find(before);
  if (at == std::string::npos) return {};
  const std::size_t begin = at + before.size();
  return report.substr(begin, report.find('"', begin) - begin);
}

/// What to do next, and the picture of the first step that failed.
std::string next_of(const Grade& grade) {
  if (const LessonGrade* const lesson = grade.first_failed()) {
    const StepGrade* const step = lesson->first_failed();
    std::string text =
        "**Next: " + markdown(name_of(*step)) + ".** " + markdown(step->cause) + "\n\n";
    if (const std::string page = page_in(step->report); !page.empty()) {
      text += "Read: " + markdown(page) + ". ";
    }
    if (!step->reproduce.empty()) {
      text += "Run only this:\n\n```sh\n" + step->reproduce + "\n```\n\n";
    }
    if (const std::string picture = story_picture(step->report, step->program); !picture.empty()) {
      const std::string fence = fence_around(picture);
      text += fence + "text\n" + picture + fence + "\n\n";
    }
    if (!lesson->picture.empty()) {
      text +=
          "The same with every call: [" + std::string(picture_file) + "](" + picture_file + ")\n\n";
    }
    return text;
  }
  return grade.complete && grade.all_passed() ? "Every step passes: nothing is left to do here.\n\n"
                                              : "";
}

}  // namespace

std::vector<std::string> formats() {
  std::vector<std::string> names;
  for (const Format& one : all_formats()) names.push_back(one.name);
  return names;
}
std::string format_file(const std::string& name) {
  return format(name).file;
}
bool is_printed(const std::string& name) {
  return format(name).printed;
}
std::string convert(const Grade& grade, const std::string& name) {
  return format(name).make(grade);
}

std::string junit(const Grade& grade) {
  std::size_t tests = 0, failures = 0, errors = 0;
  std::string cases;
  for_each_step(grade, [&](const LessonGrade& lesson, const StepGrade& step) {
    ++tests;
    cases += "    <testcase classname=\"" + xml(lesson.lesson) + "\" name=\"" + xml(name_of(step)) +
             "\" time=\"" + number_text(step.seconds) + "\"";
    if (step.status == "pass") {
      cases += "/>\n";
      return;
    }
    const bool failed = step.status == "fail";
    ++(failed ? failures : errors);
    const std::string element = failed ? "failure" : "error";
    // GitLab shows the element's text.
    cases += ">\n      <" + element + " type=\"" + xml(step.status) + "\" message=\"" +
             xml(step.cause.empty() ? step.status : step.cause) + "\">" +
             xml(step.report.empty() ? step.cause : step.report) + "</" + element +
             ">\n    </testcase>\n";
  });
  const std::string counts = " tests=\"" + std::to_string(tests) + "\" failures=\"" +
                             std::to_string(failures) + "\" errors=\"" + std::to_string(errors) +
                             "\" time=\"" + number_text(grade.seconds()) + "\"";
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites" + counts +
         ">\n  <testsuite name=\"" + xml(grade.submission) + "\"" + counts + ">\n" + cases +
         "  </testsuite>\n</testsuites>\n";
}

std::string report(const Grade& grade) {
  std::string text = "# " + markdown(grade.submission) + ": " +
                     points_text(grade.score(), grade.max()) + " points\n\n";
  if (!grade.complete) text += "This grade is not complete: grading has not ended.\n\n";
  for (const std::string& note : grade.notes) text += "- " + markdown(note) + "\n";
  if (!grade.notes.empty()) text += "\n";
  text += next_of(grade);
  for (const LessonGrade& lesson : grade.lessons) {
    text += "## " + lesson.lesson + ": " + points_text(lesson.score, lesson.max) + "\n\n";
    for (const std::string& note : lesson.notes) text += "- " + markdown(note) + "\n";
    if (!lesson.notes.empty()) text += "\n";
    text += "| step | points | | |\n|---|---|---|---|\n";
    for (const StepGrade& step : lesson.steps) {
      text += "| " + step.id + " | " + points_text(step.points, step.max) + " | " + step.status +
              " | " + step.title + " |\n";
    }
    text += "\n";
    std::string last;
    for (const StepGrade& step : lesson.steps) {
      if (step.status == "pass") continue;
      text += "### " + name_of(step) + "\n\n";
      // Below its heading line: a program that was not built says the same at each step.
      const std::string below =
          step.report.substr(std::min(step.report.find('\n'), step.report.size()));
      if (below.size() > 1 && below == last) {
        text += "The same as at the step above.\n\n";
        continue;
      }
      last = below;
      std::string said = valid_utf8(step.report.empty() ? step.cause : step.report);
      if (!said.ends_with('\n')) said += '\n';
      const std::string fence = fence_around(said);
      text += fence + "\n" + said + fence + "\n\n";
    }
  }
  text += "---\n\nGraded with kit " + grade.kit + ", seed " + std::to_string(grade.seed) +
          " (`KIT_SEED=" + std::to_string(grade.seed) +
          "` repeats the same bytes). Isolation: " + grade.isolation + ".\n";
  return text;
}

std::string csv_head(const std::vector<std::string>& lessons) {
  std::string line = "submission,score,max";
  for (const std::string& lesson : lessons) line += "," + csv_field(lesson);
  return line + ",notes\n";
}

std::string csv_line(const Grade& grade, const std::vector<std::string>& lessons) {
  std::string line = csv_field(grade.submission) + "," + number_text(grade.score()) + "," +
                     number_text(grade.max());
  for (const std::string& name : lessons) {
    const auto lesson = std::ranges::find(grade.lessons, name, &LessonGrade::lesson);
    line += lesson == grade.lessons.end() ? "," : "," + number_text(lesson->score);
  }
  return line + "," + csv_field((grade.complete ? "" : "not complete ") + notes_of(grade)) + "\n";
}

std::string markdown(const std::string& text) {
  std::string result;
  for (const char c : valid_utf8(text)) {
    if (std::string("\\`*[]<>|&!#~").find(c) != std::string::npos) result += '\\';
    result += c == '\n' ? ' ' : c;
  }
  return result;
}

std::string base64(const std::string& bytes) {
  static constexpr char digits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = group << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      text += i + k <= bytes.size() ? digits[group >> (18 - 6 * k) & 63] : '=';
    }
  }
  return text;
}

}  // namespace kit
