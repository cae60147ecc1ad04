#include "words.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace kit {
namespace {

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return lines;
}

/// The symbol that this line says is undefined.
std::optional<std::string_view> undefined_symbol(std::string_view line) {
  // GNU ld: undefined reference to `f()'   gold: undefined reference to 'f()'
  constexpr std::string_view reference = "undefined reference to ";
  if (const auto at = line.find(reference); at != std::string_view::npos) {
    line.remove_prefix(at + reference.size());
    if (line.size() < 2) return std::nullopt;
    return line.substr(1, line.rfind('\'') - 1);
  }
  // lld, mold: undefined symbol: f()
  for (const std::string_view words : {"undefined symbol: ", "undefined hidden symbol: "}) {
    if (const auto at = line.find(words); at != std::string_view::npos) {
      return line.substr(at + words.size());
    }
  }
  // Apple: "f()", referenced from:
  constexpr std::string_view from = "\", referenced from:";
  if (const auto at = line.find(from); at != std::string_view::npos) {
    const auto quote = line.find('"');
    if (quote < at) return line.substr(quote + 1, at - quote - 1);
  }
  return std::nullopt;
}

/// Whether the line only tells more about the undefined symbol above it.
bool continues(std::string_view line) {
  return line.starts_with(">>>") || line.starts_with("      ") || contains(line, "NOTE: ") ||
         contains(line, "the vtable symbol may be undefined");
}

/// Whether the line says nothing that the lines about symbols do not say.
bool is_frame(std::string_view line) {
  static constexpr std::array<std::string_view, 10> frames{
      ": in function `",
      ": In function ",
      "warning: relocation against",
      "DT_TEXTREL",
      "more undefined references to",
      "ld returned 1 exit status",
      "linker command failed",
      "Undefined symbols for architecture",
      "ymbol(s) not found for architecture",
      "the vtable symbol may be undefined",
  };
  return line.empty() || std::any_of(frames.begin(), frames.end(), [line](std::string_view frame) {
           return contains(line, frame);
         });
}

std::string_view class_of(std::string_view symbol) {
  const auto at = symbol.rfind("::");
  return at == std::string_view::npos ? std::string_view{} : symbol.substr(0, at);
}

bool names(std::string_view symbol, std::string_view hole) {
  return symbol == hole ||
         (symbol.ends_with(hole) && symbol.substr(0, symbol.size() - hole.size()).ends_with("::"));
}

/// Whether the source defines (or at least names with its parameters) `TCPServer::server_bind`.
bool defines(std::string_view source, std::string_view symbol) {
  for (std::size_t at = source.find(symbol); at != std::string_view::npos;
       at = source.find(symbol, at + 1)) {
    std::string_view after = source.substr(at + symbol.size());
    while (after.starts_with(' ')) after.remove_prefix(1);
    if (after.starts_with('(')) return true;
  }
  return false;
}

/// The class whose virtual table, or the like, the linker misses.
std::optional<std::string_view> class_without_table(std::string_view symbol) {
  for (const std::string_view kind :
       {"vtable for ", "typeinfo for ", "typeinfo name for ", "VTT for "}) {
    if (symbol.starts_with(kind)) return symbol.substr(kind.size());
  }
  return std::nullopt;
}

/// The holes that an undefined symbol comes from. A class's virtual table is made where its first
/// virtual function is written: without that one, the linker names the table and not the functions.
std::vector<MissingFunction> holes_behind(std::string_view symbol,
                                          const std::vector<MissingFunction>& holes,
                                          const TextOf& text_of) {
  std::vector<MissingFunction> found;
  if (const auto name = class_without_table(symbol)) {
    const std::string plain = plain_name(*name);
    for (const MissingFunction& hole : holes) {
      if (!names(plain, class_of(hole.symbol))) continue;
      const auto text = text_of(hole.file);
      if (!text || !defines(*text, hole.symbol)) found.push_back(hole);
    }
    return found;
  }
  const std::string plain = plain_name(symbol);
  for (const MissingFunction& hole : holes) {
    if (names(plain, hole.symbol)) return {hole};
  }
  // A function of a class whose other functions are holes, in a slot that is not there at all.
  for (const MissingFunction& hole : holes) {
    if (class_of(hole.symbol).empty() || !names(class_of(plain), class_of(hole.symbol))) continue;
    const auto text = text_of(hole.file);
    if (!text || says_nothing(*text)) return {MissingFunction{"", plain, hole.file}};
  }
  return {};
}

/// `file:12:3: error: …`, `file: In function …`: the file that such a line is about.
std::optional<std::string_view> file_of(std::string_view line) {
  if (line.starts_with(' ')) return std::nullopt;
  for (std::size_t at = line.find(':'); at != std::string_view::npos; at = line.find(':', at + 1)) {
    const std::string_view after = line.substr(at + 1);
    if (!after.empty() && std::isdigit(static_cast<unsigned char>(after[0])) != 0) {
      return line.substr(0, at);
    }
    if (after.starts_with(" In ") || after.starts_with(" At ")) return line.substr(0, at);
  }
  return std::nullopt;
}

/// Whether a new remark of the compiler begins here, in whatever file.
bool begins_remark(std::string_view line) {
  return file_of(line).has_value() || line.starts_with("In file included from") ||
         line.starts_with("                 from ") || contains(line, "compilation terminated") ||
         contains(line, " generated.") || contains(line, "fatal error:") ||
         line.starts_with("cc1plus:") || line.starts_with("c++:") || line.starts_with("clang");
}

}  // namespace

std::string Words::text() const {
  std::string result;
  for (const std::string& line : not_written) result += line + "\n";
  return result + rest;
}

std::string not_written_line(const MissingFunction& hole) {
  const std::string task = hole.task.empty() ? "" : " (" + hole.task + ")";
  return "not written: " + hole.symbol + task + "  " + hole.file;
}

std::string plain_name(std::string_view demangled) {
  for (const std::string_view thunk : {"non-virtual thunk to ", "virtual thunk to "}) {
    if (demangled.starts_with(thunk)) demangled.remove_prefix(thunk.size());
  }
  std::string name;
  int depth = 0;
  for (std::size_t i = 0; i < demangled.size(); ++i) {
    const char c = demangled[i];
    if (c == '<' || c == '[') {
      ++depth;
    } else if (c == '>' || c == ']') {
      --depth;
    } else if (depth == 0) {
      constexpr std::string_view unnamed = "(anonymous namespace)::";
      if (demangled.substr(i).starts_with(unnamed)) {
        i += unnamed.size() - 1;
        continue;
      }
      if (c == '(') break;
      name += c;
    }
  }
  // A template function is demangled with the type that it returns in front.
  if (const auto space = name.rfind(' '); space != std::string::npos) name.erase(0, space + 1);
  constexpr std::string_view ours = "socketserver::";
  if (name.starts_with(ours)) name.erase(0, ours.size());
  return name;
}

Words translate_link(std::string_view said, const std::vector<MissingFunction>& holes,
                     const TextOf& text_of) {
  Words words;
  bool explained = false;  // the last undefined symbol
  for (const std::string_view line : lines_of(said)) {
    if (const auto symbol = undefined_symbol(line)) {
      const auto behind = holes_behind(*symbol, holes, text_of);
      explained = !behind.empty();
      for (const MissingFunction& hole : behind) {
        const std::string text = not_written_line(hole);
        if (std::find(words.not_written.begin(), words.not_written.end(), text) ==
            words.not_written.end()) {
          words.not_written.push_back(text);
        }
      }
      if (explained) continue;
    } else if (is_frame(line) || (explained && continues(line))) {
      continue;
    }
    words.rest += std::string(line) + "\n";
  }
  if (words.not_written.empty()) words.rest = said;
  return words;
}

std::string own_words(std::string_view said, std::string_view folder, std::string_view shown,
                      std::size_t most_lines) {
  std::string result;
  std::size_t kept = 0;
  bool own = false;
  for (const std::string_view line : lines_of(said)) {
    if (begins_remark(line)) {
      const auto file = file_of(line);
      own = file && (file->starts_with(folder) || file->starts_with(shown));
    }
    if (!own) continue;
    if (++kept > most_lines) continue;
    std::string text(line);
    for (auto at = text.find(folder); at != std::string::npos; at = text.find(folder, at)) {
      text.replace(at, folder.size(), shown);
      at += shown.size();
    }
    result += text + "\n";
  }
  if (kept > most_lines) {
    result += "(and " + std::to_string(kept - most_lines) + " more lines)\n";
  }
  return result;
}

bool misses_header(std::string_view said, std::string_view name) {
  for (const std::string_view line : lines_of(said)) {
    if (!contains(line, "No such file or directory") && !contains(line, "file not found")) continue;
    for (std::size_t at = line.find(name); at != std::string_view::npos;
         at = line.find(name, at + 1)) {
      const char before = at == 0 ? ' ' : line[at - 1];
      if (before == ' ' || before == '\'' || before == '"' || before == '/') return true;
    }
  }
  return false;
}

bool says_nothing(std::string_view source) {
  std::size_t at = 0;
  bool line_begins = true;
  while (at < source.size()) {
    const std::string_view rest = source.substr(at);
    if (rest.starts_with("//") || (line_begins && rest[0] == '#')) {
      at = std::min(source.find('\n', at), source.size());
    } else if (rest.starts_with("/*")) {
      const auto end = source.find("*/", at + 2);
      at = end == std::string_view::npos ? source.size() : end + 2;
    } else if (std::isspace(static_cast<unsigned char>(rest[0])) != 0) {
      line_begins = line_begins || rest[0] == '\n';
      ++at;
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace kit
