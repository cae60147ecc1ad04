// kit-bench as a person meets it: what it says to a wrong option, and that nothing is left running.

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "client_socket.hpp"
#include "harness/base/catch.hpp"
#include "load.hpp"
#include "process_cost.hpp"

namespace kit::bench {
namespace {

namespace fs = std::filesystem;

class Program {
 public:
  Program(std::vector<std::string> words, const fs::path& output) {
    words.insert(words.begin(), KIT_BENCH_PROGRAM);
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ != 0) return;
    const int fd = ::open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ::dup2(fd, STDOUT_FILENO);
    ::dup2(fd, STDERR_FILENO);
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
  }

  [[nodiscard]] pid_t pid() const { return pid_; }

  // -1 if it was killed by a signal.
  int status() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t pid_ = -1;
};

std::string text_of(const fs::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

bool contains(const std::string& text, const std::string& words) {
  return text.find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("a wrong option is named, with the usage", "[bench]") {
  const TemporaryFolder folder;
  const fs::path said = folder.path() / "said";
  for (const auto& [words, sentence] :
       std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"--fast"}, "kit-bench: there is no option '--fast'\nusage: kit-bench"},
           {{"--form", "huge"}, "kit-bench: --form is one of short, full, not 'huge'\nusage:"},
           {{"--servers", "none", "--server", "x"}, "kit-bench: --server takes NAME=COMMAND"},
           {{"--servers", "none", "--server", "x=y", "--only", "z"},
            "no group of loads is called z"}}) {
    CHECK(Program(words, said).status() == 2);
    CHECK(contains(text_of(said), sentence));
  }
  CHECK(Program({"--help"}, said).status() == 0);
  CHECK(contains(text_of(said), "--spread"));
}

TEST_CASE("a wrong answer is reported and makes the run fail; the files are written", "[bench]") {
  const TemporaryFolder folder;
  const fs::path said = folder.path() / "said";
  Program bench({"--servers", "none", "--only", "udp", "--out", folder.path().string(), "--server",
                 std::string("sync@udp=") + KIT_BENCH_BROKEN + " flipped --datagram"},
                said);
  CHECK(bench.status() == 1);
  INFO(text_of(said));
  CHECK(contains(text_of(said), "WRONG  synchronous, 1 client, udp: client 1, line 4: expected "));
  CHECK(contains(text_of(folder.path() / "table.txt"), "void: client 1, line 4"));
  for (const char* file : {"results.csv", "costs.md", "costs-transports.svg"})
    CHECK(fs::file_size(folder.path() / file) > 100);
}

TEST_CASE("what is not written yet is left out", "[bench]") {
  const TemporaryFolder folder;
  const fs::path said = folder.path() / "said";
  Program bench({"--servers", "none", "--only", "udp", "--out", folder.path().string(), "--server",
                 std::string("sync@udp=") + KIT_BENCH_BROKEN + " cannot-start", "--server",
                 std::string("threads@udp=") + KIT_BENCH_BROKEN + " none --datagram"},
                said);
  CHECK(bench.status() == 0);
  CHECK(contains(text_of(said), "The synchronous server over udp is left out: "));
  CHECK(contains(text_of(said), "not written: TCPServer::server_bind (01.C)"));
}

TEST_CASE("nothing to measure is said, and writes nothing", "[bench]") {
  const TemporaryFolder folder;
  const fs::path said = folder.path() / "said";
  Program bench({"--servers", "none", "--only", "udp", "--out", folder.path().string(), "--server",
                 std::string("sync@udp=") + KIT_BENCH_BROKEN + " cannot-start"},
                said);
  CHECK(bench.status() == 1);
  CHECK(contains(text_of(said), "is left out: it ended before it listened: not written: "));
  CHECK(contains(text_of(said), "kit-bench: nothing could be measured"));
  CHECK_FALSE(fs::exists(folder.path() / "results.csv"));
}

TEST_CASE("interrupted, it leaves nothing running", "[bench]") {
  const TemporaryFolder folder;
  const fs::path said = folder.path() / "said";
  Program bench({"--servers", "none", "--out", folder.path().string(), "--server",
                 std::string("threads=") + KIT_BENCH_BROKEN + " stubborn"},
                said);
  std::vector<pid_t> processes;
  const auto deadline = Clock::now() + std::chrono::seconds(20);
  while (processes.size() < 2 && Clock::now() < deadline) {
    processes = process_tree(bench.pid());
    ::poll(nullptr, 0, 1);
  }
  REQUIRE(processes.size() >= 2);
  ::kill(bench.pid(), SIGINT);
  CHECK(bench.status() == 130);
  for (const pid_t pid : processes) CHECK(::kill(pid, 0) == -1);
  CHECK(contains(text_of(said), "interrupted"));
  CHECK_FALSE(fs::exists(folder.path() / "results.csv"));
}

}  // namespace kit::bench
