// Wrong answers: code survives the way through CMake, and a list's mistakes are told.

#include "mutant.hpp"

#include <fstream>
#include <sstream>
#include <stdexcept>

#include "folder.hpp"
#include "harness/catch.hpp"

using namespace kit;
namespace fs = std::filesystem;

namespace {

const std::string source =
    "int a[2] = {1, 2};  // ; \\n \"quoted\" ${name} @name@\n"
    "auto f = [&](int i) { return b[c[i]] + '\\\\'; };\n"
    "int twice = 1; int twice_again = 1;\n";

/// A list of mutants beside a solution of one file.
class List {
 public:
  explicit List(const std::string& text) {
    folder_.write("solution/server.cpp", source);
    folder_.write("list.cmake", text);
  }

  [[nodiscard]] std::vector<Mutant> make() const {
    return make_mutants(fs::path(KIT_ROOT_FOLDER) / "tests/cmake/mutants.cmake",
                        folder_.path() / "list.cmake", folder_.path() / "solution",
                        folder_.path() / "made");
  }

  /// What the script says of a list that it refuses.
  [[nodiscard]] std::string refusal() const {
    try {
      (void)make();
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "(accepted)";
  }

 private:
  TemporaryFolder folder_;
};

std::string text_of(const fs::path& file) {
  std::ifstream in(file);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string mutant(const std::string& name, const std::string& rest) {
  return "kit_mutant(NAME " + name + " SENTENCE \"It is wrong.\" STEP 01.4 WORDS \"w\" " + rest +
         ")\n";
}

}  // namespace

TEST_CASE("code with semicolons, brackets, quotes and backslashes is replaced as it stands") {
  const List list(
      "kit_mutant(NAME many SENTENCE \"One; [two].\" STEP 01.10 WORDS \"a; b\" \"c [d]\"\n"
      "  NOT_WORDS \"e; f\" \"g\"\n"
      "  FILE server.cpp\n"
      "  REPLACE [=[{1, 2};  // ; \\n \"quoted\" ${name} @name@]=] WITH [=[{1; ]; [; \\\\0; "
      "\"${x}\"};]=]\n"
      "  REPLACE [=[return b[c[i]] + '\\\\'; ]=] WITH [=[]=])\n");
  const auto made = list.make();
  REQUIRE(made.size() == 1);
  CHECK(made[0].name == "many");
  CHECK(made[0].sentence == "One; [two].");
  CHECK(made[0].step == "01.10");
  CHECK(made[0].words == std::vector<std::string>{"a; b", "c [d]"});
  CHECK(made[0].not_words == std::vector<std::string>{"e; f", "g"});
  CHECK(made[0].files == std::vector<std::string>{"server.cpp"});
  CHECK(text_of(made[0].sources / "server.cpp") ==
        "int a[2] = {1; ]; [; \\\\0; \"${x}\"};\n"
        "auto f = [&](int i) { };\n"
        "int twice = 1; int twice_again = 1;\n");
}

TEST_CASE("mutants come in the list's order, and files are written again only if they change") {
  const List list(mutant("second", "FILE server.cpp REPLACE [[auto f]] WITH [[auto g]]") +
                  mutant("first", "FILE server.cpp REPLACE [[auto f]] WITH [[auto h]]"));
  const auto made = list.make();
  REQUIRE(made.size() == 2);
  CHECK(made[0].name == "second");
  CHECK(made[1].name == "first");
  const auto time = fs::last_write_time(made[0].sources / "server.cpp");
  CHECK(fs::last_write_time(list.make()[0].sources / "server.cpp") == time);
}

TEST_CASE("the text to replace stands there exactly once, or the mutant is named") {
  const std::string said =
      List(mutant("absent", "FILE server.cpp REPLACE [=[int zero[;]]=] WITH [[x]]") +
           mutant("twofold", "FILE server.cpp REPLACE [[int twice]] WITH [[x]]") +
           mutant("idle", "FILE server.cpp REPLACE [[auto f]] WITH [[auto f]]"))
          .refusal();
  CHECK(contains(said, "mutant absent: this text does not stand in server.cpp:\nint zero[;]"));
  CHECK(contains(said,
                 "mutant twofold: this text stands in server.cpp more than once:\nint twice\n"));
  CHECK(contains(said, "mutant idle: REPLACE number 1 and its WITH are the same"));
}

TEST_CASE("what is missing in a mutant is told") {
  const std::string said =
      List("kit_mutant(NAME bare FILE server.cpp REPLACE [[auto f]] WITH [[x]])\n" +
           mutant("same", "FILE server.cpp REPLACE [[auto f]] WITH [[x]]") +
           mutant("same", "FILE server.cpp REPLACE [[auto f]] WITH [[x]]") +
           mutant("lost", "FILE nowhere.cpp REPLACE [[x]] WITH [[y]]") +
           mutant("Upper", "FILE server.cpp REPLACE [[auto f]] WITH [[x]]"))
          .refusal();
  CHECK(contains(said, "mutant bare: STEP must name the step"));
  CHECK(contains(said, "mutant bare: SENTENCE is missing"));
  CHECK(contains(said, "mutant bare: WORDS is missing"));
  CHECK(contains(said, "mutant same: the name is taken twice"));
  CHECK(contains(said, "mutant lost: the solution has no file \"nowhere.cpp\""));
  CHECK(contains(said, "mutant Upper: a name is made of lower-case letters"));
}
