#include "by_hand.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <deque>
#include <memory>
#include <stdexcept>

#include "harness/kernel/events.hpp"
#include "harness/processes/process.hpp"
#include "harness/processes/sandbox.hpp"

namespace kit {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr std::string_view in_background = " &";
constexpr std::string_view stays = " --hold";
constexpr std::string_view talk = "build/kit-talk ";
constexpr std::string_view lessons = "build/lessons/";
constexpr std::string_view printed_port = "9999";
constexpr std::string_view printed_path = "/tmp/kit.sock";

/// For what comes in any case, on however busy a machine.
constexpr milliseconds patience{20'000};
/// What else a program might do once everything has come that should. Waited for only where nothing
/// else is wrong.
constexpr milliseconds a_little_more{1'000};

std::string_view next_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == text.npos ? text.size() : end + 1);
  return line;
}

/// Without the line's indentation.
std::string_view bare(std::string_view line) {
  return line.substr(std::min(line.find_first_not_of(' '), line.size()));
}

bool is_talk(std::string_view line) {
  return line.starts_with(talk);
}

void replace_all(std::string& text, std::string_view what, std::string_view with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != text.npos; at += with.size()) {
    text.replace(at, what.size(), with);
  }
}

/// What stays until the other side goes, goes by itself: so all of an answer comes to an end.
ByHand without_hold(ByHand lines) {
  const auto goes = [](std::string& line) {
    const std::size_t at = line.rfind(stays);
    if (at != line.npos && is_talk(line)) line.erase(at, stays.size());
  };
  goes(lines.first);
  std::ranges::for_each(lines.others, goes);
  return lines;
}

/// The lines, being typed.
class Session {
 public:
  /// `longest`: what nothing comes of for so long is given up.
  Session(const fs::path& kit_talk, const fs::path& programs, milliseconds longest)
      : kit_talk_(fs::absolute(kit_talk)), programs_(fs::absolute(programs)), longest_(longest) {}

  /// Types all of them. A line that is not the last, and does not run in the background, is waited
  /// for.
  void type(const ByHand& lines) {
    start(lines.first);
    if (lines.others.empty()) return;
    Process& first = *typed_.front().process;
    const bool listens = wait_until(
        [&first] { return !first.running() || first.out().head().find('\n') != std::string::npos; },
        after(patience));
    const std::string_view said = first.out().head();
    if (!listens || said.find('\n') == said.npos) return;  // then nobody is there to be talked to
    const std::string_view ready = said.substr(0, said.find('\n'));
    port_ = ready.substr(ready.rfind(':') + 1);
    for (const std::string& line : lines.others) {
      start(line);
      if (&line == &lines.others.back()) break;
      const Typed& typed = typed_.back();
      wait_until([&typed] { return !typed.process->running() || typed.has_sent(); },
                 after(longest_));
    }
  }

  /// Waits until they have all ended, but for a server. @returns whether they have
  bool wait_for_the_end() {
    return wait_until(
        [this] {
          return std::ranges::none_of(typed_, [this](const Typed& one) {
            return one.process->running() && (&one != &typed_.front() || one.talks);
          });
        },
        after(patience));
  }

  [[nodiscard]] std::vector<Seen> seen() const {
    std::vector<Seen> all;
    for (const Typed& one : typed_) {
      const std::string_view printed = one.process->out().head();
      Seen seen;
      if (one.talks) {
        seen = seen_in(printed, one.asks ? ':' + port_ : "");
      } else if (&one != &typed_.front()) {
        seen.last_words = printed;  // what a client prints
      }
      if (const auto& exit = one.process->exit()) {
        seen.ended = true;
        seen.status = exit->signal != 0 ? 128 + exit->signal : exit->code;
      }
      all.push_back(std::move(seen));
    }
    return all;
  }

 private:
  struct Typed {
    std::unique_ptr<Process> process;
    bool talks = false;
    bool asks = false;      // in datagrams, at a port
    bool waits = true;      // the next line is typed when it has ended
    std::size_t sends = 0;  // how often it sends

    [[nodiscard]] bool has_sent() const {
      if (waits) return false;
      std::size_t count = 0;
      std::string_view printed = process->out().head();
      while (!printed.empty()) count += next_line(printed).starts_with("sent ") ? 1 : 0;
      return count >= sends;
    }
  };

  void start(std::string line) {
    Typed typed;
    if (line.ends_with(in_background)) {
      typed.waits = false;
      line.resize(line.size() - in_background.size());
    }
    typed.talks = is_talk(line);
    typed.asks = typed.talks && line.find(" --udp") != line.npos &&
                 line.find(" --listen") == line.npos && line.find("unix:") == line.npos;
    for (const std::string_view act : {" --send ", " --fill "}) {
      for (std::size_t at = 0; (at = line.find(act, at)) != line.npos; at += act.size()) {
        ++typed.sends;
      }
    }
    replace_all(line, printed_path, place_.folder() + "/kit.sock");
    for (const std::string before : {":", "--port "}) {
      replace_all(line, before + std::string(printed_port), before + port_);
    }
    ProcessOptions options = place_.options();
    options.limits.address_space = 0;  // sanitizers reserve terabytes
    const fs::path program = program_of(line);
    options.command = {"/bin/sh", "-c",
                       "exec \"$KIT_TYPED\"" + line.substr(std::min(line.find(' '), line.size()))};
    options.fixed_addresses = program.parent_path().filename() == "raced";
    options.environment = {"KIT_TYPED=" + place_.reachable(program.string()),
                           "KIT_DEADLINE_MS=" + std::to_string(longest_.count()),
                           "ASAN_OPTIONS=detect_leaks=0"};
    typed.process = std::make_unique<Process>(options);
    typed_.push_back(std::move(typed));
  }

  /// The program that the line names. (A candidate is built as the step needs it.)
  [[nodiscard]] fs::path program_of(std::string_view line) const {
    if (is_talk(line)) return kit_talk_;
    std::string_view path = line.substr(0, line.find(' '));
    if (!path.starts_with(lessons)) {
      throw std::runtime_error("a line that nobody understands: " + std::string(line));
    }
    path.remove_prefix(lessons.size());
    path.remove_prefix(path.find('/') + 1);
    for (const char* build : {"", "checked", "raced"}) {
      const fs::path file = programs_ / build / path;
      if (fs::exists(file)) return file;
    }
    throw std::runtime_error("there is no " + std::string(path) + " in " + programs_.string());
  }

  fs::path kit_talk_, programs_;
  milliseconds longest_;
  std::string port_ = "0";
  Sandbox place_;
  std::deque<Typed> typed_;  // ended before their place is
};

/// In words, for whoever reads why.
std::string told(const Seen& seen) {
  std::string text = '"' + seen.bytes + '"';
  if (!seen.last_words.empty()) text += ", \"" + seen.last_words + '"';
  if (seen.ended) text += ", exit " + std::to_string(seen.status);
  return text;
}

/// All that is there is also there in the other.
bool begins(const Seen& whole, const Seen& part) {
  if (part.count > whole.count) return false;
  return whole.cut || part.cut || std::string_view(whole.bytes).starts_with(part.bytes);
}

/// What a person sees that is other than it should be, and stays so; "" if nothing is yet.
/// `ends`: how those end that stay until the other side goes is compared, too.
std::string difference_of(const std::vector<Seen>& right, const std::vector<Seen>& wrong,
                          bool ends) {
  for (std::size_t i = 0; i < wrong.size() && i < right.size(); ++i) {
    const Seen& should = right[i];
    const Seen& is = wrong[i];
    const bool over = is.ended || !is.last_words.empty();
    if (!begins(should, is) || (over && is.count < should.count)) {
      return told(is) + ", not " + told(should);
    }
    if (should.stays && !ends) continue;
    if (is.ended &&
        (!should.ended || is.status != should.status || is.last_words != should.last_words)) {
      return told(is) + ", not " + told(should);
    }
  }
  return {};
}

/// The same of what has not come after a while.
std::string missing_of(const std::vector<Seen>& right, const std::vector<Seen>& wrong, bool ends) {
  if (wrong.size() < right.size()) return "nobody listens";
  for (std::size_t i = 0; i < wrong.size(); ++i) {
    const Seen& should = right[i];
    const Seen& is = wrong[i];
    if (is.count < should.count || (should.ended && !is.ended && (ends || !should.stays))) {
      return told(is) + ", and then nothing, not " + told(should);
    }
  }
  return {};
}

bool all_came(const std::vector<Seen>& right, const std::vector<Seen>& now) {
  return now.size() == right.size() && missing_of(right, now, false).empty();
}

}  // namespace

std::optional<ByHand> lines_by_hand(std::string_view report) {
  constexpr std::string_view begin = "\n    or, without the check";
  constexpr std::string_view in_another = "in another:";
  constexpr std::string_view goes_on = " \\";
  const std::size_t at = report.find(begin);
  if (at == report.npos) return std::nullopt;
  report.remove_prefix(at + 1);
  next_line(report);
  std::vector<std::string> lines;
  bool continued = false;
  while (report.starts_with("    ")) {
    std::string_view line = bare(next_line(report));
    if (line == in_another) continue;
    const bool more = line.ends_with(goes_on);
    if (more) line.remove_suffix(goes_on.size());
    if (continued) {
      lines.back() += ' ' + std::string(line);
    } else {
      lines.emplace_back(line);
    }
    continued = more;
  }
  if (lines.empty()) return std::nullopt;
  return ByHand{lines.front(), {lines.begin() + 1, lines.end()}};
}

Seen seen_in(std::string_view printed, std::string_view asked) {
  Seen seen;
  while (!printed.empty()) {
    std::string_view line = next_line(printed);
    constexpr std::string_view received = "received ";
    constexpr std::string_view datagram = "datagram ";
    if (!line.starts_with(received)) continue;
    line = bare(line.substr(received.size()));
    if (line.starts_with(datagram)) {
      seen.bytes += line.ends_with(asked) ? "|" : "|from another: ";
      line = line.substr(datagram.size(), line.rfind(" from ") - datagram.size());
    }
    if (!line.starts_with('"')) {
      seen.last_words = line.starts_with("nothing") ? "nothing" : line;
      continue;
    }
    const std::size_t end = line.rfind('"');
    const std::string_view number = line.substr(line.rfind('(') + 1);
    std::string digits(number.substr(0, number.find(' ')));
    std::erase(digits, ',');
    std::size_t count = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), count);
    seen.count += count;
    seen.cut = seen.cut || line.substr(end).starts_with("\"...");
    seen.bytes += line.substr(1, end - 1);
  }
  return seen;
}

std::string seen_by_hand(const ByHand& lines, const fs::path& kit_talk, const fs::path& right,
                         const fs::path& wrong, milliseconds long_enough) {
  const Signals signals;
  std::vector<Seen> should;
  {
    Session session(kit_talk, right, patience);
    session.type(without_hold(lines));
    if (!session.wait_for_the_end()) throw std::runtime_error("the right answer does not end");
    should = session.seen();
    if (should.size() <= lines.others.size()) throw std::runtime_error("the right answer ends");
  }
  for (std::size_t i = 0; i < should.size(); ++i) {
    const std::string& line = i == 0 ? lines.first : lines.others[i - 1];
    should[i].stays = is_talk(line) && line.find(stays) != line.npos;
  }

  Session session(kit_talk, wrong, long_enough);
  session.type(lines);
  std::string differs;
  wait_until(
      [&] {
        const std::vector<Seen> seen = session.seen();
        differs = difference_of(should, seen, false);
        return !differs.empty() || all_came(should, seen);
      },
      after(long_enough));
  if (differs.empty()) differs = missing_of(should, session.seen(), false);
  if (!differs.empty()) return differs;

  // All has come. What differs is how it ends, if anything: the right answer shows how it should.
  Session other(kit_talk, right, patience);
  other.type(lines);
  wait_until([&] { return all_came(should, other.seen()); }, after(patience));
  wait_until([] { return false; }, after(a_little_more));
  differs = difference_of(other.seen(), session.seen(), true);
  return differs.empty() ? missing_of(other.seen(), session.seen(), true) : differs;
}

}  // namespace kit
