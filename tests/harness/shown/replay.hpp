#pragma once

// What was seen of one run of a step, in its true order: what the check did and what the programs
// called, with times. The check writes it to a file, kit-show and the picture are drawn from it.

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kit {

struct Replay {
  struct Event {
    enum class Kind { act, call, fault };
    Kind kind = Kind::act;
    std::int64_t time = 0;  ///< nanoseconds since the step began
    std::string who{};   ///< an act, the fault: a partner's name, or empty; a call: its program's
    std::string verb{};  ///< an act: "sent"; a call: "recv"
    std::string text{};  ///< as it is shown: `"hello " (6 bytes)`, `recv(4, 1024) = 6 "hello "`

    // Of a call.
    int pid = 0;
    int tid = 0;
    std::int64_t fd = -1;  ///< its first argument
    std::int64_t result = 0;
    bool returned = false;
    bool injected = false;  ///< the check had told it to fail, to wait, …
    std::string data{};     ///< the first bytes moved
  };
  struct Started {
    std::string name;  ///< "server"
    int pid = 0;
  };

  std::string id, title;
  std::uint32_t seed = 0;
  std::string status;  ///< "pass", "fail", "skip", "error"
  std::string cause;   ///< one line
  std::string expected, got, caret;
  std::vector<Started> programs;
  std::vector<std::string> partners;  ///< in the order in which they came
  std::vector<Event> events;          ///< by their times
  std::uint64_t lost = 0;             ///< calls that were gone before they could be kept

  /// As a file: a line each, its fields apart by tabs, every byte that is not plain as an escape.
  std::string text() const;
  /// The other way; nothing if it is no such text.
  static std::optional<Replay> parse(std::string_view text);
};

/// Which of the programs' processes and threads called.
class Callers {
 public:
  explicit Callers(const Replay& replay);

  /// "server", "server thread 2", "server child 1": each program, then its threads and children.
  const std::vector<std::string>& names() const { return names_; }
  /// The place of a call's among them.
  std::size_t of(const Replay::Event& call) const;

 private:
  std::vector<std::string> names_;
  std::map<std::pair<int, int>, std::size_t> places_;  // by process and thread
};

/// A row of what is shown: an event, or many.
struct ReplayRow {
  std::size_t first = 0;     ///< index of the event
  std::size_t last = 0;      ///< of a run of alike ones the last
  std::size_t times = 1;     ///< how many alike ones
  bool partners = false;     ///< the same act of one partner after the other
  std::size_t left_out = 0;  ///< not 0: stands for so many events that are not shown
};

/// The rows of a replay: alike events of one lane are one row, so is what many partners do one
/// after the other, and of more than `most` rows the first and the last are kept.
std::vector<ReplayRow> rows_of(const Replay& replay, std::size_t most);

/// What a row says, without its time and whose it is: `sent "hello " (6 bytes) ×3`.
std::string words_of(const Replay& replay, const ReplayRow& row);

/// " 0.012 s", eight columns (up to 999 seconds).
std::string clock_text(std::int64_t nanoseconds);

/// What fits into so many columns; what does not is cut, and ends with "…".
std::string cut(std::string_view text, std::size_t columns);

}  // namespace kit
