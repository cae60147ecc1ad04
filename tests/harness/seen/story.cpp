#include "story.hpp"

#include <algorithm>

#include "harness/base/escape.hpp"
#include "harness/base/limits.hpp"

namespace kit {
namespace {

// Verbs are at most eight letters: "expected", "received".
std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

// A line of the story that has grown beyond this takes no more ", then".
constexpr std::size_t longest_joined = 150;

// The ready line of a server stands behind its start, from this column on.
constexpr std::size_t ready_column = 32;

// Who would type more?
constexpr std::size_t most_words = 60;

// The head of a request, or a few lines of a dialogue, perhaps with a byte that does not belong
// there: what it says is what the step is about.
bool is_short_text(std::string_view bytes) {
  constexpr std::size_t most_bytes = 5 * limits::shown_bytes;
  constexpr int most_others = 4;
  return bytes.size() <= most_bytes && bytes.find('\n') != bytes.npos &&
         std::ranges::count_if(bytes, [](char byte) {
           return (byte < ' ' || byte > '~') && byte != '\r' && byte != '\n';
         }) <= most_others;
}

}  // namespace

void Conversation::add_send(std::string_view bytes) {
  if (words.size() >= most_words) {
    exact = false;
    return;
  }
  // A text of several lines is sent line by line, where nobody counts the sends.
  while (!datagrams && bytes.size() > limits::shown_bytes && is_short_text(bytes)) {
    const std::size_t newline = bytes.rfind('\n', limits::shown_bytes - 1);
    const std::size_t size = newline == bytes.npos ? limits::shown_bytes : newline + 1;
    words.push_back("--send");
    words.push_back(shell_quoted(bytes.substr(0, size)));
    bytes.remove_prefix(size);
  }
  if (bytes.size() > limits::shown_bytes) {
    // Too long for a command line: as many letters.
    exact = exact && std::ranges::all_of(bytes, [](char c) { return c >= 'a' && c <= 'z'; });
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
  if (onlooker_ != nullptr) onlooker_->begins();
}

void Story::add(std::string_view verb, std::string_view text, std::string_view who) {
  ++acts_;
  const std::string shown = escape_text(text);
  if (onlooker_ != nullptr) onlooker_->act(verb, shown, who);
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
  // How a program ended is told with its own words.
  lines_.back().rows.back().whole = verb == "ended";
}

void Story::add_failure(std::string_view expected, std::string_view got, std::string_view caret,
                        std::string_view who) {
  if (onlooker_ != nullptr) onlooker_->failure(escape_text(expected), escape_text(got), caret, who);
  Row came{"got", escape_text(got)};
  if (!caret.empty()) came.caret = caret.size() + 1;
  Row wanted{"expected", escape_text(expected)};
  wanted.keep = came.keep = came.caret;
  wanted.whole = came.whole = came.caret == 0;
  lines_.push_back({std::string(who), {std::move(wanted), std::move(came)}});
}

void Story::continue_ready(std::string_view line) {
  if (onlooker_ != nullptr) onlooker_->act("ready", escape_text(line), {});
  for (auto one = lines_.rbegin(); one != lines_.rend(); ++one) {
    if (one->rows.front().verb != "started") continue;
    one->rows.front().ready = escape_text(line);
    return;
  }
}

void Story::continue_last(std::string_view verb, std::string_view text) {
  if (lines_.empty()) return add(verb, text);
  lines_.back().rows.push_back({std::string(verb), escape_text(text)});
}

// One act, numbered.
std::vector<std::string> Story::laid_out(std::size_t index, std::size_t columns) const {
  constexpr std::size_t verb_width = 9;
  const Line& act = lines_[index];
  const std::string number = std::to_string(index + 1);
  std::string lead =
      (number.size() < 3 ? std::string(5 - number.size(), ' ') : "  ") + number + ". ";
  const std::string who = actors_ > 1 && !act.who.empty() ? act.who + ": " : "";
  std::vector<std::string> lines;
  for (const Row& row : act.rows) {
    // What stands below stays aligned with the first row.
    const std::string below(lead.size() + verb_width + who.size(), ' ');
    const std::string name = lines.empty() ? who : std::string(who.size(), ' ');
    std::string text = row.text;
    if (act.joined > 1) text += ", and " + std::to_string(act.joined - 1) + " more";
    const std::size_t room = columns - std::min(below.size(), columns / 2);
    std::vector<std::string> parts =
        row.whole ? broken_lines(text, room) : in_lines(text, room, row.keep);
    if (!row.ready.empty()) {
      const std::string both = padded(parts.back(), ready_column) +
                               (parts.back().size() < ready_column ? "" : "  ") + row.ready;
      const bool fits = below.size() + width_of(both) <= columns;
      if (fits) parts.back() = both;
      for (std::string& part :
           fits ? std::vector<std::string>{} : in_lines(row.ready, columns - below.size())) {
        parts.push_back(std::move(part));
      }
    }
    if (row.caret > 0) parts.insert(parts.begin() + 1, std::string(row.caret - 1, ' ') + "^ here");
    for (const std::string& part : parts) {
      lines.push_back(
          (&part == &parts.front() ? lead + padded(row.verb, verb_width) + name : below) + part);
    }
    lead = std::string(lead.size(), ' ');
  }
  return lines;
}

std::string Story::text(std::size_t columns, std::size_t most) const {
  const std::size_t count = lines_.size();
  std::vector<std::string> acts(count);
  std::vector<std::size_t> height(count);
  // Of many acts only the first and the last are looked at.
  const auto lay_out = [&](std::size_t i) {
    if (height[i] > 0) return height[i];
    for (const std::string& line : laid_out(i, columns)) {
      acts[i] += line + '\n';
      ++height[i];
    }
    return height[i];
  };
  const std::size_t first = std::min(count, limits::story_first);
  std::size_t used = 0;
  for (std::size_t i = 0; i < first; ++i) used += lay_out(i);
  // (To leave out one act spares nothing.)
  const bool all = count <= first + limits::story_last + 1;
  const std::size_t last = all ? count - first : limits::story_last;
  std::size_t from = count;
  while (from > first && count - from < last) {
    const std::size_t with = used + lay_out(from - 1);
    const std::size_t gap = from - 1 > first ? 1 : 0;
    if (from < count && with + gap > most) break;  // the last act is always told
    used = with;
    --from;
  }
  std::string out;
  for (std::size_t i = 0; i < first; ++i) out += acts[i];
  if (from > first) out += "       ... " + std::to_string(from - first) + " more like these ...\n";
  for (std::size_t i = from; i < count; ++i) out += acts[i];
  return out;
}

}  // namespace kit
