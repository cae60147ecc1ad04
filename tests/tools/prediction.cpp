#include "prediction.hpp"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <functional>
#include <map>
#include <utility>

#include "harness/base/sources.hpp"
#include "terminal.hpp"

namespace kit {
namespace {

constexpr std::size_t columns = 80;
constexpr std::string_view answer_mark = "answer:";

std::string_view next_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
  while (!line.empty() && line.front() == ' ') line.remove_prefix(1);
  return line;
}

void append_words(std::string& text, std::string_view words) {
  if (!text.empty() && !words.empty()) text += ' ';
  text += words;
}

// "1. What …" begins question 1.
std::size_t length_of_number(std::string_view line) {
  std::size_t digits = 0;
  while (digits < line.size() && std::isdigit(static_cast<unsigned char>(line[digits])) != 0) {
    ++digits;
  }
  return digits > 0 && line.substr(digits).starts_with(". ") ? digits + 2 : 0;
}

struct Truth {
  std::string step, words;
};

// "1 01.7", and the words below it.
std::map<std::size_t, Truth> read_truths(std::string_view text) {
  std::map<std::size_t, Truth> truths;
  Truth* current = nullptr;
  while (!text.empty()) {
    const std::string_view line = next_line(text);
    const std::size_t blank = line.find(' ');
    const bool begins = blank != std::string_view::npos &&
                        line.find('.') != std::string_view::npos &&
                        line.find_first_not_of("0123456789. ") == std::string_view::npos;
    if (begins) {
      current = &truths[std::stoul(std::string(line.substr(0, blank)))];
      current->step = line.substr(blank + 1);
    } else if (current != nullptr) {
      append_words(current->words, line);
    }
  }
  return truths;
}

std::string told(const Prediction& prediction, std::size_t number) {
  std::string out = "prediction " + std::to_string(number) + ": " + prediction.question + '\n' +
                    "  you said: " + prediction.answer + '\n' + "  it is so: " + prediction.truth +
                    " (" + prediction.step + ")\n";
  std::string broken;
  for (const std::string& line : wrap(out, columns)) broken += line + '\n';
  return broken;
}

using Wanted = std::function<bool(const Prediction&, std::size_t number)>;

std::string tell(const Judge& judge, const Wanted& wanted) {
  std::string out;
  std::size_t number = 0;
  for (const Prediction& prediction : predictions(judge)) {
    ++number;
    if (prediction.written() && is_decided(judge, prediction) && wanted(prediction, number)) {
      out += told(prediction, number);
    }
  }
  return out;
}

}  // namespace

std::vector<Prediction> read_predictions(std::string_view text) {
  std::vector<Prediction> found;
  bool in_answer = false;
  while (!text.empty()) {
    std::string_view line = next_line(text);
    if (const std::size_t number = length_of_number(line); number > 0 && !line.empty()) {
      found.push_back({std::string(line.substr(number)), {}, {}, {}});
      in_answer = false;
    } else if (!found.empty() && line.starts_with(answer_mark)) {
      in_answer = true;
      line.remove_prefix(answer_mark.size());
      while (line.starts_with(' ')) line.remove_prefix(1);
      found.back().answer = line;
    } else if (!found.empty()) {
      append_words(in_answer ? found.back().answer : found.back().question, line);
    }
  }
  return found;
}

std::vector<Prediction> predictions(const Judge& judge) {
  const std::string& name = judge.lesson().name;
  const auto text = read_text(judge.desk().sources(judge.lesson()) / "predictions.txt");
  const auto kits = read_text(judge.desk().root / "tests/tools/predictions" / (name + ".txt"));
  std::vector<Prediction> found = read_predictions(text.value_or(""));
  for (auto& [number, truth] : read_truths(kits.value_or(""))) {
    if (number == 0 || number > found.size()) continue;
    found[number - 1].step = truth.step;
    found[number - 1].truth = truth.words;
  }
  return found;
}

bool is_decided(const Judge& judge, const Prediction& prediction) {
  const StepEntry* const step = judge.lesson().step(prediction.step);
  return step != nullptr && judge.known(*step).passed();
}

std::string predictions_line(const Judge& judge) {
  const std::vector<Prediction> all = predictions(judge);
  if (all.empty()) return {};
  std::size_t written = 0;
  std::size_t decided = 0;
  for (const Prediction& prediction : all) {
    if (!prediction.written()) continue;
    ++written;
    decided += is_decided(judge, prediction) ? 1 : 0;
  }
  return "predictions: " + std::to_string(written) + " of " + std::to_string(all.size()) +
         " written (predictions.txt), " + std::to_string(decided) + " decided";
}

std::string decided_predictions(const Judge& judge) {
  return tell(judge, [](const Prediction&, std::size_t) { return true; });
}

std::string newly_decided_predictions(const Judge& judge) {
  const auto file = judge.desk().kept() / (judge.lesson().number() + ".told");
  const std::string before = read_text(file).value_or("");
  std::string now;
  const std::string words = tell(judge, [&](const Prediction& prediction, std::size_t number) {
    const std::string line = std::to_string(number) + ' ' + prediction.answer + '\n';
    now += line;
    return ('\n' + before).find('\n' + line) == std::string::npos;
  });
  if (!words.empty()) std::ofstream(file) << now;
  return words;
}

}  // namespace kit
