// What is refused of a submission's sources, and when they were handed in.

#include "refused.hpp"

#include <fstream>

#include "course.hpp"
#include "harness/base/catch.hpp"
#include "options.hpp"
#include "proof/folder.hpp"

TEST_CASE("A source is looked at again only if it could hold a refused word") {
  CHECK_FALSE(kit::may_hold_refused_words("int main() { return 1 # 2; }\n"));
  CHECK(kit::may_hold_refused_words("[[gnu::no_sanitize(\"thread\")]] void f();\n"));
  CHECK(kit::may_hold_refused_words("#define A(a, b) a##b\n"));
  CHECK(kit::may_hold_refused_words("#define A(a, b) a%:%:b\n"));
  CHECK(kit::may_hold_refused_words("__attribute__((no_sani\\\ntize_thread))\n"));
  CHECK(kit::may_hold_refused_words("no_saniti\\ \t\nze\n"));
}

TEST_CASE("The preprocessor's output is refused for a word, whatever file it names") {
  CHECK(kit::refused_in_source("# 1 \"server.cpp\"\nint x;\n").empty());
  CHECK(kit::refused_in_source("# 1 \"/usr/include/x\"\n__no_sanitize_address__ int x;\n")
            .starts_with("switches a sanitizer off (no_sanitize)"));
}

TEST_CASE("What is no object is not refused, and not believed") {
  const kit::TemporaryFolder folder;
  for (const std::string bytes : {"", "no object",
                                  "\x7f"
                                  "ELF\x02\x01\x01",
                                  "\x7f"
                                  "ELF\x02"}) {
    std::ofstream(folder.path() / "x.o") << bytes << std::string(200, '\xff');
    CHECK(kit::refused_in_object(folder.path() / "x.o", true).empty());
  }
}

TEST_CASE("--submitted-from: a line for each, and a sentence for what is none") {
  const kit::TemporaryFolder folder;
  const auto file = folder.path() / "times.csv";
  const auto read = [&](const std::string& text) {
    std::ofstream(file) << text;
    return kit::read_submitted(file);
  };
  const auto times = read(
      "# name,time\nanna,2026-12-01 23:59\n\"M\xC3\xBCller, Eva\";2026-12-02 "
      "08:00\r\n\nb\t2026-12-02 "
      "08:00\n");
  CHECK(times.size() == 3);
  CHECK(times.contains("M\xC3\xBCller, Eva"));
  CHECK(times.at("b") == times.at("M\xC3\xBCller, Eva"));
  CHECK(times.at("anna") < times.at("b"));
  CHECK_THROWS_AS(read("anna 2026-12-01 23:59\n"), kit::InputError);
  CHECK_THROWS_AS(read("anna,yesterday\n"), kit::UsageError);
  CHECK_THROWS_AS(read("anna,2026-12-01 23:59\nanna,2026-12-01 23:59\n"), kit::UsageError);
  CHECK_THROWS_AS(kit::read_submitted(folder.path() / "none"), kit::InputError);
  CHECK_THROWS_AS(kit::read_submitted(folder.path()), kit::InputError);
  CHECK_FALSE(kit::parse_time("2026-02-31 10:00"));
}
