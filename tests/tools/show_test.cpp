// kit-show: its two columns; and the program itself, with wrong answers and right ones.

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/base/catch.hpp"
#include "harness/base/descriptor.hpp"
#include "harness/base/escape.hpp"
#include "harness/base/sources.hpp"
#include "harness/shown/replay.hpp"
#include "judge.hpp"
#include "proof/command.hpp"
#include "proof/folder.hpp"
#include "proof/mutant.hpp"
#include "show.hpp"

namespace {

namespace fs = std::filesystem;
using Event = kit::Replay::Event;

const fs::path root = KIT_ROOT_FOLDER;
const fs::path build = KIT_BUILD_FOLDER;

kit::Replay a_replay() {
  kit::Replay replay;
  replay.id = "01.4";
  replay.title = "answers";
  replay.seed = 7;
  replay.status = "fail";
  replay.cause = "a cause";
  replay.expected = "\"HELLO\" (5 bytes)";
  replay.got = "\"HEllo\" (5 bytes)";
  replay.caret = "   ";
  replay.programs = {{"server", 1}};
  replay.partners = {"client 1", "client 2"};
  Event sent{.time = 1'000'000, .who = "client 2", .verb = "sent", .text = "\"hello\" (5 bytes)"};
  Event recv{.kind = Event::Kind::call, .time = 2'000'000, .who = "server", .verb = "recv"};
  recv.text = "recv(4, 1024) = 5 \"hello\"";
  recv.pid = 1;
  recv.tid = 2;
  Event fault{.kind = Event::Kind::fault, .time = 3'000'000, .who = "client 2"};
  replay.events = {sent, recv, fault};
  return replay;
}

std::string text_of(const kit::Replay& replay) {
  std::string text;
  const auto add = [&text](const std::vector<std::string>& lines) {
    for (const std::string& line : lines) text += line + '\n';
  };
  add(kit::heading_of(replay));
  for (const kit::ShownRow& row : kit::columns_of(replay)) add(row.lines);
  add(kit::ending_of(replay));
  return text;
}

void check_width(const std::string& text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    const std::string line = text.substr(at, end - at);
    INFO(line);
    CHECK(kit::width_of(line) <= 80);
    CHECK(std::ranges::none_of(
        line, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }));
    at = end + 1;
  }
}

kit::Outcome run(std::vector<std::string> arguments, const std::string& more = "KIT=1") {
  arguments.front() = (build / arguments.front()).string();
  std::vector<std::string> environment = kit::plain_environment();
  environment.push_back(more);
  return kit::run_command({std::move(arguments), environment, root, std::chrono::minutes(10)});
}

// All blanks and ends of lines one blank, and # for each number if `numbers` do not matter.
std::string smoothed(std::string_view text, bool numbers = false) {
  std::string out;
  for (const char c : text) {
    const bool digit = numbers && c >= '0' && c <= '9';
    const char kept = digit ? '#' : c == '\n' ? ' ' : c;
    const bool again = (kept == ' ' || digit) && !out.empty() && out.back() == kept;
    if (!again) out += kept;
  }
  return out.substr(std::min(out.find_first_not_of(' '), out.size()));
}

// "expected … got …" up to the caret or the next thing that is told, which is less indented;
// without the name of the partner, which stands in the report before what was expected, and in
// kit-show above it.
std::string difference_of(const std::string& text) {
  std::size_t begin = std::string::npos;
  for (std::size_t at = 0; at < text.size() && begin == std::string::npos;) {
    const std::size_t first = text.find_first_not_of(" 0123456789.", at);
    if (first != std::string::npos && text.compare(first, 9, "expected ") == 0) {
      begin = first;
    } else {
      at = std::min(text.find('\n', at), text.size() - 1) + 1;
    }
  }
  if (begin == std::string::npos) return "";
  std::size_t end = text.find('\n', begin);
  while (end != std::string::npos && text.compare(end, 5, "\n    ") == 0) {
    end = text.find('\n', end + 1);
  }
  std::string words = smoothed(std::string_view(text).substr(begin, end - begin));
  words.resize(std::min(words.size(), words.find(" ^ here")));
  const std::size_t name = words.find(": ");
  const std::string partner = words.substr(9, name == std::string::npos ? 0 : name - 9);
  const bool named = partner.starts_with("client ") || partner.starts_with("partner ");
  if (named) words.erase(9, name + 2 - 9);
  return words;
}

struct Wrong {
  const char* step;
  const char* file;
  const char* replace;
  const char* with;
};

// As in tests/mutants.
const Wrong wrong_answers[] = {
    {"01.1", "client.cpp", "  half_close(connection);\n", ""},
    {"01.1", "client.cpp", "send_all(connection, message);",
     "send_all(connection, options.sentence());"},
    {"01.2", "client.cpp", "answer.append(buffer, static_cast<std::size_t>(count));",
     "return std::string(buffer, static_cast<std::size_t>(count));"},
    {"01.5", "server.cpp", "for (std::size_t i = 0; i < count; ++i)",
     "for (std::size_t i = 0; i < 1; ++i)"},
    {"01.5", "server.cpp", "while (const std::size_t count", "if (const std::size_t count"},
    {"01.7", "server.cpp", "while (const std::size_t count", "if (const std::size_t count"},
    {"03.3", "stream_handler.cpp", "begin_ += size;", "begin_ = end_;"},
};

/// The finished lesson in a folder that keeps its name: what is built of it is found again. One
/// test at a time has it.
fs::path folder_with(const std::string& lesson) {
  const fs::path folder = build / "kit" / "show-test";
  fs::create_directories(folder);
  static const kit::Descriptor lock(
      ::open((folder / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  REQUIRE((lock && ::flock(lock.get(), LOCK_EX) == 0));
  fs::remove_all(folder / lesson);
  fs::copy(root / "solutions" / lesson, folder / lesson, fs::copy_options::recursive);
  return folder;
}

const kit::Manifest& manifest() {
  static const kit::Manifest read = kit::Manifest::read((build / "kit" / "manifest.txt").string());
  return read;
}

/// The same with one change.
fs::path folder_with(const Wrong& wrong) {
  for (const kit::Lesson& lesson : manifest().lessons()) {
    if (lesson.step(wrong.step) == nullptr) continue;
    fs::path folder = folder_with(lesson.name);
    const fs::path file = folder / lesson.name / wrong.file;
    std::string text = kit::read_text(file.string()).value_or("");
    const std::size_t at = text.find(wrong.replace);
    REQUIRE(at != std::string::npos);
    text.replace(at, std::string_view(wrong.replace).size(), wrong.with);
    std::ofstream(file) << text;
    return folder;
  }
  FAIL("there is no step " << wrong.step);
  return {};
}

/// A difference for comparison: without blanks, with # for each number, and of bytes in quotes the
/// first 16: the report and kit-show end their lines, and cut them, at different widths.
std::string essence(const std::string& difference) {
  std::string out;
  std::size_t quoted = 0;  // the quote itself and what has come since, or 0 outside
  for (std::size_t at = 0; at < difference.size(); ++at) {
    std::string one(1, difference[at]);
    if (one == " ") continue;
    if (quoted > 0 && one == "\\" && at + 1 < difference.size()) one += difference[++at];
    const bool ends = quoted > 0 && one == "\"";
    if (quoted > 0 || one == "\"") ++quoted;
    if (quoted <= 17 || ends) out += one;
    if (!ends) continue;
    quoted = 0;
    if (difference.compare(at + 1, 3, "...") == 0) at += 3;
  }
  return smoothed(out, true);
}

/// A wrong answer of tests/mutants.
struct Drawn {
  std::string lesson;
  kit::Mutant mutant;
};

/// So many of them by lot, in the order of the lessons.
std::vector<Drawn> drawn(std::size_t count, std::uint64_t seed) {
  std::vector<Drawn> all;
  const fs::path work = build / "kit" / "show-test" / "mutants";
  for (const kit::Lesson& lesson : manifest().lessons()) {
    for (kit::Mutant& mutant :
         kit::make_mutants(root / "tests" / "cmake" / "mutants.cmake",
                           root / "tests" / "mutants" / (lesson.name + ".cmake"),
                           root / "solutions" / lesson.name, work / lesson.name)) {
      all.push_back({lesson.name, std::move(mutant)});
    }
  }
  std::vector<Drawn> some;
  std::mt19937_64 lot(seed);
  std::sample(std::move_iterator(all.begin()), std::move_iterator(all.end()),
              std::back_inserter(some), count, lot);
  return some;
}

/// What decks quote of a run of kit-show, a block each: the lines below "$ build/kit-show STEP".
std::vector<std::vector<std::string>> quoted(const std::string& step) {
  std::vector<std::vector<std::string>> blocks;
  for (const auto& entry : fs::directory_iterator(root / "slides")) {
    if (entry.path().extension() != ".md") continue;
    std::ifstream in(entry.path());
    bool inside = false;
    for (std::string line; std::getline(in, line);) {
      if (line == "$ build/kit-show " + step) {
        inside = true;
        blocks.emplace_back();
      } else if (line.starts_with("```")) {
        inside = false;
      } else if (inside) {
        blocks.back().push_back(line);
      }
    }
  }
  return blocks;
}

}  // namespace

TEST_CASE("kit-show: the check on the left, the program on the right, in their order") {
  const std::string text = text_of(a_replay());
  check_width(text);
  const std::size_t sent = text.find("client 2: sent \"hello\" (5 bytes)");
  const std::size_t recv = text.find("| thread 2: recv(4, 1024) = 5");
  const std::size_t fault = text.find("here it fails");
  CHECK(sent < recv);
  CHECK(recv < fault);
  CHECK(fault != std::string::npos);
  CHECK(text.find("         expected  \"HELLO\" (5 bytes)\n"
                  "         got       \"HEllo\" (5 bytes)\n"
                  "                      ^ here\n") != std::string::npos);
  CHECK(text.ends_with("build/kit-show 01.4 --seed 7\n01.4 failed: a cause\n"));
}

TEST_CASE("kit-show: what is long is folded and cut, and never wider than 80 columns") {
  kit::Replay replay = a_replay();
  replay.expected = std::string(500, 'x') + " " + std::string(200, 'y');
  replay.cause = std::string(90, 'c') + " and " + std::string(90, 'd');
  for (Event& event : replay.events) event.text = "recv(…) = \"" + std::string(700, 'z') + '"';
  for (int i = 0; i < 1000; ++i) {
    replay.events.push_back(replay.events[1]);
    replay.events.back().text = "recv(" + std::to_string(i) + ')';
    replay.events.back().tid = i;
  }
  replay.events[0].time = 1'234'567'000'000;
  const std::string text = text_of(replay);
  check_width(text);
  CHECK(text.find("more events") != std::string::npos);
  CHECK(std::ranges::count(text, '\n') < 300);
}

TEST_CASE("kit-show says what is wrong with its command line, and leaves nothing behind") {
  const kit::TemporaryFolder folder;
  const std::string inside = (folder.path() / "no" / "picture.svg").string();
  struct Bad {
    std::vector<std::string> arguments;
    const char* words;
  };
  const Bad all[] = {
      {{"kit-show"}, "which step?"},
      {{"kit-show", "01.99"}, "there is no step \"01.99\""},
      {{"kit-show", "01"}, "there is no step \"01\""},
      {{"kit-show", "--loud", "01.1"}, "\"--loud\" is no option"},
      {{"kit-show", "01.1", "01.2"}, "one step, not \"01.1\" and \"01.2\""},
      {{"kit-show", "01.1", "--seed"}, "--seed of what?"},
      {{"kit-show", "01.1", "--seed", "12a"}, "a seed is a number"},
      {{"kit-show", "01.1", "--seed", "99999999999"}, "a seed is a number"},
      {{"kit-show", "01.1", "--picture", inside}, "no file can be written at "},
      {{"kit-show", "01.1", "--picture", folder.path().string()}, "no file can be written at "},
      {{"kit-show", "01.1", "--against", folder.path().string()}, "there are no answers of lesson"},
      {{"kit-show", "01.1", "--against", "nowhere"}, "there are no answers of lesson"},
  };
  for (const Bad& bad : all) {
    INFO(bad.words);
    const kit::Outcome outcome = run(bad.arguments);
    CHECK(outcome.end == kit::Outcome::End::exited);
    CHECK(outcome.code == 2);
    CHECK(outcome.output.find("kit-show: ") == 0);
    CHECK(outcome.output.find(bad.words) != std::string::npos);
  }
  CHECK(fs::is_empty(folder.path()));
  const kit::Outcome help = run({"kit-show", "--help"});
  CHECK(help.ok());
  CHECK(help.output.find("usage: kit-show STEP") == 0);
}

TEST_CASE("kit-show shows wrong answers with the difference that the check reports") {
  int compared = 0;
  for (const Wrong& wrong : wrong_answers) {
    INFO(wrong.step << ' ' << wrong.replace << " -> " << wrong.with);
    const fs::path folder = folder_with(wrong);
    const fs::path picture = folder / "picture.svg";
    fs::remove(picture);
    const kit::Outcome shown = run({"kit-show", wrong.step, "--against", folder.string(), "--seed",
                                    "7", "--picture", picture.string()});
    INFO(shown.output);
    CHECK(shown.end == kit::Outcome::End::exited);
    CHECK(shown.code == 1);
    check_width(shown.output);
    CHECK(shown.output.find("here it fails") != std::string::npos);
    const kit::Outcome checked =
        run({"kit-check", "--lessons", folder.string(), wrong.step}, "KIT_SEED=7");
    INFO(checked.output);
    CHECK(checked.code == 1);
    const std::string difference = difference_of(checked.output);
    CHECK(difference_of(shown.output) == difference);
    CHECK(!difference.empty());
    const std::string svg = kit::read_text(picture).value_or("");
    CHECK(svg.starts_with("<svg "));
    CHECK(svg.ends_with("</svg>\n"));
    CHECK(svg.find("here it fails") != std::string::npos);
    CHECK(checked.output.find("build/kit-show " + std::string(wrong.step)) != std::string::npos);
    for (const auto& block : quoted(wrong.step)) {
      ++compared;
      // What the check does and what the program does at the same time comes in either order.
      const std::string all = smoothed(shown.output, true);
      for (const std::string& line : block) {
        INFO(line);
        CHECK(all.find(smoothed(line, true)) != std::string::npos);
      }
    }
  }
  CHECK(compared == 2);  // decks
}

// Not in `check`: 40 times two builds. KIT_SEED=N draws those of N.
TEST_CASE("kit-show shows 40 wrong answers by lot with the difference of the check", "[.drawn]") {
  const char* const asked = std::getenv("KIT_SEED");
  const auto day = std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now());
  const std::uint64_t seed = asked != nullptr
                                 ? std::strtoull(asked, nullptr, 10)
                                 : static_cast<std::uint64_t>(day.time_since_epoch().count());
  std::printf("drawn by KIT_SEED=%llu\n", static_cast<unsigned long long>(seed));
  for (const Drawn& one : drawn(40, seed)) {
    INFO(one.lesson << ", " << one.mutant.name << ": " << one.mutant.sentence);
    const fs::path folder = folder_with(one.lesson);
    for (const std::string& file : one.mutant.files) {
      fs::copy_file(one.mutant.sources / file, folder / one.lesson / file,
                    fs::copy_options::overwrite_existing);
    }
    const std::string& step = one.mutant.step;
    kit::Outcome shown, checked;
    const auto same = [&] {
      return shown.code == 1 && checked.code == 1 &&
             essence(difference_of(shown.output)) == essence(difference_of(checked.output));
    };
    // Of threads that race one may be first today and another one the next time.
    for (int look = 0; look < 3 && (look == 0 || !same()); ++look) {
      shown = run({"kit-show", step, "--against", folder.string(), "--seed", "7"});
      checked = run({"kit-check", "--lessons", folder.string(), step}, "KIT_SEED=7");
    }
    std::printf("%s %s: %s\n", step.c_str(), one.mutant.name.c_str(),
                difference_of(shown.output).c_str());
    std::fflush(stdout);
    INFO(shown.output);
    INFO(checked.output);
    CHECK(same());
    CHECK(!difference_of(shown.output).empty());
    const std::size_t cause = shown.output.rfind(step + " failed: ");
    CHECK(cause != std::string::npos);
    check_width(shown.output);
  }
}

TEST_CASE("kit-show shows the finished answers, and waits for no key where there is no terminal") {
  for (const char* step : {"01.1", "01.5"}) {
    const kit::Outcome shown = run({"kit-show", step, "--against", "solutions", "--pause"});
    INFO(shown.output);
    CHECK(shown.ok());
    CHECK(shown.output.find("there is no terminal to press a key at") != std::string::npos);
    CHECK(shown.output.find(std::string(step) + " passed.") != std::string::npos);
    CHECK(shown.output.find("| ") < shown.output.find("shutdown("));
  }
}
