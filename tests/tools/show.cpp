#include "show.hpp"

#include <algorithm>

#include "harness/base/escape.hpp"
#include "terminal.hpp"

namespace kit {
namespace {

using Event = Replay::Event;
using Kind = ShownRow::Kind;

constexpr std::size_t columns = 80;
constexpr std::size_t time_columns = 9;
constexpr std::size_t left_columns = 32;
constexpr std::size_t right_columns = columns - time_columns - left_columns - 3;
constexpr std::size_t most_rows = 120;
// A long line takes so many rows of its column, and is cut.
constexpr std::size_t most_lines = 4;

std::string padded(std::string text, std::size_t width) {
  const std::size_t has = width_of(text);
  if (has < width) text.append(width - has, ' ');
  return text;
}

// The first line whole, what follows indented.
std::vector<std::string> folded(const std::string& text, std::size_t width) {
  constexpr std::size_t indent = 2;
  std::vector<std::string> lines;
  for (std::string rest = text; !rest.empty();) {
    const std::size_t room = width - (lines.empty() ? 0 : indent);
    std::string line = wrap(rest, room).front();
    rest.erase(0, line.size());
    if (lines.size() + 1 == most_lines && !rest.empty()) {
      line = cut(line + rest, room);
      rest.clear();
    }
    rest.erase(0, rest.find_first_not_of(' '));
    lines.push_back((lines.empty() ? "" : std::string(indent, ' ')) + line);
  }
  return lines;
}

// As wrap(), and every line after the first begins below the text of the first.
std::vector<std::string> hanging(const std::string& lead, const std::string& text) {
  const std::size_t indent = width_of(lead);
  std::vector<std::string> lines;
  for (const std::string& line : wrap(text, columns - indent)) {
    lines.push_back((lines.empty() ? lead : std::string(indent, ' ')) + line);
  }
  if (lines.empty()) lines.push_back(lead);
  return lines;
}

// One side of a row; the other is empty.
std::vector<std::string> side(const std::string& time, const std::string& text, bool left) {
  std::vector<std::string> lines;
  for (const std::string& line : folded(text, left ? left_columns : right_columns)) {
    std::string row = padded(lines.empty() ? time : "", time_columns);
    row += padded(left ? line : "", left_columns) + " |";
    lines.push_back(left ? row : row + ' ' + line);
  }
  return lines;
}

std::vector<std::string> fault_lines(const Replay& replay, const Event& event) {
  std::string rule = padded(clock_text(event.time), time_columns) + "-- here it fails ";
  rule.append(columns - rule.size(), '-');
  std::vector<std::string> lines{rule};
  const std::string indent(time_columns, ' ');
  const auto add = [&lines](std::vector<std::string> more) {
    lines.insert(lines.end(), more.begin(), more.end());
  };
  if (!event.who.empty()) add({indent + cut(event.who, columns - time_columns)});
  add(hanging(indent + "expected  ", replay.expected));
  const std::vector<std::string> got = hanging(indent + "got       ", replay.got);
  add(got);
  if (got.size() == 1 && !replay.caret.empty()) {
    const std::string caret = indent + std::string(10, ' ') + replay.caret + "^ here";
    if (caret.size() <= columns) add({caret});
  }
  add({std::string(columns, '-')});
  return lines;
}

}  // namespace

std::vector<std::string> heading_of(const Replay& replay) {
  std::vector<std::string> lines = wrap(replay.id + ' ' + replay.title, columns);
  lines.emplace_back();
  lines.push_back(padded("", time_columns) + padded("the check", left_columns) + " | the program");
  return lines;
}

std::vector<ShownRow> columns_of(const Replay& replay) {
  const Callers callers(replay);
  std::vector<ShownRow> shown;
  for (const ReplayRow& row : rows_of(replay, most_rows)) {
    if (row.left_out > 0) {
      shown.push_back(
          {Kind::gap,
           {padded("", time_columns) + "... " + counted(row.left_out, "more event") + " ..."}});
      continue;
    }
    const Event& event = replay.events[row.first];
    const std::string time = clock_text(event.time);
    const std::string words = words_of(replay, row);
    if (event.kind == Event::Kind::fault) {
      shown.push_back({Kind::fault, fault_lines(replay, event)});
    } else if (event.kind == Event::Kind::act) {
      const bool named = replay.partners.size() > 1 && !event.who.empty() && !row.partners;
      const std::string who = named ? event.who + ": " : "";
      shown.push_back({Kind::act, side(time, who + words, true)});
    } else {
      std::string who = callers.names().size() > 1 ? callers.names()[callers.of(event)] : "";
      // Of one program its threads and children alone are named.
      if (replay.programs.size() == 1) {
        who.erase(0, std::min(who.size(), replay.programs.front().name.size()));
        who.erase(0, who.find_first_not_of(' '));
      }
      if (!who.empty()) who += ": ";
      shown.push_back({event.injected ? Kind::told : Kind::call, side(time, who + words, false)});
    }
  }
  return shown;
}

std::vector<std::string> ending_of(const Replay& replay) {
  std::vector<std::string> lines{""};
  const auto add = [&lines](const std::string& text) {
    for (std::string& line : wrap(text, columns)) lines.push_back(std::move(line));
  };
  if (replay.lost > 0) {
    add("(" + counted(static_cast<std::size_t>(replay.lost), "call") +
        " came too fast to be kept.)");
  }
  const bool calls = std::ranges::any_of(
      replay.events, [](const Event& event) { return event.kind == Event::Kind::call; });
  if (!calls) add("(No call of the program was recorded.)");
  add("The same bytes again: build/kit-show " + replay.id + " --seed " +
      std::to_string(replay.seed));
  if (replay.status == "pass") {
    add(replay.id + " passed.");
  } else {
    add(replay.id + " failed: " + replay.cause);
  }
  return lines;
}

}  // namespace kit
