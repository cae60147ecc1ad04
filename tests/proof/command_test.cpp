// Commands: how they end, what they said, and that nothing of them is left.

#include "command.hpp"

#include <signal.h>
#include <sys/wait.h>

#include <atomic>
#include <filesystem>
#include <thread>
#include <vector>

#include "folder.hpp"
#include "harness/base/catch.hpp"

using namespace kit;
using std::chrono::milliseconds;

namespace {

Command shell(const std::string& script, milliseconds limit = milliseconds{20'000}) {
  Command command;
  command.arguments = {"/bin/sh", "-c", script};
  command.environment = {"WORD=hello"};
  command.folder = "/";
  command.time_limit = limit;
  return command;
}

}  // namespace

TEST_CASE("a command's status, words, environment and folder") {
  const Outcome outcome = run_command(shell("echo $WORD; pwd >&2; cat; exit 3"));
  CHECK(outcome.end == Outcome::End::exited);
  CHECK(outcome.code == 3);
  CHECK(outcome.output == "hello\n/\n");
}

TEST_CASE("a program that is not there ends with 127") {
  CHECK(run_command({{"/no/such/program"}, {}, "/"}).code == 127);
}

TEST_CASE("a command killed by a signal says so") {
  const Outcome outcome = run_command(shell("kill -9 $$"));
  CHECK(outcome.end == Outcome::End::killed);
  CHECK(outcome.code == SIGKILL);
}

TEST_CASE("output beyond the limit is drained and dropped") {
  const Outcome outcome = run_command(shell("head -c 3000000 /dev/zero; exit 4"));
  CHECK(outcome.code == 4);
  CHECK(outcome.output.size() == 256 * 1024);
}

TEST_CASE("at its time limit a command is killed with all of its group") {
  const auto start = std::chrono::steady_clock::now();
  const Outcome outcome = run_command(shell("sleep 100 & echo $!; wait", milliseconds{200}));
  CHECK(outcome.end == Outcome::End::timed_out);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(100));
  const pid_t child = std::stoi(outcome.output);
  // Its parent is gone: init reaps it, or it is a zombie by now. Either way it does not run.
  for (int i = 0; i < 1000 && ::kill(child, 0) == 0; ++i) {
    std::FILE* file = std::fopen(("/proc/" + std::to_string(child) + "/stat").c_str(), "r");
    if (file == nullptr) break;
    char state = '?';
    const int got = std::fscanf(file, "%*d %*s %c", &state);
    std::fclose(file);
    if (got == 1 && state == 'Z') break;
    if (i == 999) FAIL("the child still runs");
    run_command(shell("true"));
  }
}

TEST_CASE("a command with a grace may clean up") {
  Command command =
      shell("trap 'echo cleaned; exit 0' TERM; while :; do read x; done", milliseconds{200});
  command.arguments[2] = "trap 'echo cleaned; exit 0' TERM; sleep 100 & wait";
  command.grace = milliseconds{10'000};
  const Outcome outcome = run_command(command);
  CHECK(outcome.end == Outcome::End::timed_out);
  CHECK(outcome.output == "cleaned\n");
}

TEST_CASE("work in parallel is done once each, and its exception comes through") {
  std::atomic<int> sum{0};
  in_parallel(100, 7, [&](std::size_t i) { sum += static_cast<int>(i); });
  CHECK(sum == 4950);
  CHECK_THROWS_AS(in_parallel(3, 2,
                              [](std::size_t i) {
                                if (i == 1) throw std::runtime_error("x");
                              }),
                  std::runtime_error);
}

TEST_CASE("what is copied while no child is made can be run at once, whoever starts commands") {
  const TemporaryFolder folder;
  std::atomic<bool> over{false};
  std::vector<std::jthread> others;
  for (int i = 0; i < 6; ++i) {
    others.emplace_back([&] {
      while (!over) run_command({{"/bin/true"}, {}, "/"});
    });
  }
  int busy = 0;
  for (int i = 0; i < 100; ++i) {
    const std::filesystem::path copy = folder.path() / std::to_string(i);
    {
      const auto no_child = no_child_meanwhile();
      std::filesystem::copy_file("/bin/true", copy);
    }
    if (run_command({{copy.string()}, {}, "/"}).code != 0) ++busy;  // "Text file busy"
  }
  over = true;
  CHECK(busy == 0);
}
