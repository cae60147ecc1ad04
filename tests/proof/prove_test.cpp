// The proof itself, on a toy kit whose check is six lines of shell: what it must refuse to believe.

#include "prove.hpp"

#include <iostream>
#include <sstream>

#include "folder.hpp"
#include "harness/base/catch.hpp"
#include "harness/base/sources.hpp"

using namespace kit;
namespace fs = std::filesystem;

namespace {

// A step runs one program; how that ends is what the step says. "wait" stands for a hang.
constexpr const char* toy_check = R"(#!/bin/sh
case "$1" in "[01.3]") program=client ;; *) program=server ;; esac
word=$("$KIT_CANDIDATE/$program" "$1" 2>&1); status=$?
case "$status" in
  0) exit 0 ;;
  86) printf 'status\tfail\ncause\tnot written: serve (01.A)\n' > "$KIT_RESULT" ;;
  77 | 99) exit $status ;;
esac
echo "$1: the program ended with
    $status"
exit 1
)";

constexpr const char* toy_manifest =
    "kit\t1\nlesson\t01_toy\ta toy\n"
    "program\tserver\tserver.cpp\nuses\tserver\tslot.cpp\nprogram\tclient\tclient.cpp\n"
    "slot\tslot.cpp\n"
    "task\t01.A\tslot.cpp\tserve\ntask\t01.B\tclient.cpp\task\n"
    "step\t01.1\t10\tcore\tserver\tplain\t60\t01.A\tserves\n"
    "step\t01.2\t20\tcore\tserver\tplain\t60\t01.A\tserves again\n"
    "step\t01.3\t30\tcore\tclient\tplain\t60\t01.B\tasks\n";

constexpr const char* one_caught_each =
    "kit_mutant(NAME first SENTENCE \"s\" STEP 01.1 WORDS \"ended with 7\"\n"
    "  FILE slot.cpp REPLACE [[/*1*/ 0]] WITH [[7]])\n"
    "kit_mutant(NAME second SENTENCE \"s\" STEP 01.2 WORDS \"[01.2]\" \"ended\"\n"
    "  FILE slot.cpp REPLACE [[/*2*/ 0]] WITH [[8]])\n"
    "kit_mutant(NAME third SENTENCE \"s\" STEP 01.3 WORDS \"ended with 9\"\n"
    "  FILE client.cpp REPLACE [[return 0]] WITH [[return 9]])\n";

/// A kit of one lesson, and what a proof of it prints.
class ToyKit {
 public:
  ToyKit() {
    write("build/kit/manifest.txt", toy_manifest);
    write("build/kit/toolchain.txt",
          std::string("compiler\t") + KIT_COMPILER + "\nflags\tplain\t-std=c++20\n");
    write("build/check_01", toy_check);
    fs::permissions(folder_.path() / "build/check_01", fs::perms::owner_all);
    write("solutions/01_toy/slot.cpp",
          "int serve(char step);\n"
          "int serve(char step) { return step == '1' ? /*1*/ 0 : /*2*/ 0; }\n");
    write("solutions/01_toy/server.cpp",
          "int serve(char step);\n"
          "int main(int, char** words) { return serve(words[1][4]); }\n");
    write("solutions/01_toy/client.cpp", "int main() { return 0; }\n");
    fs::create_directories(folder_.path() / "tests/cmake");
    fs::copy(fs::path(KIT_ROOT_FOLDER) / "tests/cmake/mutants.cmake",
             folder_.path() / "tests/cmake/mutants.cmake");
  }

  void write(const std::string& name, const std::string& text) const { folder_.write(name, text); }

  [[nodiscard]] std::string read(const std::string& name) const {
    return read_text((folder_.path() / name).string()).value_or("(no file)");
  }

  /// Runs a proof. @returns whether it succeeds
  bool prove(bool (Proof::*mode)(), const Proof::Options& changed = {}) {
    Proof::Options options = changed;
    options.jobs = 2;
    options.fewest_mutants = 1;
    const House house{folder_.path(), folder_.path() / "build"};
    const Manifest manifest = Manifest::read(house.manifest().string());
    std::ostringstream text;
    std::streambuf* const before = std::cout.rdbuf(text.rdbuf());
    bool good = false;
    try {
      good = (Proof(house, manifest.lessons().front(), options).*mode)();
    } catch (const std::exception& error) {
      text << error.what();
    }
    std::cout.rdbuf(before);
    said_ = text.str();
    return good;
  }

  /// Whether the last proof printed this.
  [[nodiscard]] bool said(const std::string& words) const { return says(said_, words); }

 private:
  TemporaryFolder folder_;
  std::string said_;
};

}  // namespace

TEST_CASE("a solution is proved if every step passes") {
  ToyKit kit;
  CHECK(kit.prove(&Proof::solution));
  CHECK(kit.said("3 of 3 steps pass"));
  CHECK(kit.read("build/proof/01_toy/solution.figures").starts_with("steps\t3\npassed\t3\n"));
  SECTION("not if one fails") {
    kit.write("solutions/01_toy/client.cpp", "int main() { return 1; }\n");
    CHECK_FALSE(kit.prove(&Proof::solution));
    CHECK(kit.said("solution 01.3 asks expected: pass got: fail"));
    CHECK(kit.said("2 of 3 steps pass"));
  }
  SECTION("not if one cannot run here, or is the kit's own error") {
    for (const std::string status : {"77", "99"}) {
      kit.write("solutions/01_toy/client.cpp", "int main() { return " + status + "; }\n");
      CHECK_FALSE(kit.prove(&Proof::solution));
    }
  }
  SECTION("not if it is not built") {
    kit.write("solutions/01_toy/slot.cpp", "int nothing;\n");
    CHECK_FALSE(kit.prove(&Proof::solution));
    CHECK(kit.said("not written: serve (01.A)"));
    // What was proved before counts no more.
    CHECK(kit.read("build/proof/01_toy/solution.figures") == "(no file)");
  }
}

TEST_CASE("a starter is proved if every step is red because it is not written") {
  ToyKit kit;
  const std::string hole = "// not_written(\"01.A\")\n";
  const std::string server = "int main() { return 86; }\n";
  kit.write("lessons/01_toy/slot.cpp", hole + "int slot;\n");
  kit.write("lessons/01_toy/server.cpp", server);
  kit.write("lessons/01_toy/client.cpp", "// not_written(\"01.B\")\nint main() { return 86; }\n");
  CHECK(kit.prove(&Proof::starter));
  CHECK(kit.said("3 of 3 steps are red because they are not written yet"));
  SECTION("not if one is red for another reason") {
    kit.write("lessons/01_toy/server.cpp", "int main() { return 1; }\n");
    CHECK_FALSE(kit.prove(&Proof::starter));
    CHECK(kit.said("1 of 3 steps are red"));
  }
  SECTION("not if one is green") {
    kit.write("lessons/01_toy/server.cpp", "int main() { return 0; }\n");
    CHECK_FALSE(kit.prove(&Proof::starter));
  }
  SECTION("not if it compiles with a warning") {
    kit.write("lessons/01_toy/slot.cpp", hole + "static int unused;\n");
    CHECK_FALSE(kit.prove(&Proof::starter));
    CHECK(kit.said("lessons/01_toy/slot.cpp:2:12: warning:"));
  }
  SECTION("a lesson that has been worked on is not judged, unless it must be a starter") {
    kit.write("lessons/01_toy/slot.cpp", "int slot;\n");
    CHECK(kit.prove(&Proof::starter));
    CHECK(kit.said("has been worked on (01.A)"));
    CHECK_FALSE(kit.prove(&Proof::starter, {.strict = true}));
  }
}

TEST_CASE("wrong answers are proved if each is caught where and as it should be") {
  ToyKit kit;
  const std::string list = "tests/mutants/01_toy.cmake";
  kit.write(list, one_caught_each);
  CHECK(kit.prove(&Proof::mutants));
  CHECK(kit.said("3 of 3 wrong answers caught by the step that should"));
  // The other steps of the same program are in the table; those of another program need not run.
  CHECK(kit.said("first X . 10"));
  CHECK(kit.said("second . X 20"));
  CHECK(kit.said("third X 30"));
  CHECK(kit.read("build/proof/01_toy/mutants.csv") ==
        "mutant,should,caught,lost,01.1,01.2,01.3\n"
        "first,01.1,yes,10,fail,pass,same\n"
        "second,01.2,yes,20,pass,fail,same\n"
        "third,01.3,yes,30,same,same,fail\n");
  SECTION("every day by their own step, and in three days by every step") {
    for (const std::uint64_t day : {10U, 11U, 12U}) {
      CHECK(kit.prove(&Proof::mutants, {.day = true, .seed = day}));
      CHECK(kit.said("3 of 3 wrong answers caught by the step that should"));
      CHECK(kit.said("first X . 10") == (day == 12));
      CHECK(kit.said("second . X 20") == (day == 11));
      CHECK(kit.said("third X 30") == (day == 10));
      const std::string figures = kit.read("build/proof/01_toy/mutants.figures");
      CHECK(says(figures, "mutants 3 caught 3"));
      CHECK(says(figures, day == 10 ? "in_table 1 cells 3" : "in_table 1 cells 4"));
    }
  }

  const auto add = [&](const std::string& mutant) {
    kit.write(list, one_caught_each + ("kit_mutant(NAME odd SENTENCE \"Odd.\" " + mutant + ")\n"));
  };
  SECTION("not if one passes") {
    add("STEP 01.1 WORDS \"x\" FILE slot.cpp REPLACE [[/*1*/ 0]] WITH [[0 * 1]]");
    CHECK_FALSE(kit.prove(&Proof::mutants));
    CHECK(kit.said("mutant odd 01.1 serves expected: fail: Odd. red elsewhere: nothing got: pass"));
  }
  SECTION("not if another step catches it") {
    add("STEP 01.1 WORDS \"ended\" FILE slot.cpp REPLACE [[/*2*/ 0]] WITH [[5]]");
    CHECK_FALSE(kit.prove(&Proof::mutants));
    CHECK(kit.said("red elsewhere: 01.2 got: pass"));
    CHECK(kit.said("odd ! x 20"));
  }
  SECTION("not if the message says something else") {
    add("STEP 01.1 WORDS \"ended\" \"too late\" FILE slot.cpp REPLACE [[/*1*/ 0]] WITH [[5]]");
    CHECK_FALSE(kit.prove(&Proof::mutants));
    CHECK(kit.said("expected: fail, in words with \"too late\""));
  }
  SECTION("not if it does not compile") {
    add("STEP 01.1 WORDS \"x\" FILE slot.cpp REPLACE [[/*1*/ 0]] WITH [[zero]]");
    CHECK_FALSE(kit.prove(&Proof::mutants));
    CHECK(kit.said("mutant odd does not compile: | solutions/01_toy/slot.cpp:"));
  }
  SECTION("not if the check has an error of its own, in whatever cell") {
    add("STEP 01.1 WORDS \"ended\" FILE slot.cpp REPLACE [[/*1*/ 0 : /*2*/ 0]] WITH [[5 : 99]]");
    CHECK_FALSE(kit.prove(&Proof::mutants));
    CHECK(kit.said("got: the kit's own error"));
  }
  SECTION("not if it names no step") {
    add("STEP 01.9 WORDS \"x\" FILE slot.cpp REPLACE [[/*1*/ 0]] WITH [[5]]");
    CHECK_FALSE(kit.prove(&Proof::mutants));
    CHECK(kit.said("mutant odd: the lesson has no step 01.9"));
  }
  SECTION("not if a step has none") {
    kit.write(list,
              "kit_mutant(NAME first SENTENCE \"s\" STEP 01.1 WORDS \"ended\"\n"
              "  FILE slot.cpp REPLACE [[/*1*/ 0]] WITH [[7]])\n");
    CHECK_FALSE(kit.prove(&Proof::mutants));
    CHECK(kit.said("step 01.2 serves again: no wrong answer is meant for it"));
    CHECK(kit.prove(&Proof::mutants, {.only = "first"}));
  }
}

TEST_CASE("right answers written differently are proved if every step passes") {
  ToyKit kit;
  const std::string list = "tests/alternatives/01_toy.cmake";
  const std::string folder = "tests/alternatives/01_toy/";
  const std::string right =
      "kit_answer(NAME short SENTENCE \"s\" WHOLE slot.cpp)\n"
      "kit_answer(NAME few SENTENCE \"s\"\n"
      "  FILE slot.cpp REPLACE [[step == '1']] WITH [[step != '2']])\n";
  CHECK_FALSE(kit.prove(&Proof::alternatives));  // there is none
  CHECK(kit.said("no alternative in"));
  kit.write(folder + "short/slot.cpp", "int serve(char);\nint serve(char) { return 0; }\n");
  kit.write(list, right);
  CHECK(kit.prove(&Proof::alternatives));
  CHECK(kit.said("short accepted, 2 steps run"));
  CHECK(kit.said("few accepted, 2 steps run"));
  SECTION("not if a step rejects one") {
    kit.write(list, right +
                        "kit_answer(NAME bad SENTENCE \"s\"\n"
                        "  FILE client.cpp REPLACE [[return 0]] WITH [[return 3]])\n");
    CHECK_FALSE(kit.prove(&Proof::alternatives));
    CHECK(kit.said("alternative bad 01.3 asks expected: pass got: fail"));
    CHECK(kit.said("2 of 3 right answers"));
    CHECK(kit.prove(&Proof::alternatives, {.only = "few"}));
    CHECK_FALSE(kit.prove(&Proof::alternatives, {.only = "none"}));
  }
  SECTION("not if one is the solution, or has a file that is not the lesson's") {
    kit.write(folder + "short/helper.cpp", "");
    kit.write(folder + "odd/helper.cpp", "int x;\n");
    kit.write(list, right);
    CHECK_FALSE(kit.prove(&Proof::alternatives));
    CHECK(kit.said("no answer is given"));
    kit.write(list,
              "kit_answer(NAME short SENTENCE \"s\" WHOLE slot.cpp WHOLE helper.cpp)\n"
              "kit_answer(NAME odd SENTENCE \"s\" WHOLE helper.cpp)\n");
    CHECK_FALSE(kit.prove(&Proof::alternatives));
    CHECK(kit.said("alternative short: helper.cpp is none of the lesson's files"));
    CHECK(kit.said("alternative odd is the solution itself"));
  }
  SECTION("not if one is known to be wrong") {
    kit.write(list, right + one_caught_each);
    CHECK_FALSE(kit.prove(&Proof::alternatives));
    CHECK(kit.said("alternative first is a wrong answer: it stands with a step that catches it"));
  }
}

TEST_CASE("a slot that is not there earns nothing, and costs nothing else") {
  ToyKit kit;
  CHECK(kit.prove(&Proof::slots));
  CHECK(
      kit.said("10 of 10 missing slots earn nothing; 3 steps of other programs pass beside them"));
}
