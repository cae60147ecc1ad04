#include "known.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <fstream>
#include <functional>
#include <sstream>

namespace kit {
namespace {

/// What two red cells have in common, if their words have nothing.
constexpr double same_step = 0.3;
/// A step that the submission fails and the known answer does not: a second fault may be the
/// reason.
constexpr double weight_of_more = 0.6;
/// Below this likeness nothing is said.
constexpr double least_likeness = 0.35;
/// Two answers as near as this cannot be told apart.
constexpr double no_difference = 0.01;
/// What a word weighs that no known answer's report has: mostly one of the program's own.
constexpr double weight_of_the_unknown = 0.5;

std::vector<std::string> fields_of(std::string_view line) {
  std::vector<std::string> fields(1);
  for (const char c : line) {
    if (c == '\t') {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  return fields;
}

/// "    3. sent …" -> "3".
std::string act_number(std::string_view line) {
  const std::size_t begin = line.find_first_not_of(' ');
  if (begin == std::string_view::npos) return {};
  const std::size_t end = line.find_first_not_of("0123456789", begin);
  if (end == std::string_view::npos || end == begin || line[end] != '.') return {};
  return std::string(line.substr(begin, end - begin));
}

void add_words(std::set<std::string>& words, const std::string& prefix, std::string_view text) {
  std::istringstream in(steady_words(text));
  for (std::string word; in >> word;) words.insert(prefix + word);
}

}  // namespace

bool is_unwritten(const StepGrade& step) {
  for (const char* begin : {"not written", "does not build", "nothing was handed in"}) {
    if (step.cause.starts_with(begin)) return true;
  }
  return false;
}

std::string steady_words(std::string_view cause) {
  std::string words;
  bool quoted = false;
  for (const char c : cause) {
    if (c == '"') quoted = !quoted;
    const auto byte = static_cast<unsigned char>(c);
    const bool kept = !quoted && (std::isalpha(byte) != 0 || c == '_');
    if (kept) {
      words += static_cast<char>(std::tolower(byte));
    } else if (!words.empty() && words.back() != ' ') {
      words += ' ';
    }
  }
  while (words.ends_with(' ')) words.pop_back();
  return words;
}

std::set<std::string> telling_words(std::string_view cause, std::string_view report) {
  std::set<std::string> words;
  add_words(words, "cause ", cause);
  std::istringstream in{std::string(report)};
  std::string section;
  std::string last;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("  ") && line.size() > 2 && line[2] != ' ') {
      section = line.substr(2);
      if (section == "likely cause" || section == "where to look") break;
    } else if (section == "what happened") {
      add_words(words, "story ", line);
      if (const std::string act = act_number(line); !act.empty()) last = act;
    } else if (!section.empty()) {
      add_words(words, "call ", line);
      if (line.find("= -1") != std::string::npos) words.insert("call failed");
    }
  }
  words.insert("came to " + last);
  return words;
}

KnownAnswers KnownAnswers::parse(std::string_view text) {
  std::vector<std::shared_ptr<KnownAnswer>> answers;
  std::string step, cause, report;
  const auto keep = [&] {
    if (!step.empty()) answers.back()->red[step] = telling_words(cause, report);
    step.clear();
    report.clear();
  };
  std::istringstream in{std::string(text)};
  for (std::string line; std::getline(in, line);) {
    const std::vector<std::string> fields = fields_of(line);
    if (fields[0] == "said" && fields.size() >= 2) {
      report += fields[1] + "\n";
      continue;
    }
    keep();
    if (fields[0] == "answer" && fields.size() >= 4) {
      answers.push_back(
          std::make_shared<KnownAnswer>(KnownAnswer{fields[1], fields[2], fields[3], {}}));
    } else if (fields[0] == "red" && fields.size() >= 3 && !answers.empty()) {
      step = fields[1];
      cause = fields[2];
    }
  }
  keep();
  KnownAnswers known;
  known.answers_.assign(answers.begin(), answers.end());
  known.weigh();
  return known;
}

KnownAnswers KnownAnswers::read(const std::filesystem::path& file) {
  std::ostringstream text;
  if (std::ifstream in(file, std::ios::binary); in) text << in.rdbuf();
  return parse(text.str());
}

void KnownAnswers::weigh() {
  std::map<std::string, double> count;
  for (const KnownAnswerPointer& answer : answers_) {
    for (const auto& [step, said] : answer->red) {
      for (const std::string& word : said) count[step + ' ' + word] += 1;
    }
  }
  for (const auto& [word, times] : count) {
    rarity_[word] = std::log(1 + static_cast<double>(answers_.size()) / times);
  }
}

double KnownAnswers::likeness(const Evidence& seen, const KnownAnswer& answer) const {
  double common = 0;
  double all = 0;
  for (const auto& [step, said] : answer.red) {
    const auto red = seen.red.find(step);
    if (red == seen.red.end()) {
      all += seen.passed.contains(step) ? 1 : 0;
      continue;
    }
    double both = 0;
    double either = 0;
    const auto weight = [&, at = &step](const std::string& word) {
      const auto found = rarity_.find(*at + ' ' + word);
      return found == rarity_.end() ? weight_of_the_unknown : found->second;
    };
    for (const std::string& word : said) {
      either += weight(word);
      both += red->second.contains(word) ? weight(word) : 0;
    }
    for (const std::string& word : red->second) either += said.contains(word) ? 0 : weight(word);
    all += 1;
    common += same_step + (1 - same_step) * (either > 0 ? both / either : 1);
  }
  for (const auto& [step, said] : seen.red) {
    all += answer.red.contains(step) ? 0 : weight_of_more;
  }
  return all > 0 ? common / all : 0;
}

std::vector<Likeness> KnownAnswers::nearest(const Evidence& seen) const {
  std::vector<Likeness> all;
  for (const KnownAnswerPointer& answer : answers_) {
    const double share = likeness(seen, *answer);
    if (share >= least_likeness) all.push_back({answer, share});
  }
  std::ranges::stable_sort(all, std::greater<>{}, &Likeness::share);
  while (!all.empty() && all.back().share < all.front().share - no_difference) all.pop_back();
  return all;
}

Resemblance KnownAnswers::of(const LessonGrade& lesson) const {
  Evidence seen;
  for (const StepGrade& step : lesson.steps) {
    if (step.status == "pass") seen.passed.insert(step.id);
    if (step.status == "fail" && !is_unwritten(step)) {
      seen.red[step.id] = telling_words(step.cause, step.report);
    }
  }
  if (seen.red.empty()) return {};
  Resemblance result{nearest(seen), {}};
  if (result.nearest.empty()) return result;
  // What the nearest leaves over may be a fault of its own.
  const KnownAnswerPointer first = result.nearest.front().answer;
  for (const auto& [step, said] : first->red) seen.red.erase(step);
  if (seen.red.empty()) return result;
  const std::vector<Likeness> more = nearest(seen);
  if (!more.empty() && more.front().answer != first) result.besides = more.front();
  return result;
}

}  // namespace kit
