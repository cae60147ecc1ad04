// What a program finds itself with, and what it can do to a sandbox.

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__linux__)
#include <sched.h>
#include <sys/mount.h>
#endif

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "harness/base/catch.hpp"
#include "harness/base/descriptor.hpp"
#include "harness/kernel/events.hpp"
#include "harness/processes/process.hpp"
#include "harness/processes/sandbox.hpp"

namespace {

using namespace std::chrono_literals;
using kit::Exit;

const std::string server = std::string(KIT_VICTIMS) + "/candidate/server";

std::vector<std::string> lines_of(std::string_view text) {
  std::istringstream stream{std::string(text)};
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

bool has(const std::vector<std::string>& lines, const std::string& line) {
  return std::find(lines.begin(), lines.end(), line) != lines.end();
}

Exit run(kit::Process& process) {
  REQUIRE(process.wait_exit(kit::after(30s)));
  return *process.exit();
}

}  // namespace

TEST_CASE("a program starts with nothing of ours but what it was given") {
  const kit::Signals signals;
  kit::Sandbox place;
  // Things that must not be inherited: a descriptor, a variable, a disposition, a mask.
  const int leak = open("/dev/null", O_RDONLY);  // without close-on-exec, on purpose
  setenv("KIT_SECRET", "token", 1);
  signal(SIGUSR1, SIG_IGN);
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR2);
  sigprocmask(SIG_BLOCK, &blocked, nullptr);

  const int given = open("/dev/null", O_RDONLY | O_CLOEXEC);
  kit::ProcessOptions options = place.options();
  options.command = {place.reachable(server), "--do", "tells"};
  options.environment = {"KIT_GIVEN=yes"};
  options.umask = 027;
  options.limits.open_files = 77;
  options.inherited = {{given, 40}};
  kit::Process process(options);
  CHECK(run(process) == Exit{0, 0});

  sigprocmask(SIG_UNBLOCK, &blocked, nullptr);
  signal(SIGUSR1, SIG_DFL);
  unsetenv("KIT_SECRET");
  close(leak);
  close(given);

  const auto lines = lines_of(process.out().head());
  INFO(process.out().head() << process.err().head());
  std::set<std::string> descriptors, variables;
  for (const std::string& line : lines) {
    if (line.starts_with("descriptor ")) descriptors.insert(line);
    if (line.starts_with("variable ")) variables.insert(line.substr(9, line.find('=') - 9));
  }
  CHECK(descriptors ==
        std::set<std::string>{"descriptor 0", "descriptor 1", "descriptor 2", "descriptor 40"});
  CHECK(variables ==
        std::set<std::string>{"PATH", "LANG", "LC_ALL", "TZ", "HOME", "TMPDIR", "KIT_GIVEN"});
  for (const std::string& line : lines) {
    CHECK(!line.starts_with("blocked"));
    CHECK(!line.starts_with("not default"));
  }
  CHECK(has(lines, "umask 027"));
  CHECK(has(lines, "folder " + place.folder()));
  CHECK(has(lines, "own group yes"));
  CHECK(has(lines, "terminal no no"));
  CHECK(has(lines, "core 0"));
  CHECK(has(lines, "nofile 77"));
  CHECK(has(lines, "end of input"));
  if (geteuid() == 0) {
    CHECK(has(lines, "uid " + std::to_string(place.user().value())));
    CHECK(place.user().value() >= 60600);
  }
}

TEST_CASE("standard input from us, by a pipe and by a terminal") {
  const kit::Signals signals;
  kit::Sandbox place;
  kit::ProcessOptions options = place.options();
  options.command = {place.reachable(server), "--do", "tells"};
  options.input = kit::Input::pipe;
  {
    kit::Process process(options);
    process.write_input("ab");
    process.close_input();
    CHECK(run(process) == Exit{0, 0});
    const auto lines = lines_of(process.out().head());
    CHECK(has(lines, "input a"));
    CHECK(has(lines, "input b"));
    CHECK(has(lines, "terminal no no"));
  }
  options.terminal = kit::Terminal::input_and_output;
  {
    kit::Process process(options);
    process.write_input("c\n");
    process.close_input();
    CHECK(run(process) == Exit{0, 0});
    const auto lines = lines_of(process.out().head());
    INFO(process.out().head());
    CHECK(has(lines, "input c"));
    CHECK(has(lines, "terminal yes yes"));
    CHECK(has(lines, "end of input"));
  }
  options.terminal = kit::Terminal::output;
  options.input = kit::Input::nothing;
  {
    kit::Process process(options);
    CHECK(run(process) == Exit{0, 0});
    CHECK(has(lines_of(process.out().head()), "terminal no yes"));
  }
}

TEST_CASE("a program that cannot be started is an error that names the call") {
  const kit::Signals signals;
  kit::Sandbox place;
  kit::ProcessOptions options = place.options();
  options.command = {"/nowhere/at/all"};
  CHECK_THROWS_WITH(kit::Process(options),
                    Catch::Matchers::StartsWith("execve of /nowhere/at/all"));
}

TEST_CASE("the end of a process is told in words") {
  CHECK(Exit{0, 0}.text() == "exit 0");
  CHECK(Exit{-1, SIGSEGV}.text() == "killed by SIGSEGV (it used memory that is not its own)");
  CHECK(Exit{0, 0}.clean());
  CHECK(!Exit{1, 0}.clean());
  CHECK(!Exit{-1, SIGTERM}.clean());
}

TEST_CASE("two sandboxes share neither folder nor user") {
  const kit::Sandbox one, two;
  CHECK(one.folder() != two.folder());
  CHECK(one.folder().size() <= 17);
  if (geteuid() == 0) CHECK(one.user() != two.user());
  struct stat status {};
  REQUIRE(stat(one.folder().c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0700);
  if (one.user()) CHECK(status.st_uid == *one.user());
}

#if defined(__linux__)
TEST_CASE("two sandboxes share no user, though neither sees the other's locks") {
  const kit::Sandbox one;
  if (!one.user()) return;
  const pid_t other = fork();
  if (other == 0) {
    // As in a container that has the processes in common with us, and no file.
    constexpr int not_here = 77;
    if (unshare(CLONE_NEWNS) != 0 ||
        mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount("none", "/run", "tmpfs", 0, "mode=0755") != 0) {
      _exit(not_here);
    }
    const auto user = kit::User::claim(one.user());
    _exit(user && user->uid() != *one.user() ? 0 : 1);
  }
  int status = 0;
  REQUIRE(waitpid(other, &status, 0) == other);
  CHECK(WIFEXITED(status));
  CHECK((WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 77));
}
#endif

TEST_CASE("a program in a closed folder is copied to where its user can run it") {
  kit::Sandbox place;
  const kit::Sandbox closed;  // 0700, another user's
  const std::string program = closed.folder() + "/program";
  {
    std::ifstream from(server, std::ios::binary);
    std::ofstream(program, std::ios::binary) << from.rdbuf();
  }
  chmod(program.c_str(), 0755);
  const kit::Signals signals;
  kit::ProcessOptions options = place.options();
  options.command = {place.reachable(program), "--do", "tells"};
  CHECK((geteuid() != 0 || options.command.front() != program));
  kit::Process process(options);
  CHECK(run(process) == Exit{0, 0});
  CHECK(place.reachable("/bin/sh") == "/bin/sh");
}

TEST_CASE("a folder is removed with all that is in it") {
  std::string folder;
  {
    const kit::Sandbox place;
    folder = place.folder();
    mkdir((folder + "/a").c_str(), 0700);
    mkdir((folder + "/a/b").c_str(), 0700);
    std::ofstream(folder + "/a/b/file") << "text";
    CHECK(symlink("/etc", (folder + "/a/link").c_str()) == 0);
    chmod((folder + "/a/b").c_str(), 0);
    chmod((folder + "/a").c_str(), 0);
  }
  CHECK(access(folder.c_str(), F_OK) != 0);
  CHECK(access("/etc/passwd", F_OK) == 0);
}

TEST_CASE("waiting goes on while others are served, and ends at the deadline") {
  const kit::Signals signals;
  CHECK(!kit::wait_until([] { return false; }, kit::after(20ms)));
  CHECK(kit::wait_until([] { return true; }, kit::after(0ms)));
  int asked = 0;
  CHECK(kit::wait_until([&] { return ++asked == 5; }, kit::after(30s), 1ms));
  // A signal that came before the wait is not missed.
  raise(SIGINT);
  CHECK_THROWS_AS(kit::wait_until([] { return false; }, kit::after(30s)), kit::Interrupted);
  {
    const kit::Uninterrupted cleaning;
    CHECK(!kit::wait_until([] { return false; }, kit::after(1ms)));
  }
}

TEST_CASE("what the machine keeps from the check or from a program is no part of a wait") {
  const kit::Signals signals;
  SECTION("the check was not woken") {
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    const kit::Descriptor reader(ends[0]), writer(ends[1]);
    REQUIRE(write(writer.get(), "x", 1) == 1);
    int asked = 0;
    const kit::Watch stands_still(reader.get(), POLLIN, [&](short) {
      char byte;
      if (read(reader.get(), &byte, 1) == 1) std::this_thread::sleep_for(1200ms);
    });
    CHECK(kit::wait_until([&] { return ++asked == 3; }, kit::after(1s), 1ms));
  }
#if defined(__linux__)
  SECTION("a program waits for what no signal interrupts") {
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    const kit::Descriptor reader(ends[0]), writer(ends[1]);
    const pid_t program = fork();
    REQUIRE(program >= 0);
    if (program == 0) {
      // Whoever calls vfork sleeps so until its child has ended.
      if (vfork() == 0) {
        const timespec time{2, 0};
        nanosleep(&time, nullptr);
        _exit(0);
      }
      _exit(write(writer.get(), "x", 1) == 1 ? 0 : 1);
    }
    CHECK(kit::wait_for(reader.get(), POLLIN, kit::after(1500ms)));
    waitpid(program, nullptr, 0);
  }
#endif
  SECTION("a program that sleeps has had its time") {
    const pid_t program = fork();
    REQUIRE(program >= 0);
    if (program == 0) {
      for (;;) pause();
    }
    CHECK(!kit::wait_until([] { return false; }, kit::after(600ms)));
    kill(program, SIGKILL);
    waitpid(program, nullptr, 0);
  }
}
