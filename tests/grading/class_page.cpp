// class.html and class.md: what the teacher reads the evening before the next lecture. The first
// screen says what to teach again; who and where stands below.

#include <algorithm>
#include <cctype>
#include <cmath>
#include <sstream>

#include "class_view.hpp"
#include "formats.hpp"
#include "harness/base/escape.hpp"
#include "harness/base/markup.hpp"

namespace kit {
namespace {

/// As many causes, and names in one place, as somebody reads.
constexpr std::size_t most_causes = 12;
constexpr std::size_t most_names = 12;
constexpr std::size_t most_answers = 3;

constexpr const char* style = R"(
:root { color-scheme: light dark; --paper: #fcfcfa; --panel: #f2f3ef; --line: #cfd4cc; --ink: #1c2428;
  --soft: #566269; --accent: #0a6c74; --good: #d9eee0; --bad: #f3c9b8; --empty: #e6e8e4; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #13181b; --panel: #1b2226; --line: #3a454b; --ink: #e3e8ea; --soft: #9aa8af;
    --accent: #62c6c4; --good: #1d4536; --bad: #74392a; --empty: #2a3338; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem; max-width: 88rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0; }
h2 { font-size: 1.3rem; line-height: 1.25; margin: 2.5rem 0 0.25rem; }
h3 { font-size: 1.05rem; margin: 1.5rem 0 0.5rem; }
p { margin: 0.25rem 0; max-width: 46rem; }
a { color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.soft, caption, .who { color: var(--soft); }
.again { margin: 0; padding: 0; list-style: none; }
.again li { display: grid; grid-template-columns: 6rem 1fr; gap: 0 1rem; padding: 0.5rem 0;
  border-top: 1px solid var(--line); break-inside: avoid; }
.again .count { font-size: 1.15rem; font-weight: 650; line-height: 1.3; }
.again p { max-width: 60rem; }
.who { font-size: 0.9rem; overflow-wrap: anywhere; }
.pair { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 0 3rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-size: 0.9rem; padding-bottom: 0.35rem; }
th, td { text-align: left; vertical-align: top; padding: 0.25rem 0.6rem 0.25rem 0;
  border-top: 1px solid var(--line); }
thead th { border-top: 0; font-size: 0.85rem; color: var(--soft); font-weight: 600; }
tbody th { font-weight: 600; }
.n { text-align: right; white-space: nowrap; }
.bar { width: 25%; min-width: 4rem; }
.bar span { display: block; height: 0.75rem; margin-top: 0.4rem; background: var(--accent); min-width: 1px; }
.scroll { overflow: auto; max-height: 80vh; border: 1px solid var(--line); }
.map { width: auto; }
.map th, .map td { border: 1px solid var(--line); padding: 0.1rem 0.45rem; white-space: nowrap; }
.map thead th { position: sticky; top: 0; background: var(--panel); text-align: center; z-index: 1; }
.map tbody th { position: sticky; left: 0; background: var(--paper); max-width: 14rem; overflow: hidden;
  text-overflow: ellipsis; }
.map td { text-align: center; }
.map .p { background: var(--good); } .map .f { background: var(--bad); font-weight: 700; }
.map .u { background: var(--empty); }
nav ul { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; margin: 0.75rem 0 0; padding: 0; list-style: none; }
@media (max-width: 60rem) {
  .pair { grid-template-columns: minmax(0, 1fr); }
}
@media (max-width: 48rem) {
  body { padding: 1rem; }
  .again li { grid-template-columns: 1fr; }
  .bar { min-width: 3rem; }
  th, td { padding-right: 0.4rem; }
  td { overflow-wrap: anywhere; }
}
@media print {
  :root { color-scheme: light; --paper: #fff; --panel: #fff; --line: #aaa; --ink: #000; --soft: #333;
    --accent: #0a6c74; --good: #e4f3e8; --bad: #f3c9b8; --empty: #eee; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  html { font-size: 9pt; }
  body { padding: 0; max-width: none; font-size: 1rem; }
  .again li { grid-template-columns: 6rem 1fr; }
  a { color: inherit; text-decoration: none; }
  nav { display: none; }
  .pair { display: block; }
  .scroll { overflow: visible; max-height: none; border: 0; }
  .map { font-size: 0.8rem; }
  .map th, .map td { padding: 0.05rem 0.2rem; }
  .map thead th, .map tbody th { position: static; }
  tr { break-inside: avoid; } h2, h3 { break-after: avoid; }
  @page { margin: 14mm; size: A4 landscape; }
}
)";

std::string share_text(std::size_t part, std::size_t all) {
  const double share = all > 0 ? 100.0 * static_cast<double>(part) / static_cast<double>(all) : 0;
  return std::to_string(static_cast<int>(share + 0.5)) + " %";
}

std::string of_text(std::size_t part, std::size_t all) {
  return std::to_string(part) + " of " + std::to_string(all);
}

std::string titled(const ClassView::Lesson& lesson) {
  return lesson.title.empty() ? lesson.name : lesson.name + ": " + lesson.title;
}

/// "anna, bert and 3 more".
std::string names_text(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), most_names); ++i) {
    text += (i == 0 ? "" : ", ") + names[i];
  }
  if (names.size() > most_names) {
    text += " and " + std::to_string(names.size() - most_names) + " more";
  }
  return text;
}

/// A name as a part of an address.
std::string address_text(const std::string& name) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string text;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || c == '-' || c == '_' || c == '.') {
      text += c;
    } else {
      text += {'%', digits[byte >> 4], digits[byte & 15]};
    }
  }
  return text;
}

std::string summary(const ClassView::Lesson& lesson) {
  return counted(lesson.students.size(), "submission") + "; median " +
         number_text(lesson.median()) + " of " + number_text(lesson.max) + " points, mean " +
         number_text(std::floor(lesson.mean() * 10 + 0.5) / 10) +
         "; all points: " + std::to_string(lesson.perfect()) + ".";
}

/// What is said where no wrong answers are named.
std::string no_answers(const ClassView::Lesson& lesson) {
  if (!lesson.compared) {
    return "Not compared with the known wrong answers: their table has not been made. After "
           "build/kit-prove mutants --lesson " +
           lesson.name.substr(0, 2) + ", grade once more.";
  }
  return lesson.like_none == 0 ? "No submission behaves like a known wrong answer." : "";
}

std::string also_none(const ClassView::Lesson& lesson) {
  if (!lesson.compared || lesson.like_none == 0) return {};
  return of_text(lesson.like_none, lesson.students.size()) +
         " fail steps in a way that no known wrong answer has: read their reports.";
}

/// The sentence of a group; several that cannot be told apart, joined.
std::string sentence(const ClassView::Group& group) {
  std::string text;
  for (std::size_t i = 0; i < std::min(group.answers.size(), most_answers); ++i) {
    text += (i == 0 ? "" : " Or: ") + group.answers[i]->sentence;
  }
  if (group.answers.size() > most_answers) {
    text += " Or " + std::to_string(group.answers.size() - most_answers) + " more.";
  }
  return text;
}

std::string besides_text(const ClassView::Group& group) {
  if (group.besides.empty()) return {};
  return (group.who.empty() ? "As a second fault: " : "; as a second fault: ") +
         names_text(group.besides);
}

// ---- HTML --------------------------------------------------------

class Html {
 public:
  explicit Html(const ClassView& view) : view_(view) {}

  std::string text() {
    out_ << "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
            "'unsafe-inline'\">\n"
            "<title>The class: "
         << counted(view_.submissions, "submission") << "</title>\n<style>" << style
         << "</style>\n</head>\n<body>\n<main>\n<h1>What to teach again</h1>\n";
    out_ << "<p class=\"soft\">" << counted(view_.submissions, "submission") << ", graded with kit "
         << xml(view_.kit) << ", seed " << view_.seed << ".</p>\n";
    if (!view_.not_graded.empty()) {
      out_ << "<p><strong>Not graded: " << xml(names_text(view_.not_graded)) << ".</strong></p>\n";
    }
    contents();
    for (const ClassView::Lesson& one : view_.lessons) lesson(one);
    ways();
    out_ << "</main>\n</body>\n</html>\n";
    return out_.str();
  }

 private:
  void contents() {
    if (view_.lessons.size() < 2) return;
    out_ << "<nav aria-label=\"Lessons\"><ul>\n";
    for (const ClassView::Lesson& one : view_.lessons) {
      out_ << "<li><a href=\"#" << address_text(one.name) << "\">" << xml(one.name)
           << "</a></li>\n";
    }
    out_ << "</ul></nav>\n";
  }

  void lesson(const ClassView::Lesson& one) {
    out_ << "<section aria-labelledby=\"" << xml(one.name) << "\">\n<h2 id=\"" << xml(one.name)
         << "\">" << xml(titled(one)) << "</h2>\n<p>" << xml(summary(one)) << "</p>\n";
    out_ << "<div class=\"pair\">\n<div>\n";
    answers(one);
    out_ << "</div>\n<div>\n";
    steps(one);
    distribution(one);
    out_ << "</div>\n</div>\n";
    causes(one);
    map(one);
    out_ << "</section>\n";
  }

  void answers(const ClassView::Lesson& one) {
    out_ << "<h3>The wrong answers that this class gave</h3>\n";
    if (one.groups.empty()) out_ << "<p>" << xml(no_answers(one)) << "</p>\n";
    out_ << "<ol class=\"again\">\n";
    for (const ClassView::Group& group : one.groups) {
      out_ << "<li><span class=\"count\">"
           << of_text(group.who.size() + group.besides.size(), one.students.size())
           << "</span><div><p>" << xml(sentence(group)) << " <span class=\"soft\">(step "
           << xml(group.answers.front()->step) << ")</span></p>\n<p class=\"who\">"
           << xml(names_text(group.who) + besides_text(group)) << "</p></div></li>\n";
    }
    out_ << "</ol>\n";
    if (const std::string none = also_none(one); !none.empty()) {
      out_ << "<p class=\"soft\">" << xml(none) << "</p>\n";
    }
  }

  void steps(const ClassView::Lesson& one) {
    out_ << "<h3>Who passes which step</h3>\n<table><thead><tr><th scope=\"col\">Step</th>"
            "<th scope=\"col\">What it asks</th><th scope=\"col\" class=\"n\">Pass</th>"
            "<th scope=\"col\" class=\"bar\">Share</th></tr></thead><tbody>\n";
    for (const ClassView::Step& step : one.steps) {
      out_ << "<tr><th scope=\"row\">" << xml(step.id) << "</th><td>" << xml(step.title);
      if (step.unwritten > 0) {
        out_ << " <span class=\"soft\">(not written by " << step.unwritten << ")</span>";
      }
      out_ << "</td><td class=\"n\">" << share_text(step.passed, step.all()) << "</td>";
      bar(step.passed, step.all());
      out_ << "</tr>\n";
    }
    out_ << "</tbody></table>\n";
  }

  void distribution(const ClassView::Lesson& one) {
    out_ << "<h3>Points</h3>\n<table><thead><tr><th scope=\"col\">Of all points</th>"
            "<th scope=\"col\" class=\"n\">Submissions</th><th scope=\"col\" "
            "class=\"bar\">Share</th>"
            "</tr></thead><tbody>\n";
    const std::vector<std::size_t> tenths = one.distribution();
    for (std::size_t i = tenths.size(); i-- > 0;) {
      out_ << "<tr><th scope=\"row\">" << tenth_text(i) << "</th><td class=\"n\">" << tenths[i]
           << "</td>";
      bar(tenths[i], one.students.size());
      out_ << "</tr>\n";
    }
    out_ << "</tbody></table>\n";
  }

  void bar(std::size_t part, std::size_t all) {
    out_ << "<td class=\"bar\" aria-hidden=\"true\">";
    if (part > 0) {
      out_ << "<span style=\"width:"
           << number_text(
                  std::floor(1000.0 * static_cast<double>(part) / static_cast<double>(all)) / 10)
           << "%\"></span>";
    }
    out_ << "</td>";
  }

  void causes(const ClassView::Lesson& one) {
    if (one.causes.empty()) return;
    out_ << "<h3>What was said most often</h3>\n<table><thead><tr><th scope=\"col\">Step</th>"
            "<th scope=\"col\">Cause</th><th scope=\"col\" class=\"n\">Times</th>"
            "<th scope=\"col\">Submissions</th></tr></thead><tbody>\n";
    for (std::size_t i = 0; i < std::min(one.causes.size(), most_causes); ++i) {
      const ClassView::Cause& cause = one.causes[i];
      out_ << "<tr><th scope=\"row\">" << xml(cause.step) << "</th><td>" << xml(cause.cause)
           << "</td><td class=\"n\">" << cause.who.size() << "</td><td class=\"who\">"
           << xml(names_text(cause.who)) << "</td></tr>\n";
    }
    out_ << "</tbody></table>\n";
    if (one.causes.size() > most_causes) {
      out_ << "<p class=\"soft\">and " << counted(one.causes.size() - most_causes, "cause")
           << " more: class.json has all of them.</p>\n";
    }
  }

  void map(const ClassView::Lesson& one) {
    out_ << "<h3>Everybody, step by step</h3>\n<p class=\"soft\">✓ passed, ✗ failed, ○ not written "
            "or not built, – not judged. The most points stand first.</p>\n"
            "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Submissions and "
            "steps of "
         << xml(one.name)
         << "\">\n<table class=\"map\"><thead><tr><th scope=\"col\">Submission</th>"
            "<th scope=\"col\">Points</th>";
    for (const ClassView::Step& step : one.steps) {
      out_ << "<th scope=\"col\" title=\"" << xml(step.title) << "\">" << xml(step.id) << "</th>";
    }
    out_ << "<th scope=\"col\">Behaves like</th></tr></thead><tbody>\n";
    for (const ClassView::Student& student : one.students) {
      out_ << "<tr><th scope=\"row\">";
      if (view_.anonymous) {
        out_ << xml(student.name);
      } else {
        out_ << "<a href=\"" << address_text(student.name) << "/report.md\">" << xml(student.name)
             << "</a>";
      }
      out_ << "</th><td>" << number_text(student.score) << "</td>";
      for (const ClassView::Step& step : one.steps) {
        const auto mark = student.marks.find(step.id);
        cell(mark == student.marks.end() ? 'n' : mark->second);
      }
      out_ << "<td>";
      const Resemblance& like = student.like;
      if (!like.nearest.empty()) out_ << xml(like.nearest.front().answer->name);
      if (like.besides) out_ << ", " << xml(like.besides->answer->name);
      out_ << "</td></tr>\n";
    }
    out_ << "</tbody></table>\n</div>\n";
  }

  void cell(char mark) {
    const char* const sign = mark == 'p' ? "✓" : mark == 'f' ? "✗" : mark == 'u' ? "○" : "–";
    out_ << "<td class=" << mark << ">" << sign << "</td>";
  }

  void ways() {
    if (view_.ways.empty()) return;
    out_ << "<section>\n<h2>From the first hand-in to the last</h2>\n<div class=\"scroll\" "
            "tabindex=\"0\" role=\"region\" aria-label=\"Hand-ins\">\n<table><thead><tr>"
            "<th scope=\"col\">Submission</th><th scope=\"col\" class=\"n\">Hand-ins</th>"
            "<th scope=\"col\">First</th><th scope=\"col\">Last</th>"
            "<th scope=\"col\" class=\"n\">Hours between</th>"
            "<th scope=\"col\" class=\"n\">Points</th></tr></thead><tbody>\n";
    for (const ClassView::Way& way : view_.ways) {
      out_ << "<tr><th scope=\"row\">" << xml(way.name) << "</th><td class=\"n\">"
           << way.hand_ins.size() << "</td><td>" << xml(way.hand_ins.front().time) << "</td><td>"
           << xml(way.hand_ins.back().time) << "</td><td class=\"n\">" << hours_text(way)
           << "</td><td class=\"n\">" << number_text(way.hand_ins.front().score) << " → "
           << number_text(way.hand_ins.back().score) << "</td></tr>\n";
    }
    out_ << "</tbody></table>\n</div>\n</section>\n";
  }

  static std::string hours_text(const ClassView::Way& way) {
    return number_text(std::floor(way.hours() * 10 + 0.5) / 10);
  }

  const ClassView& view_;
  std::ostringstream out_;
};

}  // namespace

std::string class_html(const ClassView& view) {
  return Html(view).text();
}

std::string class_markdown(const ClassView& view) {
  std::ostringstream out;
  out << "# What to teach again\n\n"
      << counted(view.submissions, "submission") << ", graded with kit " << view.kit << ", seed "
      << view.seed << ".\n\n";
  if (!view.not_graded.empty()) {
    out << "**Not graded: " << markdown(names_text(view.not_graded)) << ".**\n\n";
  }
  for (const ClassView::Lesson& lesson : view.lessons) {
    out << "## " << markdown(titled(lesson)) << "\n\n" << summary(lesson) << "\n\n";
    out << "### The wrong answers that this class gave\n\n";
    if (lesson.groups.empty()) out << no_answers(lesson) << "\n";
    for (const ClassView::Group& group : lesson.groups) {
      out << "- **" << of_text(group.who.size() + group.besides.size(), lesson.students.size())
          << "**: " << markdown(sentence(group)) << " (step " << group.answers.front()->step
          << ")  \n  " << markdown(names_text(group.who) + besides_text(group)) << "\n";
    }
    if (const std::string none = also_none(lesson); !none.empty()) out << "\n" << none << "\n";
    out << "\n### Who passes which step\n\n| step | pass | of all | not written | |\n"
           "|---|---|---|---|---|\n";
    for (const ClassView::Step& step : lesson.steps) {
      out << "| " << step.id << " | " << of_text(step.passed, step.all()) << " | "
          << share_text(step.passed, step.all()) << " | " << step.unwritten << " | "
          << markdown(step.title) << " |\n";
    }
    out << "\n### Points\n\n| of all points | submissions |\n|---|---|\n";
    const std::vector<std::size_t> tenths = lesson.distribution();
    for (std::size_t i = tenths.size(); i-- > 0;) {
      out << "| " << tenth_text(i) << " | " << tenths[i] << " |\n";
    }
    if (!lesson.causes.empty()) {
      out << "\n### What was said most often\n\n| step | cause | times | submissions |\n"
             "|---|---|---|---|\n";
      for (std::size_t i = 0; i < std::min(lesson.causes.size(), most_causes); ++i) {
        const ClassView::Cause& cause = lesson.causes[i];
        out << "| " << cause.step << " | " << markdown(cause.cause) << " | " << cause.who.size()
            << " | " << markdown(names_text(cause.who)) << " |\n";
      }
    }
    out << "\n### Everybody, step by step\n\n| submission | points |";
    for (const ClassView::Step& step : lesson.steps) out << " " << step.id.substr(2) << " |";
    out << " behaves like |\n|---|---|";
    for (std::size_t i = 0; i < lesson.steps.size(); ++i) out << "---|";
    out << "---|\n";
    for (const ClassView::Student& student : lesson.students) {
      out << "| " << markdown(student.name) << " | " << number_text(student.score) << " |";
      for (const ClassView::Step& step : lesson.steps) {
        const auto found = student.marks.find(step.id);
        const char mark = found == student.marks.end() ? 'n' : found->second;
        out << (mark == 'p' ? " ✓ |" : mark == 'f' ? " ✗ |" : mark == 'u' ? " ○ |" : " – |");
      }
      const Resemblance& like = student.like;
      out << " " << (like.nearest.empty() ? "" : like.nearest.front().answer->name)
          << (like.besides ? ", " + like.besides->answer->name : "") << " |\n";
    }
    out << "\n✓ passed, ✗ failed, ○ not written or not built, – not judged.\n\n";
  }
  if (!view.ways.empty()) {
    out << "## From the first hand-in to the last\n\n"
           "| submission | hand-ins | first | last | hours between | points |\n"
           "|---|---|---|---|---|---|\n";
    for (const ClassView::Way& way : view.ways) {
      out << "| " << markdown(way.name) << " | " << way.hand_ins.size() << " | "
          << way.hand_ins.front().time << " | " << way.hand_ins.back().time << " | "
          << number_text(std::floor(way.hours() * 10 + 0.5) / 10) << " | "
          << number_text(way.hand_ins.front().score) << " to "
          << number_text(way.hand_ins.back().score) << " |\n";
    }
  }
  return out.str();
}

}  // namespace kit
