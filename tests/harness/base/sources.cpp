#include "sources.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <utility>

namespace kit {
namespace {

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) {
    text.remove_suffix(1);
  }
  return text;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

// Whether `name` stands in the line as a whole word with "(" behind it, and what is before it.
std::optional<std::string_view> before_call(std::string_view line, std::string_view name) {
  for (std::size_t at = line.find(name); at != std::string_view::npos;
       at = line.find(name, at + 1)) {
    const std::string_view behind = trimmed(line.substr(at + name.size()));
    const bool begins = at == 0 || !is_word(line[at - 1]);
    if (begins && behind.starts_with('(')) return line.substr(0, at);
  }
  return std::nullopt;
}

// A definition in a class has a type in front of the name: "void handle(", "int select(".
bool looks_like_definition(std::string_view before) {
  const std::string_view text = trimmed(before);
  if (text.empty()) return false;
  for (std::string_view not_a_type : {"return", "else", "co_return", "throw", "new", "delete"}) {
    if (text == not_a_type || text.ends_with(std::string(" ") + std::string(not_a_type))) {
      return false;
    }
  }
  const char last = text.back();
  return is_word(last) || last == '>' || last == '*' || last == '&' || last == ']';
}

bool is_comment(std::string_view line) {
  const std::string_view text = trimmed(line);
  return text.starts_with("//") || text.starts_with('*') || text.starts_with("/*");
}

long long modified(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return -1;
#if defined(__APPLE__)
  const timespec& time = status.st_mtimespec;
#else
  const timespec& time = status.st_mtim;
#endif
  return static_cast<long long>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

std::optional<std::string> read_text(const std::string& path) {
  const std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

int definition_line(std::string_view text, std::string_view symbol) {
  const std::vector<std::string_view> lines = lines_of(text);
  // Outside its class: the whole name, "void EchoHandler::handle(" (of a template, behind its
  // class's arguments: "ThreadingMixIn<Server>::process_request("). With nothing in front it is a
  // call, or a constructor if there is no better line.
  const std::size_t colons = symbol.rfind("::");
  const std::string_view name =
      colons == std::string_view::npos ? symbol : symbol.substr(colons + 2);
  int constructor = 0;
  for (std::size_t i = 0; i < lines.size() && colons != std::string_view::npos; ++i) {
    if (is_comment(lines[i])) continue;
    const int line = static_cast<int>(i + 1);
    if (const auto before = before_call(lines[i], symbol)) {
      if (looks_like_definition(*before)) return line;
      if (trimmed(*before).empty() && constructor == 0) constructor = line;
    }
    const auto before = before_call(lines[i], name);
    if (before && trimmed(*before).ends_with(">::")) return line;
  }
  // Inside: the last part, with a type in front of it; best below the class's own head.
  std::size_t from = 0;
  if (colons != std::string_view::npos) {
    std::string_view owner = symbol.substr(0, colons);
    if (const std::size_t outer = owner.rfind("::"); outer != std::string_view::npos) {
      owner.remove_prefix(outer + 2);
    }
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const std::string_view line = trimmed(lines[i]);
      for (std::string_view word : {"class ", "struct "}) {
        const std::size_t at = line.find(std::string(word) + std::string(owner));
        if (at != std::string_view::npos && !line.ends_with(';')) from = i;
      }
    }
  }
  for (const std::size_t begin : {from, std::size_t{0}}) {
    for (std::size_t i = begin; i < lines.size(); ++i) {
      if (is_comment(lines[i])) continue;
      const auto before = before_call(lines[i], name);
      if (before && looks_like_definition(*before)) return static_cast<int>(i + 1);
    }
  }
  return constructor;
}

Place find_task(const std::string& sources, const Task& task, const std::string& function) {
  const auto text = read_text(sources + '/' + task.file);
  if (!text) return {task.file, 0};
  std::vector<std::string> symbols = task.symbols;
  if (!function.empty()) symbols.insert(symbols.begin(), function);
  for (const std::string& symbol : symbols) {
    if (const int line = definition_line(*text, symbol); line != 0) return {task.file, line};
  }
  const std::vector<std::string_view> lines = lines_of(*text);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].find("TODO(" + task.id + ')') != std::string_view::npos) {
      return {task.file, static_cast<int>(i + 1)};
    }
  }
  return {task.file, 0};
}

const Task* task_at(const std::string& sources, const Lesson& lesson, const Place& place,
                    const std::string& likeliest) {
  const auto text = read_text(sources + '/' + place.file);
  if (!text) return nullptr;
  const Task* found = nullptr;
  int last = 0;
  for (const Task& task : lesson.tasks) {
    if (task.file != place.file) continue;
    for (const std::string& symbol : task.symbols) {
      const int line = definition_line(*text, symbol);
      const bool better = line > last || (line == last && line > 0 && task.id == likeliest);
      if (!better || line > place.line) continue;
      last = line;
      found = &task;
    }
  }
  return found;
}

std::string page_heading(const std::string& page, std::string_view task) {
  const auto text = read_text(page);
  if (!text) return {};
  for (std::string_view line : lines_of(*text)) {
    if (!line.starts_with('#')) continue;
    while (line.starts_with('#')) line.remove_prefix(1);
    line = trimmed(line);
    if (line.starts_with(task) && (line.size() == task.size() || !is_word(line[task.size()]))) {
      return std::string(line);
    }
  }
  return {};
}

std::vector<std::string> files_of(const std::string& root, const std::string& sources,
                                  const Lesson& lesson, const ProgramEntry& program) {
  std::vector<std::string> files = program.uses;
  const auto add_included = [&](const std::string& path) {
    const auto text = read_text(path);
    if (!text) return;
    for (std::string_view line : lines_of(*text)) {
      line = trimmed(line);
      if (!line.starts_with("#include")) continue;
      for (const std::string& slot : lesson.slots) {
        const bool named = line.find('"' + slot + '"') != std::string_view::npos ||
                           line.find('/' + slot + '"') != std::string_view::npos;
        if (named && std::ranges::find(files, slot) == files.end()) files.push_back(slot);
      }
    }
  };
  if (program.name.starts_with("probe_")) {
    add_included(root + '/' + program.source);
  } else if (!program.source.empty()) {
    files.insert(files.begin(), program.source);
  }
  for (std::size_t i = 0; i < files.size(); ++i) add_included(sources + '/' + files[i]);
  return files;
}

std::optional<std::string> newer_than(const std::string& program, const std::string& sources,
                                      const std::vector<std::string>& files) {
  const long long built = modified(program);
  for (const std::string& file : files) {
    if (modified(sources + '/' + file) > built) return file;
  }
  return std::nullopt;
}

}  // namespace kit
