#include "story.hpp"

#include <algorithm>

#include "escape.hpp"
#include "limits.hpp"
#include "witness.hpp"

namespace kit {
namespace {

// Verbs are at most eight letters: "expected", "received".
std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

// A line of the story that has grown beyond this takes no more ", then".
constexpr std::size_t longest_joined = 150;

// Who would type more?
constexpr std::size_t most_words = 60;

}  // namespace

void Conversation::add_send(std::string_view bytes) {
  if (words.size() >= most_words) {
    ++left_out;
    return;
  }
  if (bytes.size() > limits::shown_bytes) {
    // Too long for a command line: as many bytes of another kind.
    words.push_back("--fill");
    words.push_back(std::to_string(bytes.size()));
  } else {
    words.push_back("--send");
    words.push_back(shell_quoted(bytes));
  }
}

void Conversation::add_pause() {
  if (!words.empty() && words.back() != "--pause") add("--pause");
}

void Story::begins() {
  if (witness_ != nullptr) witness_->begins();
}

void Story::add(std::string_view verb, std::string_view text, std::string_view who) {
  ++acts_;
  const std::string shown = escape_text(text);
  if (witness_ != nullptr) witness_->act(verb, shown, who);
  if (!lines_.empty()) {
    Line& last = lines_.back();
    Row& row = last.rows.back();
    const bool joins = verb == "sent" || verb == "received" || verb == "opened";
    if (joins && last.rows.size() == 1 && last.who == who && row.verb == verb) {
      if (row.text.size() + shown.size() < longest_joined) {
        row.text += ", then " + shown;
      } else {
        ++last.joined;
      }
      return;
    }
  }
  lines_.push_back({std::string(who), {{std::string(verb), shown}}});
}

void Story::add_failure(std::string_view expected, std::string_view got, std::string_view caret,
                        std::string_view who) {
  if (witness_ != nullptr) witness_->failure(escape_text(expected), escape_text(got), caret, who);
  Line line{std::string(who), {{"expected", escape_text(expected)}, {"got", escape_text(got)}}};
  if (!caret.empty()) line.rows.push_back({"", std::string(caret) + "^ here"});
  lines_.push_back(std::move(line));
}

void Story::continue_ready(std::string_view line) {
  constexpr std::size_t column = 32;
  if (witness_ != nullptr) witness_->act("ready", escape_text(line), {});
  for (auto one = lines_.rbegin(); one != lines_.rend(); ++one) {
    if (one->rows.front().verb != "started") continue;
    std::string& text = one->rows.front().text;
    text = padded(text, column) + (text.size() < column ? "" : "  ") + escape_text(line);
    return;
  }
}

void Story::continue_last(std::string_view verb, std::string_view text) {
  if (lines_.empty()) return add(verb, text);
  lines_.back().rows.push_back({std::string(verb), escape_text(text)});
}

std::string Story::text() const {
  std::string out;
  const std::size_t count = lines_.size();
  const bool long_story = count > limits::story_first + limits::story_last + 1;
  for (std::size_t i = 0; i < count; ++i) {
    if (long_story && i == limits::story_first) {
      const std::size_t left_out = count - limits::story_first - limits::story_last;
      out += "       ... " + std::to_string(left_out) + " more like these ...\n";
      i = count - limits::story_last;
    }
    const Line& line = lines_[i];
    const std::string number = std::to_string(i + 1);
    std::string lead =
        (number.size() < 3 ? std::string(5 - number.size(), ' ') : "  ") + number + ". ";
    for (const Row& row : line.rows) {
      out += lead + padded(row.verb, 9);
      const bool named = actors_ > 1 && !line.who.empty() && &row == &line.rows.front();
      if (named) out += line.who + ": ";
      // What stands below stays aligned with the first row.
      if (actors_ > 1 && !line.who.empty() && !named) {
        out += std::string(line.who.size() + 2, ' ');
      }
      out += row.text;
      if (line.joined > 1) out += ", and " + std::to_string(line.joined - 1) + " more";
      out += '\n';
      lead = "       ";
    }
  }
  return out;
}

}  // namespace kit
