// Runs the check of a step once more, and shows what happened: on the left what the check did, on
// the right what the program called, in their true order and with their times.
//
//   build/kit-show 01.13                        with your program
//   build/kit-show 01.13 --against solutions    with the finished one
//   build/kit-show 01.13 --pause                a key between two acts, for an audience
//   build/kit-show 01.13 --picture 01.13.svg    as a picture, too
//
// It is the check that runs, to its end; then it is shown. See also: harness/step/witness.hpp.

#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/base/sources.hpp"
#include "harness/shown/picture.hpp"
#include "harness/shown/replay.hpp"
#include "judge.hpp"
#include "proof/command.hpp"
#include "proof/folder.hpp"
#include "show.hpp"
#include "terminal.hpp"

namespace {

namespace fs = std::filesystem;

constexpr int red = 1;
constexpr int usage = 2;
constexpr int kit_error = 99;

constexpr const char* usage_text =
    "usage: kit-show STEP [--pause] [--against FOLDER] [--seed N] [--picture FILE]\n"
    "The step runs to its end, and is then shown: looking at it changes nothing.\n"
    "STEP              such as 01.13\n"
    "--pause           waits for a key between two acts of the check\n"
    "--against FOLDER  judges the answers there in place of yours: solutions, say\n"
    "--seed N          the same bytes as in another run\n"
    "--picture FILE    draws it as well, as an SVG\n";

struct Options {
  std::string step;
  std::string against;
  std::string seed;
  std::string picture;
  bool pause = false;
};

int wrong(const std::string& sentence) {
  std::fprintf(stderr, "kit-show: %s\n%s", sentence.c_str(), usage_text);
  return usage;
}

int cannot(const std::string& sentence, int status) {
  std::fprintf(stderr, "kit-show: %s\n", sentence.c_str());
  return status;
}

void print(const std::string& line) {
  std::fputs((line + '\n').c_str(), stdout);
}

/// Reads keys one by one while it lives. The terminal is left as it was.
class Keys {
 public:
  explicit Keys(bool wanted) {
    if (!wanted) return;
    if (::isatty(STDIN_FILENO) == 0 || ::tcgetattr(STDIN_FILENO, &before_) != 0) {
      std::fprintf(stderr, "kit-show: there is no terminal to press a key at: no pauses\n");
      return;
    }
    termios one_by_one = before_;
    one_by_one.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    one_by_one.c_cc[VMIN] = 1;
    one_by_one.c_cc[VTIME] = 0;
    one_by_one.c_cc[VSUSP] = _POSIX_VDISABLE;
    active_ = ::tcsetattr(STDIN_FILENO, TCSANOW, &one_by_one) == 0;
  }
  Keys(const Keys&) = delete;
  Keys& operator=(const Keys&) = delete;
  ~Keys() {
    if (active_) ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }

  /// Waits for one; false if whoever watches has had enough (q, Ctrl-C).
  bool wait() const {
    if (!active_) return true;
    std::fflush(stdout);
    char key = 0;
    return ::read(STDIN_FILENO, &key, 1) == 1 && key != 'q' && kit::interrupted() == 0;
  }

 private:
  bool active_ = false;
  termios before_{};
};

kit::Style::Colour colour_of(kit::ShownRow::Kind kind) {
  using Kind = kit::ShownRow::Kind;
  switch (kind) {
    case Kind::fault:
      return kit::Style::red;
    case Kind::told:
      return kit::Style::yellow;
    case Kind::gap:
      return kit::Style::dim;
    case Kind::act:
    case Kind::call:
      break;
  }
  return kit::Style::bold;
}

void show(const kit::Replay& replay, bool pause) {
  using Kind = kit::ShownRow::Kind;
  const kit::Style style(STDOUT_FILENO);
  const Keys keys(pause);
  for (const std::string& line : kit::heading_of(replay)) print(line);
  bool first = true;
  for (const kit::ShownRow& row : kit::columns_of(replay)) {
    const bool act = row.kind == Kind::act || row.kind == Kind::fault;
    if (act && !std::exchange(first, false) && !keys.wait()) return;
    for (const std::string& line : row.lines) {
      print(row.kind == Kind::call ? line : style.paint(colour_of(row.kind), line));
    }
  }
  const std::vector<std::string> ending = kit::ending_of(replay);
  for (const std::string& line : ending) {
    const bool last = &line == &ending.back();
    const auto colour = replay.status == "pass" ? kit::Style::green : kit::Style::red;
    print(last ? style.paint(colour, line) : line);
  }
}

// Whether a file can be written there; it is not made yet.
bool can_write(const fs::path& file) {
  std::error_code error;
  if (fs::exists(file, error)) {
    return fs::is_regular_file(file, error) && ::access(file.c_str(), W_OK) == 0;
  }
  const fs::path folder = file.has_parent_path() ? file.parent_path() : ".";
  return file.has_filename() && fs::is_directory(folder, error) &&
         ::access(folder.c_str(), W_OK | X_OK) == 0;
}

bool write_picture(const fs::path& file, const kit::Replay& replay) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << kit::picture_of(replay);
  out.close();
  return !out.fail();
}

std::optional<Options> read(int argc, char* argv[], int& status) {
  Options options;
  const auto bad = [&status](const std::string& sentence) {
    status = wrong(sentence);
    return std::nullopt;
  };
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    std::string* const value = argument == "--against"   ? &options.against
                               : argument == "--seed"    ? &options.seed
                               : argument == "--picture" ? &options.picture
                                                         : nullptr;
    if (argument == "--help") {
      std::fputs(usage_text, stdout);
      status = 0;
      return std::nullopt;
    }
    if (value != nullptr) {
      if (i + 1 == argc || *argv[i + 1] == '\0') return bad(argument + " of what?");
      *value = argv[++i];
    } else if (argument == "--pause") {
      options.pause = true;
    } else if (argument.starts_with('-') || argument.empty()) {
      return bad("\"" + argument + "\" is no option");
    } else if (options.step.empty()) {
      options.step = argument;
    } else {
      return bad("one step, not \"" + options.step + "\" and \"" + argument + "\"");
    }
  }
  if (options.step.empty()) return bad("which step?");
  std::uint32_t seed = 0;
  const char* const end = options.seed.data() + options.seed.size();
  const auto [stopped, error] = std::from_chars(options.seed.data(), end, seed);
  if (!options.seed.empty() && (error != std::errc{} || stopped != end)) {
    return bad("a seed is a number up to 4294967295, and \"" + options.seed + "\" is none");
  }
  if (!options.picture.empty() && !can_write(options.picture)) {
    status = cannot("no file can be written at " + options.picture, usage);
    return std::nullopt;
  }
  return options;
}

// Others' answers are built into a folder of their own.
kit::Desk desk_of(const Options& options) {
  kit::Desk desk{KIT_ROOT_FOLDER, KIT_BUILD_FOLDER};
  if (options.against.empty()) return desk;
  const fs::path own = desk.root / options.against;
  std::error_code error;
  desk.lessons = fs::is_directory(own, error) ? own : fs::absolute(options.against);
  const std::size_t number = std::hash<std::string>{}(desk.lessons.string());
  desk.work = desk.build / "kit" / "show" /
              (desk.lessons == desk.root / "solutions" ? "solutions" : std::to_string(number));
  return desk;
}

int run(const Options& options, const kit::Desk& desk, const kit::Lesson& lesson,
        const kit::StepEntry& step) {
  const kit::Style style(STDERR_FILENO);
  const bool live = ::isatty(STDERR_FILENO) != 0;
  const kit::Judge::Say say = [&](const std::string& what) {
    if (live) std::fprintf(stderr, "%s\n", style.paint(kit::Style::dim, what + " …").c_str());
  };
  const kit::TemporaryFolder folder;
  const fs::path seen = folder.path() / "seen";
  ::setenv("KIT_SHOW", seen.c_str(), 1);
  if (!options.seed.empty()) ::setenv("KIT_SEED", options.seed.c_str(), 1);

  const kit::Judge judge(desk, lesson, kit::jobs_here());
  std::string words;
  if (!judge.prepare(say, words)) {
    if (kit::interrupted() != 0) return 128 + kit::interrupted();
    std::fputs(words.c_str(), stdout);
    return cannot("the kit's own part does not build", kit_error);
  }
  const kit::Known known = judge.judge(step, say);
  if (kit::interrupted() != 0) return 128 + kit::interrupted();
  const auto text = kit::read_text(seen);
  const auto replay = text ? kit::Replay::parse(*text) : std::nullopt;
  if (!replay) {
    // It did not come to run: the report says why.
    std::fputs(judge.report(step).c_str(), stdout);
    if (!options.picture.empty()) cannot("nothing has run: there is no picture", red);
    return known.state == kit::Known::State::kit_error ? kit_error : known.done() ? 0 : red;
  }
  show(*replay, options.pause);
  if (!options.picture.empty() && !write_picture(options.picture, *replay)) {
    return cannot("no file can be written at " + options.picture, usage);
  }
  if (kit::interrupted() != 0) return 128 + kit::interrupted();
  return known.done() ? 0 : red;
}

}  // namespace

int main(int argc, char* argv[]) {
  int status = 0;
  const auto options = read(argc, argv, status);
  if (!options) return status;
  kit::end_commands_on_signals();
  try {
    const kit::Desk desk = desk_of(*options);
    if (!fs::exists(desk.build / "kit" / "manifest.txt")) {
      return cannot("there is no build here yet: cmake --preset lesson-01", usage);
    }
    const kit::Manifest manifest = desk.manifest();
    for (const kit::Lesson& lesson : manifest.lessons()) {
      const kit::StepEntry* const step = lesson.step(options->step);
      if (step == nullptr) continue;
      if (!fs::is_directory(desk.sources(lesson))) {
        return cannot(
            "there are no answers of lesson " + lesson.number() + " in " + desk.lessons.string(),
            usage);
      }
      status = run(*options, desk, lesson, *step);
      kit::end_what_is_left();
      return status;
    }
    return wrong("there is no step \"" + options->step + "\"");
  } catch (const std::exception& error) {
    return cannot(error.what(), kit_error);
  }
}
