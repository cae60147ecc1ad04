// Mutants by rule: what the rules make of a source, and what they leave alone.

#include "rules.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "command.hpp"
#include "folder.hpp"
#include "harness/base/catch.hpp"
#include "rules_list.hpp"
#include "tokens.hpp"

namespace kit {
namespace {

std::vector<std::string> texts(const std::string& source) {
  std::vector<std::string> result;
  for (const Token& token : read_tokens(source)) result.emplace_back(token.text);
  return result;
}

/// The mutants of a function that is written in one file, each as "rule: change".
std::vector<std::string> made(const std::string& source, const std::string& starter = {}) {
  std::vector<std::string> result;
  for (const RuleMutant& mutant : make_rule_source("a.cpp", source, starter, 1).mutants) {
    result.push_back(mutant.rule + ": " + mutant.change);
  }
  return result;
}

std::vector<std::string> made_in(const std::string& body) {
  return made("void f() {\n" + body + "\n}\n");
}

using Names = std::vector<std::string>;

bool has(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

TEST_CASE("a source is read as tokens, without comments and lines of the preprocessor") {
  CHECK(
      texts(
          "#include <a>\n#define x \\\n  y\na->b /* c */ <= 16'384u; // d\n\"e;\\\"\" '}' 1e-3") ==
      Names{"a", "->", "b", "<=", "16'384u", ";", "\"e;\\\"\"", "'}'", "1e-3"});
  CHECK(texts("R\"x(a;)\" )x\" v<w<int>> ::u") ==
        Names{"R\"x(a;)\" )x\"", "v", "<", "w", "<", "int", ">", ">", "::", "u"});
  const std::vector<Token> tokens = read_tokens("a\n// b\n/* c\n */ d");
  REQUIRE(tokens.size() == 2);
  CHECK(tokens[1].line == 4);
}

TEST_CASE("each statement is left out, but no declaration and not the value of a function") {
  CHECK(made_in("g();") == Names{"statement left out: g();"});
  CHECK(made_in("Thing thing;\nauto x = g();\nh(thing, x);") ==
        Names{"statement left out: h(thing, x);"});
  CHECK(made("int f() { return g(); }").empty());
  CHECK(has(made_in("for (;;) { break; }"), "statement left out: break;"));
  CHECK(made_in("for (const auto& x : list) g(x);") ==
        Names{"statement left out: for (const auto& x : list) g(x);", "statement left out: g(x);"});
}

TEST_CASE("a lock that nobody names again is left out, and so is a lock that is waited with") {
  CHECK(has(made_in("const std::lock_guard lock(mutex_);\ng();"),
            "statement left out: const std::lock_guard lock(mutex_);"));
  const RuleSource source =
      make_rule_source("a.cpp", "void f() { std::unique_lock lock(mutex_); wait(lock); }", "", 1);
  CHECK(source.text.find("std::defer_lock") != std::string::npos);
}

TEST_CASE("each condition is negated and made false") {
  CHECK(made_in("if (a) return;") ==
        Names{"condition negated: a", "condition made false: a", "statement left out: return;"});
  CHECK(has(made_in("while (a()) g();"), "condition made false: a()"));
  CHECK(has(made_in("while (const int n = g()) h(n);"), "condition negated: const int n = g()"));
  CHECK(has(made_in("for (int i = 0; i != n; ++i) g();"), "condition negated: i != n"));
  CHECK(has(made_in("g(a ? b : c);"), "condition negated: g(a ? b : c) -> g(!(a) ? b : c)"));
  CHECK(has(made("bool f() { return a == b; }"), "condition negated: a == b"));
  CHECK(made_in("if constexpr (a) g();") == Names{"statement left out: g();"});
}

TEST_CASE("each comparison is moved by one; the brackets of a template compare nothing") {
  CHECK(has(made_in("if (a < b) return;"), "comparison moved by one: a < b -> a <= b"));
  CHECK(has(made_in("if (a <= b) return;"), "comparison moved by one: a <= b -> a < b"));
  CHECK(has(made_in("if (a > b) return;"), "comparison moved by one: a > b -> a >= b"));
  CHECK(has(made_in("if (a >= b) return;"), "comparison moved by one: a >= b -> a > b"));
  CHECK(made_in("g<int>(b);") == Names{"statement left out: g<int>(b);"});
}

TEST_CASE("and becomes or, flags and errno values are left out, numbers grow") {
  CHECK(has(made_in("if (a && b) return;"), "and for or: a && b -> a || b"));
  CHECK(has(made_in("if (a || b) return;"), "and for or: a || b -> a && b"));
  const Names flags = made_in("g(A | B | ns::C);");
  CHECK(has(flags, "flag left out: g(A | B | ns::C) -> g( B | ns::C)"));
  CHECK(has(flags, "flag left out: g(A | B | ns::C) -> g(A | ns::C)"));
  CHECK(has(flags, "flag left out: g(A | B | ns::C) -> g(A | B )"));
  CHECK(has(made_in("g(b, MSG_NOSIGNAL);"), "flag left out: g(b, MSG_NOSIGNAL) -> g(b, 0)"));
  const Names errors = made_in("if (errno == EAGAIN || errno == EINTR) return;");
  CHECK(has(errors, "errno left out: errno == EAGAIN || errno == EINTR -> errno == EINTR"));
  CHECK(has(errors, "errno left out: errno == EAGAIN || errno == EINTR -> errno == EAGAIN"));
  CHECK(has(made_in("g(16);"), "number plus one: g(16) -> g(17)"));
  CHECK(has(made_in("g(16'384u);"), "number plus one: g(16'384u) -> g(16385u)"));
  CHECK(has(made_in("g(0x10);"), "number plus one: g(0x10) -> g((0x10 + 1))"));
  CHECK(has(made_in("a = true;"), "the other truth: a = true -> a = false"));
}

TEST_CASE("neighbours change places; whoever waits is woken alone; a catch does nothing") {
  const Names swapped = made_in("a();\nb();\nconst int c = d();\ne(c);\nreturn;");
  CHECK(has(swapped, "statements swapped: a(); <-> b();"));
  CHECK(std::count_if(swapped.begin(), swapped.end(), [](const std::string& name) {
          return name.starts_with("statements swapped");
        }) == 1);
  CHECK(has(made_in("changed_.notify_all();"),
            "one notified, not all: changed_.notify_all() -> changed_.notify_one()"));
  CHECK(has(made_in("try { a(); } catch (...) { b(); c(); }"),
            "catch emptied: catch (...) b(); c();"));
}

TEST_CASE("what is no statement is left as it is") {
  CHECK(made("constexpr int f() { return 1 + g(2); }").empty());
  CHECK(made("static_assert(sizeof(int) > 1);\nenum class A { b = 1 };\nusing C = D<3>;").empty());
  CHECK(
      made("template <class T, int n = 3>\nclass A : B<4> {\n public:\n  A() : b_(5), c_{6} {}\n};")
          .empty());
  CHECK(made("struct A { int most = 7; static constexpr int least = 8; };") ==
        Names{"number plus one: 7 -> 8"});
}

TEST_CASE("a line of the preprocessor stays where it is") {
  const std::string body = "#if A\nvoid f() { g(); }\n#endif\n";
  CHECK(make_rule_source("a.cpp", body, "", 1).text.find("#endif") != std::string::npos);
}

TEST_CASE("a function that the starter has already is not the learner's") {
  const std::string given = "void f() { g(1); }\n";
  CHECK(made(given + "void h() { g(2); }", given + "void h() {}") ==
        Names{"statement left out: g(2);", "number plus one: g(2) -> g(3)"});
}

TEST_CASE("a mutant's name does without lines, and is given once") {
  const std::string body = "void f() {\n  g();\n  h();\n  g();\n}\n";
  const auto before = make_rule_source("a.cpp", body, "", 1).mutants;
  const auto after = make_rule_source("a.cpp", "// one line more\n" + body, "", 1).mutants;
  REQUIRE(before.size() == after.size());
  for (std::size_t i = 0; i < before.size(); ++i) {
    CHECK(before[i].name() == after[i].name());
    CHECK(before[i].line + 1 == after[i].line);
    CHECK(std::count_if(before.begin(), before.end(), [&](const RuleMutant& one) {
            return one.name() == before[i].name();
          }) == 1);
  }
  CHECK(has(made(body), "statement left out: g(); (2)"));
}

TEST_CASE("what is refused is left out, and the others keep their numbers") {
  const std::string body = "void f() { g(1); }";
  const auto all = make_rule_source("a.cpp", body, "", 5).mutants;
  REQUIRE(all.size() == 2);
  const RuleSource rest = make_rule_source("a.cpp", body, "", 5, {all[0].name()});
  REQUIRE(rest.mutants.size() == 1);
  CHECK(rest.mutants[0].number == 6);
  CHECK(rest.text.find("on(5)") == std::string::npos);
}

TEST_CASE("each mutant stands on lines of its own") {
  const RuleSource source = make_rule_source(
      "a.cpp", "void f() {\n  if (a < 1) g(2);\n  const int x = h(3);\n  k(x);\n}\n", "", 1);
  for (const RuleMutant& mutant : source.mutants) {
    CHECK(std::count(source.number_of_line.begin(), source.number_of_line.end(), mutant.number) >=
          1);
  }
}

TEST_CASE("one program is the solution and every mutant; the environment chooses") {
  const TemporaryFolder folder;
  const std::string answer =
      "#include <cstdio>\n"
      "int f(int n) {\n  if (n < 3) return 1;\n  return 2;\n}\n"
      "int g(int n) { return n > 8 ? 7 : n; }\n"
      "int main() {\n  std::printf(\"%d \", f(3));\n  std::printf(\"b\");\n}\n";
  const RuleSource source = make_rule_source("a.cpp", answer, "", 1);
  folder.write("a.cpp", source.text);
  Command command;
  command.environment = plain_environment();
  command.folder = folder.path();
  command.arguments = {KIT_COMPILER,
                       "-std=c++20",
                       "-w",
                       "-include",
                       std::string(KIT_ROOT_FOLDER) + "/tests/proof/rules_runtime.hpp",
                       "a.cpp",
                       "-o",
                       "a"};
  const Outcome compiled = run_command(command);
  INFO(compiled.output);
  REQUIRE(compiled.ok());

  const auto says = [&](const std::string& variable) {
    Command program;
    program.arguments = {(folder.path() / "a").string()};
    program.environment = {variable};
    program.folder = folder.path();
    return run_command(program).output;
  };
  const auto says_as = [&](const std::string& rule) {
    for (const RuleMutant& mutant : source.mutants) {
      if ((mutant.rule + ": " + mutant.change).starts_with(rule)) {
        return says("KIT_MUTANT=" + std::to_string(mutant.number));
      }
    }
    return "no such mutant: " + rule;
  };
  CHECK(says("A=b") == "2 b");
  CHECK(says_as("comparison moved by one: n < 3") == "1 b");
  CHECK(says_as("condition negated: n < 3") == "1 b");
  CHECK(says_as("condition made false: n < 3") == "2 b");
  CHECK(says_as("number plus one: return 2") == "3 b");
  CHECK(says_as("statements swapped") == "b2 ");
  CHECK(says_as("statement left out: std::printf(\"b\")") == "2 ");

  folder.write("seen", std::string(source.mutants.size() + 1, '\0'));
  CHECK(says("KIT_MUTANTS_SEEN=" + (folder.path() / "seen").string()) == "2 b");
  std::ifstream in(folder.path() / "seen");
  const std::string seen{std::istreambuf_iterator<char>(in), {}};
  for (const RuleMutant& mutant : source.mutants) {
    INFO(mutant.name());
    const bool reached = mutant.function != "g" && mutant.change != "return 1;" &&
                         mutant.change != "return 1 -> return 2";
    CHECK((seen[mutant.number] == '\1') == reached);
  }
}

TEST_CASE("a function within an expression is changed as well") {
  const Names names = made_in("g([this] { h(); k(1); });");
  CHECK(has(names, "statement left out: h();"));
  CHECK(has(names, "number plus one: k(1) -> k(2)"));
}

TEST_CASE("the list of those that nobody notices gives a reason for each") {
  const TemporaryFolder folder;
  folder.write("list.txt",
               "# why\n\na.cpp f: x\n    same: Any number will do.\nb.cpp g: y\n    not examined\n"
               "c.cpp h: z\n    open: The page says otherwise.\n");
  const auto list = read_unnoticed(folder.path() / "list.txt");
  REQUIRE(list.size() == 3);
  CHECK(list.at("a.cpp f: x").why == Unnoticed::Why::same);
  CHECK(list.at("a.cpp f: x").sentence == "Any number will do.");
  CHECK(list.at("b.cpp g: y").why == Unnoticed::Why::not_examined);
  CHECK(list.at("c.cpp h: z").why == Unnoticed::Why::open);
  CHECK(read_unnoticed(folder.path() / "none.txt").empty());
  for (const char* const wrong : {"a: b\n", "a: b\nc: d\n", "  same: x\n", "a: b\n  same:\n",
                                  "a: b\n  because\n", "a: b\n  same: x\na: b\n  same: y\n"}) {
    folder.write("wrong.txt", wrong);
    CHECK_THROWS(read_unnoticed(folder.path() / "wrong.txt"));
  }
}

}  // namespace kit
