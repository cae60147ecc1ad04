#include "replay.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

#include "harness/base/escape.hpp"

namespace kit {
namespace {

constexpr std::string_view first_line = "kit-show 1";
constexpr std::array kinds = {"act", "call", "fault"};

template <typename... Fields>
std::string line_of(const Fields&... fields) {
  std::string line;
  const auto add = [&line](const auto& field) {
    if (!line.empty()) line += '\t';
    if constexpr (std::is_convertible_v<decltype(field), std::string_view>) {
      line += escape(field);
    } else {
      line += std::to_string(field);
    }
  };
  (add(fields), ...);
  return line + '\n';
}

// The fields of a line, read one after the other. What is missing or no number makes it bad.
class Fields {
 public:
  explicit Fields(std::string_view line) : rest_(line) {}

  std::string word() {
    if (over_) good_ = false;
    const std::size_t tab = rest_.find('\t');
    const auto field = unescape(rest_.substr(0, tab));
    over_ = tab == std::string_view::npos;
    rest_.remove_prefix(over_ ? rest_.size() : tab + 1);
    if (!field) good_ = false;
    return field.value_or("");
  }
  template <typename Number>
  Number number() {
    const std::string digits = word();
    Number value{};
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc{} || end != digits.data() + digits.size()) good_ = false;
    return value;
  }
  bool good() const { return good_; }

 private:
  std::string_view rest_;
  bool over_ = false;
  bool good_ = true;
};

bool alike(const Replay::Event& a, const Replay::Event& b) {
  return a.kind == b.kind && a.who == b.who && a.pid == b.pid && a.tid == b.tid &&
         a.verb == b.verb && a.text == b.text;
}

std::optional<Replay::Event> event_of(const std::string& kind, Fields& fields) {
  const auto known = std::ranges::find(kinds, kind);
  if (known == kinds.end()) return std::nullopt;
  Replay::Event event;
  event.kind = static_cast<Replay::Event::Kind>(known - kinds.begin());
  event.time = fields.number<std::int64_t>();
  event.who = fields.word();
  event.verb = fields.word();
  event.text = fields.word();
  if (event.kind != Replay::Event::Kind::call) return event;
  event.pid = fields.number<int>();
  event.tid = fields.number<int>();
  event.fd = fields.number<std::int64_t>();
  event.result = fields.number<std::int64_t>();
  event.returned = fields.number<int>() != 0;
  event.injected = fields.number<int>() != 0;
  event.data = fields.word();
  return event;
}

}  // namespace

std::string Replay::text() const {
  std::string out = std::string(first_line) + '\n';
  out += line_of("step", id, title);
  out += line_of("seed", seed);
  out += line_of("status", status);
  out += line_of("cause", cause);
  out += line_of("expected", expected);
  out += line_of("got", got);
  out += line_of("caret", caret);
  out += line_of("lost", lost);
  for (const Started& program : programs) out += line_of("program", program.name, program.pid);
  for (const std::string& partner : partners) out += line_of("partner", partner);
  for (const Event& event : events) {
    const char* const kind = kinds[static_cast<std::size_t>(event.kind)];
    out +=
        event.kind != Event::Kind::call
            ? line_of(kind, event.time, event.who, event.verb, event.text)
            : line_of(kind, event.time, event.who, event.verb, event.text, event.pid, event.tid,
                      event.fd, event.result, int{event.returned}, int{event.injected}, event.data);
  }
  return out;
}

std::optional<Replay> Replay::parse(std::string_view text) {
  Replay replay;
  bool begun = false;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return std::nullopt;  // a line that is not whole
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (!begun) {
      if (line != first_line) return std::nullopt;
      begun = true;
      continue;
    }
    Fields fields(line);
    const std::string key = fields.word();
    if (key == "step") {
      replay.id = fields.word();
      replay.title = fields.word();
    } else if (key == "seed") {
      replay.seed = fields.number<std::uint32_t>();
    } else if (key == "status") {
      replay.status = fields.word();
    } else if (key == "cause") {
      replay.cause = fields.word();
    } else if (key == "expected") {
      replay.expected = fields.word();
    } else if (key == "got") {
      replay.got = fields.word();
    } else if (key == "caret") {
      replay.caret = fields.word();
    } else if (key == "lost") {
      replay.lost = fields.number<std::uint64_t>();
    } else if (key == "program") {
      std::string name = fields.word();
      replay.programs.push_back({std::move(name), fields.number<int>()});
    } else if (key == "partner") {
      replay.partners.push_back(fields.word());
    } else if (auto event = event_of(key, fields)) {
      replay.events.push_back(std::move(*event));
    } else {
      return std::nullopt;
    }
    if (!fields.good()) return std::nullopt;
  }
  if (!begun) return std::nullopt;
  return replay;
}

Callers::Callers(const Replay& replay) {
  struct Caller {
    std::string program;
    int pid, tid;
  };
  std::vector<Caller> found;
  const auto add = [&](const std::string& program, int pid, int tid) {
    if (places_.try_emplace({pid, tid}, 0).second) found.push_back({program, pid, tid});
  };
  for (const Replay::Started& program : replay.programs)
    add(program.name, program.pid, program.pid);
  for (const Replay::Event& event : replay.events) {
    if (event.kind == Replay::Event::Kind::call) add(event.who, event.pid, event.tid);
  }
  const auto started = [&replay](const std::string& name) {
    return std::ranges::find(replay.programs, name, &Replay::Started::name);
  };
  std::ranges::stable_sort(found, [&started](const Caller& a, const Caller& b) {
    return started(a.program) < started(b.program);
  });

  std::map<int, int> children;  // of the program at hand: their numbers
  int threads = 1;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto& [program, pid, tid] = found[i];
    if (i == 0 || program != found[i - 1].program) {
      children.clear();
      threads = 1;
    }
    const auto entry = started(program);
    const int main = entry == replay.programs.end() ? pid : entry->pid;
    std::string name = program;
    if (pid != main) {
      const auto [child, first] = children.try_emplace(pid, static_cast<int>(children.size()) + 1);
      name += " child " + std::to_string(child->second) + (first ? "" : " thread");
    } else if (tid != main) {
      name += " thread " + std::to_string(++threads);
    }
    places_[{pid, tid}] = i;
    names_.push_back(std::move(name));
  }
}

std::size_t Callers::of(const Replay::Event& call) const {
  const auto known = places_.find({call.pid, call.tid});
  return known == places_.end() ? 0 : known->second;
}

namespace {
// Fifty clients that close one after the other.
std::vector<ReplayRow> joined(const Replay& replay, std::vector<ReplayRow> rows) {
  constexpr std::size_t many = 4;
  std::vector<ReplayRow> out;
  for (std::size_t i = 0; i < rows.size();) {
    const Replay::Event& first = replay.events[rows[i].first];
    std::size_t end = i + 1;
    if (first.kind == Replay::Event::Kind::act && !first.who.empty()) {
      while (end < rows.size()) {
        const Replay::Event& next = replay.events[rows[end].first];
        const bool same = next.kind == first.kind && !next.who.empty() && next.verb == first.verb &&
                          next.text == first.text;
        if (!same) break;
        ++end;
      }
    }
    if (end - i < many) {
      out.push_back(rows[i++]);
      continue;
    }
    out.push_back({.first = rows[i].first, .last = rows[end - 1].last, .partners = true});
    out.back().times = out.back().last - out.back().first + 1;
    i = end;
  }
  return out;
}
}  // namespace

std::string words_of(const Replay& replay, const ReplayRow& row) {
  const Replay::Event& event = replay.events[row.first];
  std::string words =
      event.kind == Replay::Event::Kind::call ? event.text : event.verb + ' ' + event.text;
  if (row.partners) return words + ": " + event.who + " … " + replay.events[row.last].who;
  if (row.times > 1) words += " ×" + std::to_string(row.times);
  return words;
}

std::vector<ReplayRow> rows_of(const Replay& replay, std::size_t most) {
  std::vector<ReplayRow> rows;
  for (std::size_t i = 0; i < replay.events.size(); ++i) {
    if (!rows.empty() && alike(replay.events[rows.back().first], replay.events[i])) {
      rows.back().last = i;
      ++rows.back().times;
    } else {
      rows.push_back({.first = i, .last = i});
    }
  }
  rows = joined(replay, std::move(rows));
  if (rows.size() <= most) return rows;
  // How it began is told shortly, how it ended at length.
  const std::size_t first = most * 2 / 5;
  const std::size_t last = most - first - 1;
  ReplayRow gap{.first = rows[first].first, .last = rows[rows.size() - last - 1].last};
  gap.left_out = gap.last - gap.first + 1;
  rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(first),
             rows.end() - static_cast<std::ptrdiff_t>(last));
  rows.insert(rows.begin() + static_cast<std::ptrdiff_t>(first), gap);
  return rows;
}

std::string clock_text(std::int64_t nanoseconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%6.3f s", static_cast<double>(nanoseconds) / 1e9);
  return text;
}

std::string cut(std::string_view text, std::size_t columns) {
  if (width_of(text) <= columns) return std::string(text);
  if (columns == 0) return {};
  return std::string(text.substr(0, bytes_of(text, columns - 1))) + "…";
}

}  // namespace kit
