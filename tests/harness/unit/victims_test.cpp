// What becomes of a check whose candidate misbehaves: it ends by itself, says the right words, and
// leaves no process, no folder and no port behind. Each case runs a real check (victims/check.cpp)
// on a real bad server (victims/server.cpp), as root if we are, and as a user without rights.

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "harness/base/address.hpp"
#include "harness/base/catch.hpp"
#include "harness/base/sources.hpp"
#include "harness/kernel/events.hpp"
#include "harness/kernel/lost_time.hpp"
#include "harness/kernel/proc.hpp"
#include "harness/processes/orphans.hpp"
#include "harness/processes/process.hpp"
#include "harness/processes/sandbox.hpp"
#include "harness/seen/recorder_log.hpp"
#include "harness/wire/stream.hpp"

namespace {

using namespace std::chrono_literals;
using kit::Exit;

const std::string victims = KIT_VICTIMS;

// Long enough for a check to be judged a hang by us, far above its own deadlines.
constexpr auto patience = 60s;

// In a test that is about being noticed at once, the check itself would wait this long.
constexpr const char* never = "3600000";

constexpr const char* manifest =
    "kit\ttest\n"
    "lesson\t90_victims\tprograms that misbehave\n"
    "program\tserver\tserver.cpp\n"
    "program\tclient\tclient.cpp\n"
    "slot\tslot.cpp\n"
    "uses\tserver\tslot.cpp\n"
    "task\t90.A\tslot.cpp\tVictim::serve\n"
    "step\t90.1\t8\tcore\tserver\tplain\t60\t90.A\ta server that misbehaves\n"
    "step\t90.2\t1\tcore\tserver\tplain\t60\t90.A\tthe step itself fails\n"
    "step\t90.3\t1\tcore\tserver\tplain\t60\t90.A\tcannot run here\n"
    "step\t90.4\t1\tcore\tserver\tplain\t60\t90.A\tthe kit is at fault\n"
    "step\t90.5\t1\tcore\tserver\tplain\t60\t90.A\tanother title\n"
    "step\t90.6\t1\tcore\tserver\tplain\t60\t90.A\ta program that does not exist\n"
    "step\t90.7\t8\tcore\tserver\tchecked\t60\t90.A\ta server under a sanitizer\n"
    "step\t90.8\t1\tcore\tserver\tplain\t60\t90.A\tred once, after a moment\n";

void write_file(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
  chmod(path.c_str(), 0666);
}

bool exists(const std::string& path) {
  struct stat status {};
  return lstat(path.c_str(), &status) == 0;
}

struct Request {
  std::string victim;
  std::string tag = "[90.1]";
  std::string deadline_ms = "400";
  bool as_root = geteuid() == 0;
  std::string timeout{};        // KIT_STEP_TIMEOUT
  std::string empty_program{};  // the text of build/kit/checked/empty, a script
};

// A check under way.
class CheckRun {
 public:
  explicit CheckRun(const Request& request) {
    // The folder belongs to the user that the check runs under.
    folder_ = place_.folder();
    sources_ = place_.make_folder("sources");
    write_file(sources_ + "/slot.cpp", "// a slot\nvoid Victim::serve() {}\n");
    // Older than the program, as after a build.
    const timespec long_ago[2] = {{1'000'000'000, 0}, {1'000'000'000, 0}};
    utimensat(AT_FDCWD, (sources_ + "/slot.cpp").c_str(), long_ago, 0);
    write_file(folder_ + "/manifest.txt", manifest);
    write_file(folder_ + "/notes", "");
    place_.give(folder_ + "/notes");
    if (!request.empty_program.empty()) {
      for (const char* const part : {"/build", "/build/kit", "/build/kit/checked"}) {
        mkdir((folder_ + part).c_str(), 0755);
        chmod((folder_ + part).c_str(), 0755);
      }
      write_file(folder_ + "/build/kit/checked/empty", request.empty_program);
      chmod((folder_ + "/build/kit/checked/empty").c_str(), 0755);
    }

    kit::ProcessOptions options = place_.options();
    if (request.as_root) options.user.reset();
    options.limits.processes = 0;
    options.command = {victims + "/check", request.tag};
    options.environment = {
        "KIT_CANDIDATE=" + victims + "/candidate",   "KIT_SOURCES=" + sources_,
        "KIT_MANIFEST=" + folder_ + "/manifest.txt", "KIT_ROOT=" + folder_,
        "KIT_BUILD=" + folder_ + "/build",           "KIT_RESULT=" + folder_ + "/result",
        "KIT_NOTES=" + folder_ + "/notes",           "KIT_VICTIM=" + request.victim,
        "KIT_DEADLINE_MS=" + request.deadline_ms,
    };
    if (!request.timeout.empty()) {
      options.environment.push_back("KIT_STEP_TIMEOUT=" + request.timeout);
    }
    if (const char* const scale = std::getenv("KIT_TIME_SCALE")) {
      options.environment.push_back(std::string("KIT_TIME_SCALE=") + scale);
    }
    process_ = std::make_unique<kit::Process>(options);
  }

  kit::Process& process() { return *process_; }
  const std::string& sources() const { return sources_; }

  Exit wait() {
    if (!process_->wait_exit(kit::after(patience))) FAIL("the check hangs");
    return *process_->exit();
  }

  std::string report() const { return std::string(process_->out().head()); }

  /// What the step wrote down: "folder", "address".
  std::string noted(const std::string& what) const {
    std::istringstream lines(kit::read_text(folder_ + "/notes").value_or(""));
    std::string last;  // of a step that was done again
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with(what + ' ')) last = line.substr(what.size() + 1);
    }
    return last;
  }

  void note(const std::string& line) const {
    std::ofstream(folder_ + "/notes", std::ios::app) << line << '\n';
  }

  /// A value of KIT_RESULT.
  std::string result(const std::string& key) const {
    std::istringstream lines(kit::read_text(folder_ + "/result").value_or(""));
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with(key + '\t')) return line.substr(key.size() + 1);
    }
    return {};
  }

  /// Nothing is left of what it started.
  void leaves_nothing() const {
    CHECK(kit::orphans().empty());
    const std::string folder = noted("folder");
    REQUIRE(!folder.empty());
    CHECK(!exists(folder));
    CHECK(!exists(folder.substr(0, folder.rfind('/'))));
    if (const auto address = kit::Address::parse(noted("address"))) {
      CHECK_THROWS(kit::Stream::connect(*address, kit::after(5s)));
    }
  }

 private:
  kit::Signals signals_;
  kit::Sandbox place_;
  std::string folder_, sources_;
  std::unique_ptr<kit::Process> process_;
};

// As root, with a uid for the step; and as somebody, with none.
std::vector<bool> users() {
  if (geteuid() == 0) return {true, false};
  return {false};
}

// Running text is broken into lines: words are looked for in it as if it were not.
std::string unbroken(const std::string& text) {
  std::string result;
  for (char c : text) {
    if (c == '\n' || c == ' ') {
      if (!result.ends_with(' ')) result += ' ';
    } else {
      result += c;
    }
  }
  return result;
}

struct Expected {
  std::string victim;
  std::vector<std::string> words;
  std::vector<std::string> not_words{};
  std::string deadline_ms = "400";
};

void check_fails(const Expected& expected) {
  for (const bool as_root : users()) {
    CheckRun run(
        {.victim = expected.victim, .deadline_ms = expected.deadline_ms, .as_root = as_root});
    const Exit how = run.wait();
    INFO(expected.victim << (as_root ? ", as root\n" : ", as a user\n") << run.report()
                         << run.process().err().head());
    CHECK(how == Exit{1, 0});
    CHECK(run.report().starts_with("90.1 a server that misbehaves  "));
    CHECK(run.report().find("0 of 8 points\n") != std::string::npos);
    for (const std::string& words : expected.words) {
      INFO("missing: " << words);
      CHECK(unbroken(run.report()).find(unbroken(words)) != std::string::npos);
    }
    for (const std::string& words : expected.not_words) {
      INFO("unwanted: " << words);
      CHECK(run.report().find(words) == std::string::npos);
    }
    CHECK(run.result("status") == "fail");
    CHECK(run.result("points") == "0");
    run.leaves_nothing();
  }
}

}  // namespace

TEST_CASE("a good server passes, and nothing but the verdict is printed") {
  for (const bool as_root : users()) {
    CheckRun run({.victim = "nothing-wrong", .as_root = as_root});
    const Exit how = run.wait();
    INFO(run.report() << run.process().err().head());
    CHECK(how == Exit{0, 0});
    CHECK(run.report().starts_with("90.1 a server that misbehaves  "));
    CHECK(run.report().ends_with("8 of 8 points\n"));
    CHECK(run.report().find('\n') == run.report().size() - 1);
    CHECK(run.process().err().size() == 0);
    CHECK(run.result("status") == "pass");
    CHECK(run.result("points") == "8");
    run.leaves_nothing();
  }
}

TEST_CASE("what a step does not ask for is looked at all the same") {
  check_fails({"keeps-a-socket", {"no socket left over", "A socket stays open"}});
  check_fails({"mutters",
               {"nothing else on stderr of the server", "somebody has come",
                "It reports an error where there is none"},
               {},
               never});
}

TEST_CASE("a server that never says it listens") {
  check_fails({"never-ready",
               {"one line on stdout: listening on", "nothing in ",
                "It listens (on 127.0.0.1:", "has not said so"}});
  check_fails({"not-flushed", {"has not said so", "flushed"}});
  check_fails({"no-newline", {"no newline at its end"}});
  check_fails({"wrong-words", {"\"Server started on port 9999!\""}});
  check_fails({"closes-stdout", {"has not said so"}});
}

TEST_CASE("a server that ends is noticed at once, not at the deadline") {
  check_fails({"ends-early",
               {"and it ended: exit 3", "ended before it listened",
                "| cannot listen on 127.0.0.1:0: bind: no luck"},
               {},
               never});
  check_fails({"exits", {"Your server ended (exit 0)", "end of file"}, {}, never});
  check_fails({"crashes", {"killed by SIGSEGV"}, {"This is what the step suspects."}, never});
  check_fails({"throws", {"abort()", "nobody catches me"}, {}, never});
  check_fails({"sigpipe", {"killed by SIGPIPE", "other side was gone"}, {}, never});
}

TEST_CASE("a hang is explained before it is ended") {
  check_fails({"silent",
               {"expected \"HELLO\" (5 bytes)", "got      nothing in ",
                "still running, with 1 thread, no child", "listening",
                "likely cause\n    This is what the step suspects."}});
  check_fails({"spins", {"computes without end"}});
  check_fails(
      {"ignores-sigterm",
       {"SIGTERM to the server", "it still runs after", "Told to end, the server does not"}});
}

TEST_CASE("a report, from its first line to its last") {
  CheckRun run({.victim = "silent"});
  run.wait();
  std::string report = run.report();
  const std::string port = run.noted("address").substr(std::string("127.0.0.1:").size());
  for (std::size_t at; (at = report.find(port)) != std::string::npos;) {
    report.replace(at, port.size(), "PORT");
  }
  if (const std::size_t at = report.find("PORT to 127.0.0.1:"); at != std::string::npos) {
    const std::size_t number = at + std::string("PORT to 127.0.0.1:").size();
    report.replace(number, report.find_first_of("\n", number) - number, "CLIENT");
  }
  CHECK(report ==
        "90.1 a server that misbehaves                                      0 of 8 points\n"
        "\n"
        "  what happened\n"
        "    1. started  server --port 0 --do silent     listening on 127.0.0.1:PORT\n"
        "    2. sent     \"hello\" (5 bytes)\n"
        "    3. expected \"HELLO\" (5 bytes)\n"
        "       got      nothing in 400 ms\n"
        "  what your server did\n"
        "    still running, with 1 thread, no child, 5 open descriptors\n"
        "    it waits in pause\n"
        "      3  socket 127.0.0.1:PORT, listening\n"
        "      4  socket 127.0.0.1:PORT to 127.0.0.1:CLIENT\n"
        "  likely cause\n"
        "    This is what the step suspects.\n"
        "  where to look\n"
        "    lessons/90_victims/slot.cpp:2   page: \"90.A\"\n"
        "  see it yourself\n"
        "    build/kit-show 90.1\n"
        "    or, without the check, in one terminal:\n"
        "    build/lessons/90_victims/server --port 9999 --do silent\n"
        "    in another:\n"
        "    build/kit-talk 127.0.0.1:9999 --send 'hello' --hold\n"
        "  run only this\n"
        "    build/kit-check 90.1\n");
}

TEST_CASE("a flood of output is drained, counted and cut") {
  check_fails({"floods", {"in a loop that prints without end"}, {}, never});
}

TEST_CASE("what escapes its group is found and ended") {
  check_fails({"daemonises", {"Your server ended (exit 0)"}});
  check_fails({"leaves-a-child", {"behind, still running", "neither ended nor waited for"}});
}

TEST_CASE("a fork bomb is ended, however it forks") {
  check_fails({"fork-bomb", {"expected \"HELLO\" (5 bytes)", "5 child processes"}});
}

TEST_CASE("a program cannot speak for the check") {
  check_fails({"fake-verdicts",
               {"\\x3cCTestDetails>", "\\x1b[2J", "1H01.1 passed", "    | {\"scores\""},
               {"<CTest", "\033", "\nGrade", "\n01.1", "\nAll tests"},
               never});
}

TEST_CASE("a folder that was made unreadable, and a very deep one, are removed") {
  for (const bool as_root : users()) {
    CheckRun run({.victim = "litters", .deadline_ms = "30000", .as_root = as_root});
    CHECK(run.wait() == Exit{0, 0});
    run.leaves_nothing();
  }
}

TEST_CASE("memory is limited") {
  check_fails({"takes-all-memory", {"std::bad_alloc"}, {}, never});
}

TEST_CASE("a program that kills its parent and everybody else kills nobody") {
  if (geteuid() != 0) return;  // under our own uid nothing prevents it: the page says so
  CheckRun run({.victim = "kills-everybody"});
  CHECK(run.wait() == Exit{1, 0});
  run.leaves_nothing();
}

#if defined(__linux__)
TEST_CASE("a program that traces its check does not end it") {
  check_fails({"traces-its-check", {"ended before it listened"}, {}, never});
}
#endif

TEST_CASE("a check that is interrupted leaves nothing, and ends as the signal asks") {
  for (const bool as_root : users()) {
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
      for (const char* const victim : {"silent", "ignores-sigterm", "fork-bomb", "daemonises"}) {
        CheckRun run({.victim = victim, .deadline_ms = never, .as_root = as_root});
        // It has a server, and waits for its answer (or is just about to).
        REQUIRE(kit::wait_until(
            [&] { return !run.noted("address").empty() || !run.process().running(); },
            kit::after(patience), 5ms));
        run.process().signal(number);
        const Exit how = run.wait();
        INFO(victim << ' ' << number << ": " << how.text() << '\n'
                    << run.report() << run.process().err().head());
        // One that had failed by itself in this very moment is no less clean.
        if (run.result("status") != "fail") CHECK(how == Exit{-1, number});
        run.leaves_nothing();
      }
    }
  }
}

// Also in the moments in which the step has failed and its result is being written, and before it
// has begun: the delay chooses where the signal falls, and each place has the same answer.
TEST_CASE("a signal at any moment of a check ends it, or comes too late") {
  for (const bool as_root : users()) {
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
      for (int at = 0; at < 40; ++at) {
        CheckRun run({.victim = "ends-early", .deadline_ms = never, .as_root = as_root});
        std::ignore = run.process().wait_exit(kit::Clock::now() + 250us * at);
        run.process().signal(number);
        const Exit how = run.wait();
        INFO(number << " after " << at * 250 << " us: " << how.text() << '\n'
                    << run.report() << run.process().err().head());
        if (run.result("status") != "fail") CHECK(how == Exit{-1, number});
        CHECK(kit::orphans().empty());
      }
    }
  }
}

TEST_CASE("what a check that was killed outright has left is removed by the next") {
  std::string folder;
  {
    CheckRun run({.victim = "silent", .deadline_ms = never});
    REQUIRE(
        kit::wait_until([&] { return !run.noted("address").empty(); }, kit::after(patience), 5ms));
    run.process().signal(SIGKILL);
    run.wait();
    folder = run.noted("folder");
    // Its server dies with it.
    CHECK(kit::wait_until([] { return kit::orphans().empty(); }, kit::after(patience), 5ms));
  }
  const kit::Sandbox next;
  CHECK(!exists(folder));
}

TEST_CASE("the step's own time ends before CTest's, with a report") {
  CheckRun run({.victim = "silent", .deadline_ms = never, .timeout = "0.5"});
  CHECK(run.wait() == Exit{1, 0});
  INFO(run.report());
  CHECK(run.report().find("the step is over within 60 s") != std::string::npos);
  run.leaves_nothing();
}

TEST_CASE("a step that failed while the check itself stood still is done again") {
  CheckRun run({.victim = "", .tag = "[90.8]"});
  REQUIRE(kit::wait_until([&] { return !run.noted("waits").empty(); }, kit::after(patience), 5ms));
  for (int i = 0; i < 3; ++i) {  // one of them meets it in a wait
    REQUIRE(kit::wait_until([&] { return kit::proc::asleep(run.process().pid()).has_value(); },
                            kit::after(patience), 5ms));
    run.process().signal(SIGSTOP);
    std::this_thread::sleep_for(600ms);
    run.process().signal(SIGCONT);
    std::this_thread::sleep_for(10ms);
  }
  run.note("goes on");
  CHECK(run.wait() == Exit{0, 0});
  CHECK(run.result("status") == "pass");
  run.leaves_nothing();
}

TEST_CASE("late is who loses much of a quarter of a second") {
  kit::Lateness machine;
  std::chrono::milliseconds now{1000};
  const auto note = [&](std::chrono::milliseconds later, std::chrono::milliseconds waited,
                        std::chrono::milliseconds overslept = 0ms) {
    machine.note(now += later, waited, overslept);
  };
  note(0ms, 5000ms);  // before the first look nothing was lost
  note(50ms, 5090ms);
  CHECK(!machine.take());
  note(50ms, 5110ms);
  CHECK(machine.take());
  CHECK(!machine.take());
  for (int i = 1; i <= 50; ++i) note(100ms, 5110ms + 20ms * i);  // a little, again and again
  CHECK(!machine.take());
  note(260ms, 6110ms);
  note(10ms, 6110ms, 300ms);
  CHECK(machine.take());
}

TEST_CASE("exit codes tell a failure, what cannot run here, and the kit's own error apart") {
  const auto exit_of = [](const std::string& tag, const std::string& status,
                          const std::string& words) {
    CheckRun run({.victim = "nothing-wrong", .tag = tag});
    const Exit how = run.wait();
    INFO(run.report());
    CHECK(run.report().find(words) != std::string::npos);
    CHECK(run.result("status") == status);
    return how;
  };
  CHECK(exit_of("[90.2]", "fail", "expected the sky is green\n       got      it is blue") ==
        Exit{1, 0});
  CHECK(exit_of("[90.3]", "skip", "cannot run here: the moon is in the wrong quarter") ==
        Exit{77, 0});
  CHECK(exit_of("[90.4]", "error", "The kit's own error, not yours:\n    a screw is loose") ==
        Exit{99, 0});
  CHECK(exit_of("[90.5]", "error", "the manifest calls step 90.5") == Exit{99, 0});
  CHECK(exit_of("[90.6]", "error", "Build it: cmake --build --preset lesson-90") == Exit{99, 0});
  CHECK(exit_of("[99.9]", "", "no such step") == Exit{99, 0});
}

TEST_CASE("whether a sanitizer starts here is seen with a program of the kit's own") {
  const auto judged = [](const std::string& victim, const std::string& empty_program) {
    CheckRun run({.victim = victim, .tag = "[90.7]", .empty_program = empty_program});
    const Exit how = run.wait();
    INFO(run.report());
    CHECK(run.result("status") == (how.code == 77 ? "skip" : "fail"));
    run.leaves_nothing();
    return how.code;
  };
  const std::string starts = "#!/bin/sh\nexit 0\n";
  const std::string does_not =
      "#!/bin/sh\necho 'FATAL: AddressSanitizer: no room here' >&2\nexit 1\n";
  // What the learner's program says decides nothing, and neither does its silence.
  CHECK(judged("blames-a-sanitizer", starts) == 1);
  CHECK(judged("blames-a-sanitizer", "") == 1);
  CHECK(judged("blames-a-sanitizer", does_not) == 77);
  CHECK(judged("ends-early", starts) == 1);
  CHECK(judged("ends-early", does_not) == 1);
}

TEST_CASE("what is proven by a call leads to its line") {
  if (!kit::RecorderLog::available()) return;
  const std::string text = kit::read_text(KIT_VICTIM_SOURCE).value_or("");
  const auto leads = [&text](const std::string& name, const std::string& words,
                             const std::string& mark) {
    CheckRun run({.victim = name, .tag = "[90.7]"});
    CHECK(run.wait() == Exit{1, 0});
    const auto line =
        std::count(text.begin(), text.begin() + static_cast<long>(text.find(mark)), '\n') + 1;
    INFO(line << '\n' << run.report());
    CHECK(run.report().find(words) != std::string::npos);
    CHECK(run.report().find("lessons/90_victims/server.cpp:" + std::to_string(line) + ' ') !=
          std::string::npos);
    run.leaves_nothing();
  };
  leads("closes-twice", "A descriptor was closed twice", "// by hand");
  leads("uses-closed", "A descriptor was used after it had been closed", "// after closing");
  leads("turns", "A loop turns", "// it turns");
  leads("looks-again-and-again", "A loop wakes again and again only to look", "// it looks");
}

TEST_CASE("a program older than its sources is not judged") {
  CheckRun run({.victim = "never-ready", .deadline_ms = never});
  // (It waits for its ready line meanwhile.) A new edit, and the next check:
  run.process().end();
  kit::Signals signals;
  write_file(run.sources() + "/slot.cpp", "// edited just now\n");
  const kit::Sandbox place;
  write_file(place.folder() + "/manifest.txt", manifest);
  kit::ProcessOptions options = place.options();
  options.user.reset();
  options.command = {victims + "/check", "[90.1]"};
  options.environment = {"KIT_CANDIDATE=" + victims + "/candidate", "KIT_SOURCES=" + run.sources(),
                         "KIT_MANIFEST=" + place.folder() + "/manifest.txt", "KIT_NOTES=/dev/null",
                         "KIT_VICTIM=nothing-wrong"};
  kit::Process process(options);
  REQUIRE(process.wait_exit(kit::after(patience)));
  INFO(process.out().head());
  CHECK(*process.exit() == Exit{1, 0});
  CHECK(process.out().head().find("built before your last edit of slot.cpp") != std::string::npos);
  CHECK(process.out().head().find("cmake --build --preset lesson-90") != std::string::npos);
}
