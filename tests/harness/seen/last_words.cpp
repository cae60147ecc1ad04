#include "last_words.hpp"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <initializer_list>

#include "harness/base/escape.hpp"

namespace kit {
namespace {

std::string_view line_at(std::string_view text, std::size_t at) {
  return text.substr(at, std::min(text.find('\n', at), text.size()) - at);
}

// "    #3 0x55… in EchoHandler::handle() /…/server.cpp:31" -> "EchoHandler::handle";
// "    #0 void Mix<Server>::run<int>(int) …" -> "Mix::run".
std::string function_in(std::string_view frame) {
  std::size_t begin = frame.find(" in ");
  if (begin != std::string_view::npos) {
    begin += 4;
  } else {
    begin = frame.find('#');  // ThreadSanitizer: "    #0 EchoHandler::handle() file:line"
    if (begin == std::string_view::npos) return {};
    begin = frame.find(' ', begin);
    if (begin == std::string_view::npos) return {};
    ++begin;
  }
  std::string name;
  int depth = 0;  // of template arguments
  for (const char c : frame.substr(begin)) {
    if (depth == 0 && (c == '(' || c == '\n')) break;
    depth += c == '<' ? 1 : 0;
    if (depth == 0) name += c;
    depth -= c == '>' ? 1 : 0;
  }
  // "main /…/server.cpp:60" has no arguments; "void Mix::run(int)" has a result before its name.
  const std::size_t open = frame.find('(', begin);
  const bool called = open != frame.npos && !name.empty() && name.back() != ' ';
  const std::size_t space = called ? name.rfind(' ') : name.find(' ');
  if (space != std::string::npos) name = called ? name.substr(space + 1) : name.substr(0, space);
  constexpr std::string_view ours = "socketserver::";
  if (name.starts_with(ours)) name.erase(0, ours.size());
  return name;
}

// The first frame in the learner's files, from `at` on.
void find_frame(SanitizerReport& report, std::string_view text, std::size_t at,
                const std::vector<std::string>& files) {
  while (at < text.size()) {
    const std::string_view line = line_at(text, at);
    at += line.size() + 1;
    if (line.find('#') == std::string_view::npos) continue;
    if (const auto place = place_in(line, files)) {
      report.place = *place;
      report.function = function_in(line);
      return;
    }
  }
}

// "heap-use-after-free on address …" -> "heap-use-after-free".
std::string first_words(std::string_view text) {
  for (std::string_view stop : {" on address", " on unknown address", " (pid=", ": ", " ("}) {
    text = text.substr(0, std::min(text.find(stop), text.size()));
  }
  return std::string(text);
}

std::string_view plain_words(std::string_view kind) {
  struct Entry {
    std::string_view kind, words;
  };
  static constexpr Entry entries[] = {
      {"heap-use-after-free", "it used memory that had been given back"},
      {"stack-use-after-return", "it used a local variable of a function that had returned"},
      {"stack-use-after-scope", "it used a local variable whose block had ended"},
      {"heap-buffer-overflow", "it went beyond the end of a buffer"},
      {"stack-buffer-overflow", "it went beyond the end of a local buffer"},
      {"global-buffer-overflow", "it went beyond the end of a global buffer"},
      {"container-overflow", "it went beyond the end of a container"},
      {"attempting double-free", "it gave the same memory back twice"},
      {"stack-overflow", "it called itself without end"},
      {"SEGV", "it used memory that is not its own"},
      {"hard rss limit exhausted", "it took more memory than any step allows"},
      {"data race", "two threads used the same memory at once, and one of them wrote"},
      {"lock-order-inversion", "two locks are taken in two orders: a deadlock in waiting"},
      {"thread leak", "a thread was neither joined nor detached"},
      {"destroy of a locked mutex", "a mutex ended its life while it was locked"},
      {"unlock of an unlocked mutex", "a mutex was unlocked that nobody held"},
  };
  for (const Entry& entry : entries) {
    if (kind.starts_with(entry.kind)) return entry.words;
  }
  return {};
}

std::string capital(std::string text) {
  if (!text.empty()) text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  return text;
}

}  // namespace

std::optional<Place> place_in(std::string_view frame, const std::vector<std::string>& files) {
  for (const std::string& file : files) {
    for (std::size_t at = frame.find(file); at != std::string_view::npos;
         at = frame.find(file, at + 1)) {
      const bool whole = at == 0 || frame[at - 1] == '/' || frame[at - 1] == ' ';
      const std::string_view behind = frame.substr(at + file.size());
      if (whole && behind.size() > 1 && behind[0] == ':' && std::isdigit(behind[1]) != 0) {
        return Place{file, std::atoi(std::string(behind.substr(1)).c_str())};
      }
    }
  }
  return std::nullopt;
}

std::string last_words(std::string_view errors) {
  std::string words;
  for (std::string_view sign : {"terminate called", "  what():", "Assertion"}) {
    const std::size_t at = errors.rfind(sign);
    if (at == std::string_view::npos) continue;
    std::string_view line = line_at(errors, at);
    while (line.starts_with(' ')) line.remove_prefix(1);
    words += (words.empty() ? "" : ", ") + escape_text(line);
  }
  return words;
}

std::string SanitizerReport::sentence() const {
  const std::string_view words = plain_words(kind);
  std::string text = words.empty() ? "A sanitizer found: " + kind
                                   : capital(std::string(words)) + " (" + kind + ')';
  if (!function.empty()) text += ", in " + function;
  if (!place.empty()) text += ", " + place.file + ':' + std::to_string(place.line);
  return escape_text(text + '.');
}

std::optional<SanitizerReport> find_sanitizer_report(std::string_view errors,
                                                     const std::vector<std::string>& files) {
  SanitizerReport report;
  for (std::string_view sign :
       {"ERROR: AddressSanitizer: ", "WARNING: ThreadSanitizer: ", "ERROR: ThreadSanitizer: ",
        "ERROR: UndefinedBehaviorSanitizer: ", "Sanitizer: hard rss limit exhausted"}) {
    const std::size_t at = errors.find(sign);
    if (at == std::string_view::npos) continue;
    const bool memory = sign.starts_with("Sanitizer");
    const std::size_t kind = memory ? at + 11 : at + sign.size();
    report.kind = first_words(line_at(errors, kind));
    find_frame(report, errors, kind, files);
    return report;
  }
  constexpr std::string_view undefined = ": runtime error: ";
  if (const std::size_t at = errors.find(undefined); at != std::string_view::npos) {
    report.kind = std::string(line_at(errors, at + undefined.size()));
    const std::size_t newline = errors.rfind('\n', at);
    const std::size_t begin = newline == std::string_view::npos ? 0 : newline + 1;
    if (const auto place = place_in(errors.substr(begin, at - begin), files)) {
      report.place = *place;
    } else {
      find_frame(report, errors, at, files);
    }
    return report;
  }
  return std::nullopt;
}

bool may_not_have_started(std::string_view errors) {
  return std::ranges::any_of(
      std::initializer_list<std::string_view>{
          "unexpected memory mapping", "Shadow memory range interleaves",
          "ReserveShadowMemoryRange failed", "failed to intercept", "personality",
          // Without /proc it does not even learn that it is not wanted.
          "LeakSanitizer has encountered a fatal error"},
      [errors](std::string_view sign) { return errors.find(sign) != std::string_view::npos; });
}

std::string without_sanitizer_notes(std::string_view errors) {
  std::string own;
  for (std::size_t at = 0; at < errors.size();) {
    const std::string_view line = line_at(errors, at);
    at += line.size() + 1;
    const bool note = line.starts_with("==") && line.find("==WARNING: ") != std::string_view::npos;
    if (note) continue;
    own += line;
    own += '\n';
  }
  return own;
}

std::string own_words(std::string_view errors) {
  std::size_t end = errors.size();
  for (std::string_view sign : {"Sanitizer:", ": runtime error: "}) {
    for (std::size_t at = errors.find(sign); at != std::string_view::npos && at < end;
         at = errors.find(sign, at + 1)) {
      const std::size_t newline = errors.rfind('\n', at);
      const std::size_t begin = newline == std::string_view::npos ? 0 : newline + 1;
      const std::string_view line = line_at(errors, begin);
      if (line.find("==WARNING: ") == std::string_view::npos) end = begin;
    }
  }
  std::string own = without_sanitizer_notes(errors.substr(0, end));
  // A line of ==== stands above a report.
  if (end < errors.size()) {
    while (own.ends_with("=\n")) {
      const std::size_t newline = own.rfind('\n', own.size() - 2);
      own.erase(newline == std::string::npos ? 0 : newline + 1);
    }
  }
  return own;
}

std::optional<Hole> find_hole(std::string_view errors) {
  constexpr std::string_view sign = "not written: ";
  std::size_t at = errors.starts_with(sign) ? 0 : errors.find("\nnot written: ");
  if (at == std::string_view::npos) return std::nullopt;
  if (errors[at] == '\n') ++at;
  const std::string_view line = line_at(errors, at + sign.size());
  Hole hole;
  const std::size_t open = line.find('(');
  const std::size_t close = line.find(')', open == std::string_view::npos ? 0 : open);
  if (open == std::string_view::npos || close == std::string_view::npos) return std::nullopt;
  hole.what = escape_text(line.substr(0, open));
  while (hole.what.ends_with(' ')) hole.what.pop_back();
  hole.task = escape_text(line.substr(open + 1, close - open - 1));
  std::string_view place = line.substr(close + 1);
  while (place.starts_with(' ')) place.remove_prefix(1);
  if (const std::size_t colon = place.rfind(':'); colon != std::string_view::npos) {
    const std::size_t slash = place.rfind('/', colon);
    const std::size_t name = slash == std::string_view::npos ? 0 : slash + 1;
    hole.place.file = escape_text(place.substr(name, colon - name));
    hole.place.line = std::atoi(std::string(place.substr(colon + 1)).c_str());
  }
  return hole;
}

}  // namespace kit
