#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kit {

// What compilers and linkers say about a learner's sources, made short: a function that is not
// there becomes one line that names the task, the rest is kept to the lines about the learner's own
// files.

/// A function that the learner writes, as the manifest names it.
struct MissingFunction {
  std::string task;    ///< "01.D"; empty for main
  std::string symbol;  ///< "TCPServer::server_close"
  std::string file;    ///< "lessons/01_tcp_echo/tcp_server.cpp": as it is shown
};

/// The text of a shown file, or no value if there is no such file.
using TextOf = std::function<std::optional<std::string>(const std::string& file)>;

/// What is said of a program that was not built.
struct Words {
  std::vector<std::string> not_written;  ///< one line each: "not written: …"
  std::string rest;                      ///< the tool's own words that remain, in whole lines

  [[nodiscard]] std::string text() const;
};

/// `not written: TCPServer::server_close (01.D)  lessons/01_tcp_echo/tcp_server.cpp`
std::string not_written_line(const MissingFunction& hole);

/// Translates a linker's words: undefined symbols that are holes become lines of their own, and
/// what the linker says around them is dropped. GNU ld, gold, lld and Apple's ld are understood;
/// words with no hole in them come back as they are.
Words translate_link(std::string_view said, const std::vector<MissingFunction>& holes,
                     const TextOf& text_of);

/// The lines of a compiler's words that are about files in `folder`, which is shown as `shown`.
/// Nothing of other files is quoted: `#include "/etc/shadow"` must not print it.
std::string own_words(std::string_view said, std::string_view folder, std::string_view shown,
                      std::size_t most_lines = 40);

/// Whether the compiler missed an include file of this name.
bool misses_header(std::string_view said, std::string_view name);

/// Whether nothing but comments, white space and preprocessor lines stands in a source.
bool says_nothing(std::string_view source);

/// `socketserver::M<int>::f(int) const` -> `M::f`: a demangled name as a manifest writes it.
std::string plain_name(std::string_view demangled);

}  // namespace kit
