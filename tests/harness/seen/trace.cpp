// The last calls of a program as lines of a report: what repeats itself is told once.

#include <algorithm>
#include <set>
#include <utility>

#include "harness/base/escape.hpp"
#include "recorder_log.hpp"

namespace kit {
namespace {

using recorder::Action;

// An entry of a trace, which may stand for several calls: what stands before its descriptor, the
// descriptor, and the rest; or all of it as `before`, where there is none.
struct Told {
  std::string before{}, after{};
  std::string who{};       // "[1234] ", if there are several processes
  bool continues = false;  // it belongs to the row that began above
  bool begins = false;     // a row that takes several lines
  std::int64_t fd = -1;
  std::size_t calls = 1;
  std::size_t injected = 0;  // how many of them the check had a hand in

  std::string text() const { return before + (fd < 0 ? "" : std::to_string(fd)) + after; }
  bool same_as(const Told& other) const {
    return fd == other.fd && before == other.before && after == other.after && who == other.who;
  }
  // The same, of another descriptor perhaps.
  bool like(const Told& other) const {
    return fd >= 0 && other.fd >= 0 && before == other.before && after == other.after &&
           who == other.who;
  }
};

std::string cut_to(std::string text, std::size_t columns) {
  if (width_of(text) <= columns) return text;
  return text.substr(0, bytes_of(text, columns - 1)) + "…";
}

Told told(const CallRecord& call, bool says_who, std::size_t columns) {
  Told entry;
  entry.who = says_who ? '[' + std::to_string(call.pid) + "] " : "";
  // Room for " ×1,000" behind it; of what is too wide, the bytes are cut, and not what follows.
  constexpr std::size_t number = 8;
  const std::size_t room = columns - entry.who.size() - number;
  CallRecord shown = call;
  while (width_of(shown.text()) > room && shown.is(Calls::any_recv) && shown.data.size() > 4) {
    shown.data.resize(shown.data.size() - 1);
  }
  const std::string text = cut_to(shown.text(), room);
  entry.injected = call.injected == Action::none ? 0 : 1;
  const std::size_t open = text.find('(') + 1;
  const std::string fd = std::to_string(call.arguments[0]);
  const bool has_descriptor = !call.is(Calls::any_wait | Calls::any_reap | Calls::umask) &&
                              call.arguments[0] >= 0 &&
                              std::string_view(text).substr(open).starts_with(fd);
  entry.before = has_descriptor ? text.substr(0, open) : text;
  if (has_descriptor) {
    entry.fd = call.arguments[0];
    entry.after = text.substr(open + fd.size());
  }
  return entry;
}

// How often the `length` entries from `at` on come one after the other.
std::size_t repeats(const std::vector<Told>& calls, std::size_t at, std::size_t length) {
  std::size_t times = 1;
  for (; at + (times + 1) * length <= calls.size(); ++times) {
    for (std::size_t i = 0; i < length; ++i) {
      const bool one_process = calls[at + i].who == calls[at].who;
      if (!one_process || !calls[at + i].same_as(calls[at + times * length + i])) return times;
    }
  }
  return times;
}

// The same call again and again is told once, and so is a row of up to four calls: (a   b) ×9; the
// same of one descriptor after the other: close(5…54) = 0 ×50.
std::vector<Told> without_repeats(const std::vector<Told>& calls, std::size_t columns) {
  constexpr std::size_t longest_row = 4;
  constexpr std::size_t least_alike = 4;
  std::vector<Told> result;
  for (std::size_t at = 0; at < calls.size();) {
    std::size_t row = 1;
    std::size_t times = repeats(calls, at, 1);
    while (times == 1 && ++row <= longest_row) {
      times = repeats(calls, at, row);
      if (times == 2) times = 1;  // twice the same few calls are told as they are
    }
    const auto injected = [&](std::size_t from, std::size_t count) {
      std::size_t sum = 0;
      for (std::size_t i = 0; i < count; ++i) sum += calls[from + i].injected;
      return sum;
    };
    if (times > 1) {
      // A row that has room in one line stays in one.
      const std::string many = (row > 1 ? ") ×" : " ×") + with_commas(times);
      Told all{.before = row > 1 ? "(" : "", .who = calls[at].who, .calls = row * times};
      std::vector<Told> each;
      for (std::size_t i = 0; i < row; ++i) {
        const std::size_t by_check = calls[at + i].injected * times;
        const std::string text = calls[at + i].text();
        all.before += (i == 0 ? "" : "   ") + text;
        all.injected += by_check;
        each.push_back({.before = (i == 0 && row > 1 ? "(" : "") + text,
                        .who = calls[at].who,
                        .continues = i > 0,
                        .begins = i == 0 && row > 1,
                        .calls = times,
                        .injected = by_check});
      }
      all.before += many;
      each.back().before += many;
      if (all.who.size() + width_of(all.before) <= columns) each = {std::move(all)};
      result.insert(result.end(), each.begin(), each.end());
      at += row * times;
      continue;
    }
    std::size_t alike = 1;
    Told entry = calls[at];
    std::int64_t most = entry.fd;
    while (at + alike < calls.size() && calls[at].like(calls[at + alike])) {
      entry.fd = std::min(entry.fd, calls[at + alike].fd);
      most = std::max(most, calls[at + alike].fd);
      ++alike;
    }
    if (alike < least_alike) {
      result.push_back(calls[at++]);
      continue;
    }
    entry.after = "…" + std::to_string(most) + entry.after + " ×" + with_commas(alike);
    result.push_back({.before = entry.text(),
                      .who = entry.who,
                      .calls = alike,
                      .injected = injected(at, alike)});
    at += alike;
  }
  return result;
}

// As many to a line as there is room for.
struct TraceLine {
  std::string text;
  bool continues = false;  // its first entry belongs to a row that began above
  std::size_t calls = 0, injected = 0;
};
std::vector<TraceLine> in_trace_lines(const std::vector<Told>& entries,
                                      const RecorderLog::Layout& layout) {
  constexpr std::size_t gap = 3;
  std::vector<TraceLine> lines;
  std::string who;
  for (const Told& entry : entries) {
    // Whose call it is, where that is another than the one before.
    std::string text = (entry.who == who ? "" : entry.who) + entry.text();
    if (lines.empty() || entry.begins ||
        width_of(lines.back().text) + gap + width_of(text) > layout.columns) {
      text = entry.who + entry.text();
      lines.push_back({std::string(layout.indent, ' '), entry.continues});
    } else {
      lines.back().text += std::string(gap, ' ');
    }
    who = entry.who;
    lines.back().text += text;
    lines.back().calls += entry.calls;
    lines.back().injected += entry.injected;
  }
  return lines;
}

}  // namespace

std::string RecorderLog::text(Layout layout) const {
  std::vector<CallRecord> last = records(layout.last);
  std::vector<CallRecord> first = first_records();
  const std::uint64_t from = last.empty() ? 0 : last.front().sequence;
  std::erase_if(first, [from](const CallRecord& call) { return call.sequence >= from; });
  const std::uint64_t between =
      last.empty() ? 0 : from - 1 - std::min<std::uint64_t>(from - 1, first.size());
  for (CallRecord& record : under_way()) last.push_back(std::move(record));
  if (between == 0) {
    last.insert(last.begin(), first.begin(), first.end());
    first.clear();
  }
  std::set<int> processes;
  for (const CallRecord& record : first) processes.insert(record.pid);
  for (const CallRecord& record : last) processes.insert(record.pid);
  const auto lines_of = [&](const std::vector<CallRecord>& calls) {
    std::vector<Told> entries;
    for (const CallRecord& call : calls) {
      entries.push_back(told(call, processes.size() > 1, layout.columns - layout.indent));
    }
    return in_trace_lines(without_repeats(entries, layout.columns - layout.indent), layout);
  };

  // The first few lines, how many calls are left out, and the last lines.
  constexpr std::size_t first_lines = 3;
  std::vector<TraceLine> head = lines_of(first);
  std::vector<TraceLine> tail = lines_of(last);
  const bool in_one = first.empty();
  if (in_one) std::swap(head, tail);
  const bool cut = !in_one || (layout.lines > 0 && head.size() > layout.lines);
  std::uint64_t left_out = between;
  std::uint64_t injected = 0;
  const auto leave_out = [&](std::vector<TraceLine>& lines, std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i)
      left_out += lines[i].calls, injected += lines[i].injected;
    lines.erase(lines.begin() + static_cast<long>(begin), lines.begin() + static_cast<long>(end));
  };
  if (cut) {
    // A row is told whole, or not at all.
    const auto row_begin = [](const std::vector<TraceLine>& lines, std::size_t at) {
      while (at > 0 && at < lines.size() && lines[at].continues) --at;
      return at;
    };
    const auto row_end = [](const std::vector<TraceLine>& lines, std::size_t at) {
      while (at < lines.size() && lines[at].continues) ++at;
      return at;
    };
    const std::size_t shown = row_begin(head, std::min(first_lines, head.size()));
    if (in_one) {
      tail.assign(head.begin() + static_cast<long>(shown), head.end());
      head.resize(shown);
    }
    leave_out(head, shown, head.size());
    const std::size_t room = layout.lines == 0 ? tail.size() : layout.lines - head.size() - 1;
    if (tail.size() > room) leave_out(tail, 0, row_end(tail, tail.size() - room));
  }
  std::string text;
  for (const TraceLine& line : head) text += line.text + '\n';
  if (cut) {
    text += std::string(layout.indent, ' ') + "… " + counted(left_out, "more call") +
            (injected > 0 ? ", " + with_commas(injected) + " of them told, cut or held by the check"
                          : "") +
            " …\n";
  }
  for (const TraceLine& line : tail) text += line.text + '\n';
  return text;
}

}  // namespace kit
