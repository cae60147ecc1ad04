// The learner's loop as a learner has it: kit-watch in a terminal, and a file that is saved.

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "harness/base/catch.hpp"
#include "harness/base/descriptor.hpp"
#include "harness/base/sources.hpp"
#include "harness/kernel/events.hpp"
#include "harness/processes/orphans.hpp"
#include "harness/processes/process.hpp"
#include "harness/said/report.hpp"
#include "judge.hpp"
#include "page.hpp"
#include "prediction.hpp"
#include "terminal.hpp"

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

const fs::path root = KIT_ROOT_FOLDER;
const fs::path build = KIT_BUILD_FOLDER;

// For a step that is built and checked on a machine that has other things to do.
constexpr auto patience = 240s;

/// A copy of lesson 01 that belongs to the test.
class Lessons {
 public:
  Lessons() {
    std::string name = (fs::temp_directory_path() / "kit-watch-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp " + name);
    folder_ = name;
    fs::create_directories(folder_ / "01_tcp_echo");
    for (const char* file : {"client.cpp", "server.cpp", "tcp_server.cpp"}) save("lessons", file);
  }
  Lessons(const Lessons&) = delete;
  Lessons& operator=(const Lessons&) = delete;
  ~Lessons() { fs::remove_all(folder_); }

  /// As most editors do it: another file takes the old one's name.
  void save(const std::string& from, const std::string& file) const {
    const fs::path to = folder_ / "01_tcp_echo" / file;
    const std::string text = *kit::read_text(root / from / "01_tcp_echo" / file);
    std::ofstream(to.string() + "~") << text;
    fs::rename(to.string() + "~", to);
  }
  const fs::path& folder() const { return folder_; }

 private:
  fs::path folder_;
};

/// kit-watch 01 in a terminal of its own.
class Watched {
 public:
  Watched(const Lessons& lessons, const std::string& term) : process_(options(lessons, term)) {}

  /// Waits until the words have come since the last call.
  void expect(const std::string& words) {
    std::size_t at = std::string::npos;
    const auto came = [&] {
      at = process_.out().head().find(words, seen_);
      return at != std::string::npos || !process_.running();
    };
    kit::wait_until(came, kit::after(patience));
    const std::string shown(process_.out().head().substr(seen_));
    INFO("waiting for \"" << words << "\", with this on the screen:\n" << shown);
    REQUIRE(at != std::string::npos);
    seen_ = at + words.size();
  }
  void press(const std::string& keys) { process_.write_input(keys); }
  kit::Process& process() { return process_; }

 private:
  static kit::ProcessOptions options(const Lessons& lessons, const std::string& term) {
    kit::ProcessOptions options;
    options.command = {(build / "kit-watch").string(), "01", "--lessons",
                       lessons.folder().string()};
    options.environment = {"TERM=" + term};
    for (const char* name : {"PATH", "KIT_TIME_SCALE"}) {
      if (const char* value = std::getenv(name)) {
        options.environment.push_back(std::string(name) + '=' + value);
      }
    }
    options.folder = lessons.folder().string();
    options.limits = {0, 0, 0, 0, 0};
    options.terminal = kit::Terminal::input_and_output;
    return options;
  }

  kit::Process process_;
  std::size_t seen_ = 0;
};

/// Without marks for code, and with one blank where there are more, or a line ends.
std::string in_one_line(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const bool blank = c == ' ' || c == '\n';
    if (c == '`' || (blank && out.ends_with(' '))) continue;
    out += blank ? ' ' : c;
  }
  return out;
}

}  // namespace

TEST_CASE("a save is judged, green goes on by itself, and Ctrl-C leaves nothing behind") {
  const kit::Signals signals;
  const Lessons lessons;
  Watched watch(lessons, "xterm");
  // The report can be there before the line above it says so, and what is there is not sent again.
  watch.expect("01.1 not yet");
  CHECK(watch.process().out().head().find("connect_to (01.A)") != std::string_view::npos);

  watch.press("h");
  watch.expect("Hint 1: where to look");
  watch.press("h");
  watch.expect("Hint 2: what to check");
  watch.press("p");
  watch.expect("0 of 100  a synchronous TCP server");

  lessons.save("solutions", "client.cpp");
  watch.expect("18 of 60 core");
  watch.expect("[4]");
  watch.expect("01.4 not yet");

  // What was green and is broken again is noticed, though it was not the step in work.
  lessons.save("lessons", "client.cpp");
  watch.expect("01.1 not yet");

  watch.press("\x03");
  REQUIRE(watch.process().wait_exit(kit::after(patience)));
  CHECK(watch.process().exit()->clean());
  watch.expect("\x1b[?25h\x1b[?1049l");
  watch.expect("01: 0 of 60 core points. Next: 01.1, client.cpp:");
  // A compiler that was cut off may need a moment more.
  CHECK(kit::wait_until([] { return kit::orphans().empty(); }, kit::after(patience), 10ms));
}

TEST_CASE("a prediction is answered once its step is green, and said to be missing before") {
  const kit::Signals signals;
  const Lessons lessons;
  const kit::Desk desk{root, build, lessons.folder()};
  const kit::Manifest manifest = desk.manifest();
  const kit::Judge judge(desk, manifest.lessons().front(), 1);
  lessons.save("lessons", "predictions.txt");
  CHECK(kit::predictions_line(judge) == "predictions: 0 of 2 written (predictions.txt), 0 decided");
  std::string text = *kit::read_text(root / "lessons/01_tcp_echo/predictions.txt");
  text.replace(text.find("\nanswer:"), 8, "\nanswer: twice,\n  each time with 5");
  std::ofstream(lessons.folder() / "01_tcp_echo/predictions.txt") << text;
  CHECK(kit::predictions_line(judge) == "predictions: 1 of 2 written (predictions.txt), 0 decided");
  CHECK(kit::decided_predictions(judge).empty());

  lessons.save("solutions", "tcp_server.cpp");
  lessons.save("solutions", "server.cpp");
  REQUIRE(judge.judge(*judge.lesson().step("01.7"), [](const std::string&) {}).passed());
  CHECK(kit::predictions_line(judge) == "predictions: 1 of 2 written (predictions.txt), 1 decided");
  const std::string told = kit::newly_decided_predictions(judge);
  CHECK(told.find("you said: twice, each time with 5\n") != std::string::npos);
  CHECK(told.find("it is so: Nobody can know") != std::string::npos);
  CHECK(kit::newly_decided_predictions(judge).empty());
  CHECK(kit::decided_predictions(judge) == told);
}

TEST_CASE("a step that was green is to be checked again when one of its files has changed") {
  const kit::Signals signals;
  const Lessons lessons;
  const kit::Desk desk{root, build, lessons.folder()};
  const kit::Manifest manifest = desk.manifest();
  const kit::Judge judge(desk, manifest.lessons().front(), 1);
  lessons.save("solutions", "client.cpp");
  const kit::StepEntry& first = judge.lesson().steps.front();
  CHECK(kit::last_line(judge).find("Next: " + first.id + ", client.cpp:") != std::string::npos);
  REQUIRE(judge.judge(first, [](const std::string&) {}).passed());
  CHECK(kit::last_line(judge).find("Next: " + first.id) == std::string::npos);
  std::ofstream(lessons.folder() / "01_tcp_echo/client.cpp", std::ios::app) << "// more\n";
  CHECK(kit::last_line(judge).ends_with("Next: " + first.id + " again: its files changed"));
}

TEST_CASE("every prediction of a page has its question, its step, and what is so") {
  const kit::Manifest manifest = kit::Desk{root, build}.manifest();
  for (const kit::Lesson& lesson : manifest.lessons()) {
    const kit::Judge judge({root, build}, lesson, 1);
    const std::string page =
        in_one_line(kit::read_text(root / "lessons" / lesson.name / "README.md").value_or(""));
    const auto all = kit::predictions(judge);
    CHECK(all.size() >= 2);
    for (const kit::Prediction& prediction : all) {
      INFO(lesson.name << ": " << prediction.question);
      CHECK(page.find("- " + prediction.question) != std::string::npos);
      CHECK_FALSE(prediction.written());
      CHECK(lesson.step(prediction.step) != nullptr);
      CHECK_FALSE(prediction.truth.empty());
    }
  }
}

TEST_CASE("a terminal that cannot move its cursor gets plain lines") {
  const kit::Signals signals;
  const Lessons lessons;
  Watched watch(lessons, "dumb");
  watch.expect("01.1 not yet");
  watch.press("q");
  REQUIRE(watch.process().wait_exit(kit::after(patience)));
  CHECK(watch.process().exit()->clean());
  CHECK(watch.process().out().head().find('\x1b') == std::string_view::npos);
}

TEST_CASE("a lesson has begun when its first hole is filled, and not before") {
  const Lessons lessons;
  const kit::Desk desk{root, build, lessons.folder()};
  const kit::Manifest manifest = desk.manifest();
  for (const kit::Lesson& lesson : manifest.lessons()) {
    INFO("lesson " << lesson.number());
    CHECK_FALSE(kit::Judge({root, build}, lesson, 1).begun());
  }
  lessons.save("solutions", "client.cpp");
  CHECK(kit::Judge(desk, manifest.lessons().front(), 1).begun());
}

TEST_CASE("hints are found below the heading of their task") {
  const std::string page =
      "## 01.A One\n<details><summary>Hint 1: where</summary><blockquote>\n\nman 2 bind\n\n"
      "</blockquote></details>\n## 01.B Two\n<details><summary>Hint 1: what</summary><blockquote>\n"
      "\n    code\n\n</blockquote></details>\n<details><summary>Hint 2: how</summary><blockquote>\n"
      "\nlast\n\n</blockquote></details>\n";
  const auto hints = kit::hints_of(page, "01.B");
  REQUIRE(hints.size() == 2);
  CHECK(hints[0].title == "Hint 1: what");
  CHECK(hints[0].text == "    code\n\n");
  CHECK(hints[1].title == "Hint 2: how");
  CHECK(kit::hints_of(page, "01.C").empty());
}

TEST_CASE("the paragraphs of a hint are lines of their own, and code stays as it is") {
  const std::string page =
      "## 01.A One\n<details><summary>Hint 1: what</summary><blockquote>\n\none\ntwo\n\n- three\n"
      "  four\n- five\n\n    int six;\n    int seven;\n\n</blockquote></details>\n";
  CHECK(kit::hints_of(page, "01.A").at(0).text ==
        "one two\n\n- three four\n- five\n\n    int six;\n    int seven;\n\n");
}

TEST_CASE("what is said of a step fits a terminal of 80 columns") {
  const kit::Manifest manifest = kit::Desk{root, build}.manifest();
  for (const kit::Lesson& lesson : manifest.lessons()) {
    for (const kit::StepEntry& step : lesson.steps) {
      const std::string header = kit::header(step, 0, 80);
      INFO(header);
      const std::size_t last = header.rfind('\n', header.size() - 2) + 1;
      CHECK(header.size() - last <= 81);  // with its newline
      CHECK(header.ends_with(" points\n"));
      CHECK(kit::wrap(header, 80).size() <= 3);
    }
  }
}

TEST_CASE("long lines are broken at blanks, and keep their indentation") {
  CHECK(kit::wrap("one two three\n", 8) == std::vector<std::string>{"one two", "three"});
  CHECK(kit::wrap("  one two three", 9) == std::vector<std::string>{"  one two", "  three"});
  CHECK(kit::wrap("123456789", 4) == std::vector<std::string>{"1234", "5678", "9"});
  CHECK(kit::wrap("a\n\nb\n", 4) == std::vector<std::string>{"a", "", "b"});
}

TEST_CASE("a report has colours on a terminal that knows them, and the same words everywhere") {
  const std::string report =
      "01.7 a message in pieces comes back whole      0 of 8 points\n\n"
      "  what happened\n"
      "    3. expected \"WORLD\" (5 bytes)\n"
      "       got      end of file\n"
      "  what your server did\n"
      "    recv(6, 16384) = -1 EINTR (told by the check)\n";
  const std::string painted = kit::paint_lines(kit::Style::always(), report);
  for (const char* line :
       {"\x1b[1m  what happened\x1b[0m\n", "\x1b[31m       got      end of file\x1b[0m\n",
        "\x1b[33m    recv(6, 16384) = -1 EINTR (told by the check)\x1b[0m\n",
        "\n    3. expected \"WORLD\" (5 bytes)\n"}) {
    INFO(painted);
    CHECK(painted.find(line) != std::string::npos);
  }
  std::string words = painted;
  for (std::size_t at; (at = words.find('\x1b')) != std::string::npos;) {
    words.erase(at, words.find('m', at) + 1 - at);
  }
  CHECK(words == report);

  const auto on = [&report](int fd) { return kit::paint_lines(kit::Style(fd), report); };
  const kit::Descriptor file(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  CHECK(on(file.get()) == report);
  const kit::Descriptor leader(::posix_openpt(O_RDWR | O_NOCTTY));
  REQUIRE((leader && ::grantpt(leader.get()) == 0 && ::unlockpt(leader.get()) == 0));
  const kit::Descriptor terminal(::open(::ptsname(leader.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
  REQUIRE(terminal);
  ::unsetenv("NO_COLOR");
  ::setenv("TERM", "xterm", 1);
  CHECK(on(terminal.get()) == painted);
  ::setenv("TERM", "dumb", 1);
  CHECK(on(terminal.get()) == report);
  ::setenv("TERM", "xterm", 1);
  ::setenv("NO_COLOR", "1", 1);
  CHECK(on(terminal.get()) == report);
  ::unsetenv("NO_COLOR");
}
