// Command lines: whatever they are, they are read or refused with a sentence; what is read is in
// its range.

#include <socketserver/program.hpp>

#include <vector>

#include "fuzz.hpp"

using namespace socketserver;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A NUL byte ends a word, as it does in a real command line.
  std::vector<std::string> words{"program"};
  std::string word;
  for (const char byte : fuzz::text_of(data, size)) {
    if (byte != '\0') {
      word += byte;
      continue;
    }
    words.push_back(word);
    word.clear();
  }
  words.push_back(word);
  std::vector<char*> argv;
  for (std::string& each : words) argv.push_back(each.data());
  try {
    const Options options(static_cast<int>(argv.size()), argv.data(), "program",
                          {{"--port", "N", "", 0, 65535},
                           {"--wait", "MS", "", -5, 5},
                           {"--path", "PATH", ""},
                           {"--kind", "tcp|udp", ""},
                           {"--quiet", nullptr, ""}},
                          "WORD...");
    fuzz::expect(!options.words().empty());
    const long port = options.number("--port", 0), wait = options.number("--wait", 0);
    fuzz::expect(port >= 0 && port <= 65535 && wait >= -5 && wait <= 5);
    const std::string kind = options.text("--kind", "tcp");
    fuzz::expect(kind == "tcp" || kind == "udp");
    fuzz::expect(options.sentence().size() + 1 >= options.words().size());
    if (options.has("--path")) {
      (void)options.partner();
      (void)options.address();
    }
  } catch (const UsageError& error) {
    fuzz::expect(!std::string_view(error.what()).empty());
  }
  return 0;
}
