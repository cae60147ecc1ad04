// Candidates of a toy lesson: what is built, what is taken over, and what is said of the rest.

#include "builder.hpp"

#include <algorithm>
#include <chrono>
#include <mutex>

#include "folder.hpp"
#include "harness/base/catch.hpp"

using namespace kit;
namespace fs = std::filesystem;

namespace {

/// A server of a source slot and a header slot, a client with neither, and a probe of the source
/// slot.
class ToyLesson {
 public:
  ToyLesson() {
    folder_.write("include/tcp.hpp", "#pragma once\nstruct TCP { void bind(); void close(); };\n");
    folder_.write("tests/probes/01_x.cpp", "#include <tcp.hpp>\nint main() { TCP().close(); }\n");
    folder_.write("solutions/01_toy/tcp.cpp",
                  "#include <tcp.hpp>\nvoid TCP::bind() {}\nvoid TCP::close() {}\n");
    folder_.write("solutions/01_toy/mix.hpp", "#pragma once\nstruct Mix { int status = 0; };\n");
    folder_.write("solutions/01_toy/server.cpp",
                  "#include <tcp.hpp>\n#include \"mix.hpp\"\n"
                  "int main() { TCP().bind(); TCP().close(); return Mix().status; }\n");
    folder_.write("solutions/01_toy/client.cpp", "int main() {}\n");
    fs::create_directories(folder_.path() / "mine");
  }

  [[nodiscard]] const TemporaryFolder& folder() const { return folder_; }

  [[nodiscard]] Candidate solution() const {
    return builder().build(
        {solutions(), {}, {}, folder_.path() / "out/solution", "solutions/01_toy"});
  }

  /// The solution with the files of "mine" in place of its own.
  [[nodiscard]] Candidate mine(const Candidate* base, std::set<std::string> without = {}) const {
    return builder().build(order(std::move(without)), base);
  }

  /// The same, one edit after the other: preambles are kept in "preambles".
  [[nodiscard]] Candidate edited(Runner run = run_command) const {
    return builder(std::move(run), folder_.path() / "preambles").build(order({}));
  }

  /// The same, on top of precompiled headers.
  [[nodiscard]] Candidate precompiled(const Candidate& base, Runner run) const {
    return builder(std::move(run))
        .precompiling(base, folder_.path() / "precompiled")
        .build(order({}), &base);
  }

 private:
  [[nodiscard]] fs::path solutions() const { return folder_.path() / "solutions/01_toy"; }

  [[nodiscard]] Order order(std::set<std::string> without) const {
    return {folder_.path() / "mine", solutions(), std::move(without), folder_.path() / "out/mine",
            "lessons/01_toy"};
  }

  [[nodiscard]] Builder builder(Runner run = run_command, fs::path preambles = {}) const {
    Toolchain toolchain;
    toolchain.compiler = KIT_COMPILER;
    toolchain.flags["plain"] = {"-std=c++20"};
    toolchain.flags["checked"] = {"-std=c++20", "-g"};
    toolchain.includes["01_toy"] = {(folder_.path() / "include").string()};
    const Manifest manifest = Manifest::parse(
        "lesson\t01_toy\ta toy\n"
        "program\tserver\tserver.cpp\nuses\tserver\ttcp.cpp\nprogram\tclient\tclient.cpp\n"
        "probe\tx\ttests/probes/01_x.cpp\nuses\tprobe_x\ttcp.cpp\n"
        "slot\ttcp.cpp\nslot\tmix.hpp\n"
        "task\t01.A\ttcp.cpp\tTCP::bind\ntask\t01.B\ttcp.cpp\tTCP::close\n"
        "task\t01.C\tmix.hpp\tMix\n"
        "step\t01.1\t5\tcore\tserver\tplain,checked\t60\t01.A\tbinds\n"
        "step\t01.2\t5\tcore\tclient\tplain\t60\t01.A\tconnects\n"
        "step\t01.3\t5\tcore\tprobe\tplain\t60\t01.B\tcloses\n",
        "toy");
    return {toolchain,
            manifest.lessons().front(),
            folder_.path(),
            {.jobs = 2, .run = std::move(run), .preambles = std::move(preambles)}};
  }

  TemporaryFolder folder_;
};

std::string words_of(const Candidate& candidate, const std::string& program) {
  const BuiltProgram* found = candidate.find(program, "plain");
  return found == nullptr ? "(no such program)" : found->why.text();
}

bool built(const Candidate& candidate, const std::string& program) {
  const BuiltProgram* found = candidate.find(program, "plain");
  return found != nullptr && found->built && fs::exists(found->file);
}

}  // namespace

TEST_CASE("a solution is built: each program in each build that a step asks for") {
  const ToyLesson toy;
  const Candidate solution = toy.solution();
  CHECK(solution.programs.size() == 4);  // server twice, client, probe
  for (const BuiltProgram& program : solution.programs) CHECK(program.built);
  CHECK(fs::exists(solution.folder / "server"));
  CHECK(fs::exists(solution.folder / "checked/server"));
  CHECK(fs::exists(solution.folder / "probe_x"));
  CHECK(solution.find("client", "checked") == nullptr);

  const auto time = fs::last_write_time(solution.folder / "server");
  CHECK(fs::last_write_time(toy.solution().folder / "server") == time);  // nothing to do
}

TEST_CASE("what a change does not touch is taken over from the base") {
  const ToyLesson toy;
  const Candidate solution = toy.solution();
  SECTION("a source slot") {
    toy.folder().write("mine/tcp.cpp",
                       "#include <tcp.hpp>\nvoid TCP::bind() {}\nvoid TCP::close() { bind(); }\n");
    const Candidate mine = toy.mine(&solution);
    CHECK_FALSE(mine.find("server", "plain")->same_as_base);
    CHECK_FALSE(mine.find("probe_x", "plain")->same_as_base);
    CHECK(mine.find("client", "plain")->same_as_base);
    CHECK(built(mine, "client"));
  }
  SECTION("a header slot: the unchanged server.cpp is compiled with the changed header") {
    toy.folder().write("mine/mix.hpp", "#pragma once\nstruct Mix { int status = 7; };\n");
    const Candidate mine = toy.mine(&solution);
    CHECK_FALSE(mine.find("server", "plain")->same_as_base);
    CHECK(mine.find("probe_x", "plain")->same_as_base);
    const Outcome outcome = run_command({{mine.find("server", "plain")->file.string()}, {}, "/"});
    CHECK(outcome.code == 7);
  }
  SECTION("nothing") {
    for (const BuiltProgram& program : toy.mine(&solution).programs) CHECK(program.same_as_base);
  }
}

TEST_CASE("precompiled headers are the system's, and thrown away; who refuses them has none") {
  const ToyLesson toy;
  const auto server = [](const std::string& includes) {
    return includes + "int main() { return static_cast<int>(std::string().size()); }\n";
  };
  toy.folder().write("solutions/01_toy/server.cpp",
                     server("#include <string>\n#include <tcp.hpp>\n"));
  const Candidate solution = toy.solution();
  const auto server_of = [](const Candidate& candidate) {
    return *candidate.find("server", "checked");
  };
  toy.folder().write("mine/server.cpp", server(""));
  CHECK(server_of(toy.precompiled(solution, run_command)).built);
  CHECK_FALSE(fs::exists(toy.folder().path() / "precompiled/checked.hpp.gch"));
  CHECK_FALSE(server_of(toy.mine(&solution)).built);

  toy.folder().write("mine/server.cpp", server("#include <string>\n// again\n"));
  int refused = 0;
  const auto refuse = [&](const Command& command) {
    const auto& words = command.arguments;
    if (std::find(words.begin(), words.end(), "-include") == words.end()) {
      return run_command(command);
    }
    ++refused;
    return Outcome{Outcome::End::exited, 1, "a precompiled header of another time", 0};
  };
  CHECK(server_of(toy.precompiled(solution, refuse)).built);
  CHECK(refused == 1);

  // The learner's own headers are no part of it.
  toy.folder().write("mine/server.cpp", "int main() { TCP().bind(); }\n");
  CHECK_FALSE(server_of(toy.precompiled(solution, run_command)).built);
}

TEST_CASE("an edited source is compiled after its preamble, from the second time on") {
  const ToyLesson toy;
  int edits = 0;
  const auto save = [&](const std::string& includes, const std::string& body) {
    toy.folder().write("mine/server.cpp", includes + "int main() { " + body + " }\n//" +
                                              std::to_string(++edits) + '\n');
  };
  std::mutex mutex;
  int after_preamble = 0;
  const auto count = [&](const Command& command) {
    const auto& words = command.arguments;
    const Outcome outcome = run_command(command);
    if (outcome.ok() && std::find(words.begin(), words.end(), "-include") != words.end()) {
      const std::lock_guard lock(mutex);
      ++after_preamble;
    }
    return outcome;
  };
  const auto server = [&] { return *toy.edited(count).find("server", "checked"); };
  const auto status = [&] { return run_command({{server().file.string()}, {}, "/"}).code; };
  const auto precompiled = [&] {
    int made = 0;
    for (const auto& entry : fs::directory_iterator(toy.folder().path() / "preambles")) {
      made += entry.path().extension() == ".gch";
    }
    return made;
  };
  const std::string includes = "#include <tcp.hpp>\n#include <cstddef>\n#include \"mix.hpp\"\n";
  toy.folder().write("mine/mix.hpp", "#pragma once\n#include <climits>\nstruct Mix {};\n");
  save(includes, "return 1;");
  CHECK(status() == 1);
  CHECK(precompiled() == 0);
  save(includes, "return 2;");
  CHECK(status() == 2);
  CHECK(precompiled() == 1);
  CHECK(after_preamble == 1);
  toy.folder().write("mine/mix.hpp",
                     "#pragma once\n#include <climits>\nstruct Mix { int bits = CHAR_BIT; };\n");
  save(includes, "return Mix().bits;");
  CHECK(status() == 8);
  CHECK(precompiled() == 1);
  CHECK(after_preamble == 2);
  CHECK(server().built);
  CHECK(after_preamble == 2);  // nothing has changed

  SECTION("a header of the kit that changes") {
    toy.folder().write("include/tcp.hpp",
                       "#pragma once\ninline int status = 4;\nstruct TCP { void bind(); void close(); };\n");
    save(includes, "return status;");
    CHECK(status() == 4);
  }
  SECTION("an #include that is forgotten is missing") {
    save("#include \"mix.hpp\"\n", "return static_cast<int>(TCP().bind(), 5);");
    CHECK_FALSE(server().built);
    save("#include \"mix.hpp\"\n", "return static_cast<int>(TCP().bind(), 5);");
    CHECK_FALSE(server().built);
  }
  SECTION("an error is told in the learner's own line") {
    save(includes, "return x;");
    const BuiltProgram wrong = server();
    CHECK_FALSE(wrong.built);
    CHECK(wrong.why.text().find("lessons/01_toy/server.cpp:4:21: error: ") != std::string::npos);
  }
  SECTION("a preamble that the compiler refuses to take") {
    const auto refuse = [](const Command& command) {
      const auto& words = command.arguments;
      if (std::find(words.begin(), words.end(), "-include") == words.end()) {
        return run_command(command);
      }
      return Outcome{Outcome::End::exited, 1, "a precompiled header of another time", 0};
    };
    save(includes, "return 6;");
    const Candidate edited = toy.edited(refuse);
    CHECK(run_command({{edited.find("server", "checked")->file.string()}, {}, "/"}).code == 6);
  }
}

TEST_CASE("a slot that is not there costs the programs that use it, and says what is missing") {
  const ToyLesson toy;
  const Candidate solution = toy.solution();
  const std::string bind = "not written: TCP::bind (01.A)  lessons/01_toy/tcp.cpp\n";
  const std::string close = "not written: TCP::close (01.B)  lessons/01_toy/tcp.cpp\n";
  const auto check_missing = [&](const Candidate& mine) {
    CHECK_FALSE(built(mine, "server"));
    CHECK_FALSE(built(mine, "probe_x"));
    CHECK(built(mine, "client"));
    CHECK(words_of(mine, "server") == bind + close);
    CHECK(words_of(mine, "probe_x") == close);
  };
  SECTION("empty") {
    toy.folder().write("mine/tcp.cpp", "");
    check_missing(toy.mine(&solution));
  }
  SECTION("a link to the solution") {
    fs::create_symlink(toy.folder().path() / "solutions/01_toy/tcp.cpp",
                       toy.folder().path() / "mine/tcp.cpp");
    check_missing(toy.mine(&solution));
  }
  SECTION("a folder") {
    fs::create_directories(toy.folder().path() / "mine/tcp.cpp");
    check_missing(toy.mine(&solution));
  }
  SECTION("deleted") {
    check_missing(toy.mine(&solution, {"tcp.cpp"}));
  }
  SECTION("nothing but an include of the solution") {
    toy.folder().write(
        "mine/tcp.cpp",
        "#include \"" + (toy.folder().path() / "solutions/01_toy/tcp.cpp").string() + "\"\n");
    check_missing(toy.mine(&solution));
  }
  SECTION("a header") {
    const Candidate mine = toy.mine(&solution, {"mix.hpp"});
    CHECK(words_of(mine, "server") == "not written: Mix (01.C)  lessons/01_toy/mix.hpp\n");
    CHECK(built(mine, "probe_x"));
  }
  SECTION("a main source") {
    const Candidate mine = toy.mine(&solution, {"client.cpp"});
    CHECK(words_of(mine, "client") == "not written: client.cpp  lessons/01_toy/client.cpp\n");
    CHECK(built(mine, "server"));
  }
}

TEST_CASE("an answer that is included is not an own one") {
  const ToyLesson toy;
  toy.folder().write("mine/tcp.cpp",
                     "#include \"" + (toy.folder().path() / "solutions/01_toy/tcp.cpp").string() +
                         "\"\nint own;\n");
  const Candidate mine = toy.mine(nullptr);
  CHECK(words_of(mine, "server") ==
        "tcp.cpp includes solutions/01_toy/tcp.cpp: that is not its own code\n");
}

TEST_CASE("a source that does not compile is told in its own lines, and no old program is left") {
  const ToyLesson toy;
  toy.folder().write("mine/client.cpp", "int main() { return 0; }\n");
  REQUIRE(built(toy.mine(nullptr), "client"));
  toy.folder().write("mine/client.cpp", "int main() { return x; }\n");
  const Candidate mine = toy.mine(nullptr);
  CHECK_FALSE(built(mine, "client"));
  CHECK_FALSE(fs::exists(mine.folder / "client"));
  CHECK(words_of(mine, "client").find("lessons/01_toy/client.cpp:1:21: error: ") !=
        std::string::npos);
  CHECK(built(mine, "server"));
}
