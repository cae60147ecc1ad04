// Answers of a list: code survives the way through CMake, and a list's mistakes are told.

#include "mutant.hpp"

#include <fstream>
#include <sstream>
#include <stdexcept>

#include "folder.hpp"
#include "harness/base/catch.hpp"

using namespace kit;
namespace fs = std::filesystem;

namespace {

const std::string source =
    "int a[2] = {1, 2};  // ; \\n \"quoted\" ${name} @name@\n"
    "auto f = [&](int i) { return b[c[i]] + '\\\\'; };\n"
    "int twice = 1; int twice_again = 1;\n";

/// A list of answers beside a solution of one file.
class List {
 public:
  explicit List(const std::string& text) {
    folder_.write("solution/server.cpp", source);
    folder_.write("list.cmake", text);
  }

  /// A file that stands whole beside the list: "name/server.cpp".
  void write_whole(const std::string& name, const std::string& text) const {
    folder_.write("list/" + name, text);
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

std::string answer(const std::string& name, const std::string& rest) {
  return "kit_answer(NAME " + name + " SENTENCE \"It is different.\" " + rest + ")\n";
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

TEST_CASE("an answer replaces all from one text to the next place of another") {
  const List list(
      answer("long",
             "FILE server.cpp REPLACE [=[int a]=] THROUGH [=[[&](int]=] WITH [=[x; [y]]=]") +
      answer("next",
             "FILE server.cpp REPLACE [[int twice =]] WITH [[int once =]] "
             "REPLACE [[int once]] THROUGH [[ = 1]] WITH [[auto twice = 1]]"));
  const auto made = list.make();
  REQUIRE(made.size() == 2);
  CHECK(text_of(made[0].sources / "server.cpp") ==
        "x; [y] i) { return b[c[i]] + '\\\\'; };\n"
        "int twice = 1; int twice_again = 1;\n");
  CHECK(text_of(made[1].sources / "server.cpp")
            .ends_with("\nauto twice = 1; int twice_again = 1;\n"));
}

TEST_CASE("where there is no such end, or it changes nothing, the answer is named") {
  const std::string said =
      List(
          answer("before", "FILE server.cpp REPLACE [[auto f]] THROUGH [=[int a[2]]=] WITH [[x]]") +
          answer("idle", "FILE server.cpp REPLACE [[auto]] THROUGH [[f]] WITH [[auto f]]") +
          mutant("wrong", "FILE server.cpp REPLACE [[auto]] THROUGH [[f]] WITH [[auto g]]"))
          .refusal();
  CHECK(contains(said,
                 "answer before: behind REPLACE number 1 this text does not stand in "
                 "server.cpp:\nint a[2]\n"));
  CHECK(contains(said, "answer idle: REPLACE number 1 and its WITH are the same"));
  CHECK(contains(said, "mutant wrong: \"THROUGH\" follows no keyword"));
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

TEST_CASE("an answer that is not known to be wrong has edits, whole files, or both") {
  const List list(answer("edited", "FILE server.cpp REPLACE [=[b[c[i]]]=] WITH [[b]]") +
                  answer("both",
                         "FILE server.cpp REPLACE [[auto f]] WITH [[auto g]] "
                         "WHOLE client.cpp"));
  list.write_whole("both/client.cpp", "int x[1]; // ${y} \\n\n");
  const auto made = list.make();
  REQUIRE(made.size() == 2);
  CHECK(made[0].sentence == "It is different.");
  CHECK(made[0].step.empty());
  CHECK(made[0].words.empty());
  CHECK(contains(text_of(made[0].sources / "server.cpp"), "return b + '\\\\'; };"));
  CHECK(made[1].files == std::vector<std::string>{"server.cpp", "client.cpp"});
  CHECK(contains(text_of(made[1].sources / "server.cpp"), "auto g = "));
  CHECK(text_of(made[1].sources / "client.cpp") == "int x[1]; // ${y} \\n\n");
}

TEST_CASE("an answer that is like another one shares what it does not replace") {
  const List list(
      answer("first", "FILE server.cpp REPLACE [[auto f]] WITH [[auto g]] WHOLE client.cpp") +
      answer("second", "LIKE first FILE server.cpp REPLACE [[auto g]] WITH [[auto h]]") +
      answer("third", "LIKE second FILE client.cpp REPLACE [[int a]] WITH [[int b]]"));
  list.write_whole("first/client.cpp", "int a;\n");
  const auto made = list.make();
  REQUIRE(made.size() == 3);
  CHECK(made[1].files == std::vector<std::string>{"server.cpp", "client.cpp"});
  CHECK(contains(text_of(made[1].sources / "server.cpp"), "auto h = "));
  CHECK(text_of(made[1].sources / "client.cpp") == "int a;\n");
  CHECK(made[2].files == std::vector<std::string>{"client.cpp", "server.cpp"});
  CHECK(contains(text_of(made[2].sources / "server.cpp"), "auto h = "));
  CHECK(text_of(made[2].sources / "client.cpp") == "int b;\n");
}

TEST_CASE("a whole file is written again only if it changes") {
  const List list(answer("one", "WHOLE server.cpp"));
  list.write_whole("one/server.cpp", "int a;\n");
  const fs::path file = list.make()[0].sources / "server.cpp";
  const auto time = fs::last_write_time(file);
  CHECK(fs::last_write_time(list.make()[0].sources / "server.cpp") == time);
  list.write_whole("one/server.cpp", "int b;\n");
  (void)list.make();
  CHECK(text_of(file) == "int b;\n");
}

TEST_CASE("an answer's mistakes are told, all at once") {
  const List list(answer("absent", "FILE server.cpp REPLACE [[int zero]] WITH [[x]]") +
                  answer("twofold", "FILE server.cpp REPLACE [[int twice]] WITH [[x]]") +
                  answer("idle", "FILE server.cpp REPLACE [[auto f]] WITH [[auto f]]") +
                  answer("lost", "WHOLE client.cpp") + answer("copied", "WHOLE server.cpp") +
                  answer("changed",
                         "FILE server.cpp REPLACE [[auto f]] WITH [[auto g]] "
                         "WHOLE server.cpp") +
                  answer("bare", "") + answer("judged", "STEP 01.4") +
                  answer("early", "LIKE later FILE server.cpp REPLACE [[auto f]] WITH [[auto g]]"));
  list.write_whole("copied/server.cpp", source);
  list.write_whole("changed/server.cpp", "int a;\n");
  list.write_whole("changed/client.cpp", "int b;\n");
  const std::string said = list.refusal();
  CHECK(contains(said, "answer absent: this text does not stand in server.cpp:\nint zero"));
  CHECK(contains(said, "answer twofold: this text stands in server.cpp more than once:"));
  CHECK(contains(said, "answer idle: REPLACE number 1 and its WITH are the same"));
  CHECK(contains(said, "answer lost: there is no "));
  CHECK(contains(said, "answer copied: server.cpp is the solution's"));
  CHECK(contains(said, "answer changed: server.cpp is given whole, and changed as well"));
  CHECK(contains(said, "answer bare: REPLACE and WITH are missing"));
  CHECK(contains(said, "answer judged: \"STEP\" follows no keyword"));
  CHECK(contains(said, "answer early: LIKE names no answer that stands before it: later"));
  CHECK(contains(said, "list/changed/client.cpp"));
}
