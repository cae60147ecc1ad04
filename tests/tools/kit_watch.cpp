// Looks at a lesson's files, and says on every save whether the step in work is right.
//
//   build/kit-watch 03                             lesson 03
//   KIT_LESSON=03 cmake --workflow --preset watch  the same, on a fresh clone
//
// Green goes on to the next step by itself. Each step is judged by a kit-check of its own, so that
// a key, a save or Ctrl-C never waits for a program that hangs.

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "file_watch.hpp"
#include "harness/base/descriptor.hpp"
#include "harness/base/sources.hpp"
#include "judge.hpp"
#include "page.hpp"
#include "prediction.hpp"
#include "terminal.hpp"

#ifdef __linux__
#include <sys/prctl.h>
#endif

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using kit::Known;
using kit::StepEntry;
using kit::Style;

// Files are looked at this often even if nobody tells of a change.
constexpr std::chrono::milliseconds look_again{1000};

int wake_pipe[2] = {-1, -1};
volatile sig_atomic_t ending_by = 0;

extern "C" void note_watched_signal(int number) {
  const int saved = errno;
  if (number != SIGWINCH) ending_by = number;
  // A full pipe wakes as well.
  [[maybe_unused]] const auto written = ::write(wake_pipe[1], "", 1);
  errno = saved;
}

void catch_signals() {
  if (::pipe(wake_pipe) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  for (const int fd : wake_pipe) {
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    ::fcntl(fd, F_SETFL, O_NONBLOCK);
  }
  struct sigaction action = {};
  action.sa_handler = note_watched_signal;
  sigemptyset(&action.sa_mask);  // a macro on macOS
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGWINCH}) {
    ::sigaction(number, &action, nullptr);
  }
}

/// A kit-check under way, and the last line that it has printed.
class Check {
 public:
  Check(const kit::Desk& desk, const std::string& what, const std::string& option) {
    std::vector<std::string> words{(desk.build / "kit-check").string(), what, option};
    if (!desk.lessons.empty()) words.insert(words.end(), {"--lessons", desk.lessons.string()});
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    int ends[2];
    if (::pipe(ends) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
    said_ = kit::Descriptor(ends[0]);
    const kit::Descriptor writing(ends[1]);
    for (const int fd : ends) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    ::fcntl(said_.get(), F_SETFL, O_NONBLOCK);
    pid_ = ::fork();
    if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
    if (pid_ == 0) become(arguments.data(), writing.get());
    ::setpgid(pid_, pid_);  // here too: whichever comes first
  }
  Check(const Check&) = delete;
  Check& operator=(const Check&) = delete;

  /// It takes with it what it has started.
  ~Check() {
    if (pid_ > 0) {
      ::kill(pid_, SIGTERM);
      end();
    }
  }

  int fd() const { return said_.get(); }
  const std::string& stage() const { return stage_; }

  /// Takes what it has said.
  /// @returns false once it has ended
  bool listen() {
    char buffer[4096];
    const ssize_t n = ::read(said_.get(), buffer, sizeof buffer);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) return true;
    if (n <= 0) {
      end();
      return false;
    }
    for (const char c : std::string_view(buffer, static_cast<std::size_t>(n))) {
      if (c == '\n') {
        stage_ = std::exchange(line_, {});
      } else {
        line_ += c;
      }
    }
    return true;
  }

 private:
  [[noreturn]] static void become(char* const* arguments, int out) {
    ::setpgid(0, 0);
#ifdef __linux__
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
#endif
    const int nothing = ::open("/dev/null", O_RDONLY);
    ::dup2(nothing, STDIN_FILENO);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(out, STDERR_FILENO);
    ::execv(arguments[0], arguments);
    ::_exit(127);
  }

  void end() {
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
  }

  pid_t pid_ = -1;
  kit::Descriptor said_;
  std::string line_, stage_;
};

class Watch {
 public:
  Watch(kit::Desk desk, kit::Lesson lesson)
      : judge_(std::move(desk), std::move(lesson), kit::jobs_here()),
        files_(judge_.desk().sources(judge_.lesson())) {}

  /// Until q or a signal.
  void run() {
    go_on();
    for (bool happened = true; ending_by == 0 && !quit_; happened = wait()) {
      if (happened) screen_.draw(lines());
    }
  }

  std::string last_line() const { return kit::last_line(judge_); }

 private:
  enum class View { report, hint, progress, all, predictions };

  /// @returns whether something has happened
  bool wait() {
    pollfd events[] = {{wake_pipe[0], POLLIN, 0},
                       {screen_.has_keys() ? STDIN_FILENO : -1, POLLIN, 0},
                       {check_ ? check_->fd() : -1, POLLIN, 0},
                       {files_.fd(), POLLIN, 0},
                       {by_hand_ ? by_hand_->fd() : -1, POLLIN, 0}};
    const int ready = ::poll(events, std::size(events), static_cast<int>(look_again.count()));
    char dropped[64];
    while (::read(wake_pipe[0], dropped, sizeof dropped) > 0) {
    }
    if (ending_by != 0) return false;
    if (events[1].revents != 0) read_keys();
    if (by_hand_ && events[4].revents != 0 && !by_hand_->listen()) by_hand_.reset();
    if (check_ && events[2].revents != 0 && !check_->listen()) ended();
    if (!files_.changed()) return ready != 0;
    saved();
    return true;
  }

  void read_keys() {
    char keys[16];
    const ssize_t n = ::read(STDIN_FILENO, keys, sizeof keys);
    if (n == 0) quit_ = true;  // the terminal has gone
    for (ssize_t i = 0; i < n; ++i) press(keys[i]);
  }

  void press(char key) {
    const std::size_t page = body_rows() > 1 ? body_rows() - 1 : 1;
    switch (key) {
      case 'q':
        quit_ = true;
        return;
      case 'h':
        hints_shown_ += view_ == View::hint || hints_shown_ == 0 ? 1 : 0;
        show(View::hint);
        return;
      case 's':
        show(View::report);
        if (step_ != nullptr) start(step_->id);
        return;
      case 'p':
        show(View::progress);
        return;
      case 'a':
        show(View::all);
        start(judge_.lesson().number());
        return;
      case 'd':
        show(View::predictions);
        return;
      case ' ':
        first_row_ = first_row_ + page < body_size_ ? first_row_ + page : 0;
        return;
      default:
        return;
    }
  }

  void show(View view) {
    if (view != view_) first_row_ = 0;
    view_ = view;
  }

  void saved() {
    judge_.look_at_kit();
    saved_at_ = Clock::now();
    took_.reset();
    // The kit's own build goes on to its end: cut off, it could leave half an object behind.
    saved_meanwhile_ = check_ && check_->stage().starts_with(kit::Judge::preparing);
    if (saved_meanwhile_) return;
    check_.reset();
    by_hand_.reset();
    show(View::report);
    // The step in work first; what stood before it is looked at again once that is green.
    if (step_ != nullptr && judge_.known(*step_).state == Known::State::nothing) {
      start(step_->id);
    } else {
      go_on();
    }
    build_by_hand();
  }

  /// Nothing is left to be judged: time to build what a person runs by hand.
  void build_by_hand() {
    if (!check_) by_hand_.emplace(judge_.desk(), judge_.lesson().number(), "--by-hand");
  }

  /// To the first step that is not done; judged, unless that was done before.
  void go_on() {
    const StepEntry* const next = judge_.next();
    if (next != step_) hints_shown_ = 0;
    if (next != step_ && view_ == View::hint) show(View::report);
    step_ = next;
    first_row_ = 0;
    if (step_ != nullptr && judge_.known(*step_).state == Known::State::nothing) start(step_->id);
  }

  void start(const std::string& what) {
    by_hand_.reset();  // it comes after a verdict, never before one
    check_.reset();
    checks_all_ = what.find('.') == std::string::npos;
    check_.emplace(judge_.desk(), what, checks_all_ ? "--all-stages" : "--stages");
  }

  void ended() {
    stage_failed_ = check_->stage();
    check_.reset();
    judge_.look_at_kit();
    if (std::exchange(saved_meanwhile_, false)) return saved();
    if (saved_at_) took_ = Clock::now() - *std::exchange(saved_at_, std::nullopt);
    if (step_ == nullptr || judge_.known(*step_).done() || checks_all_) {
      const StepEntry* const before = step_;
      go_on();
      if (step_ != before) took_.reset();
    }
    build_by_hand();
  }

  // ---- what is shown ----------------------------------------------------------------------------

  std::size_t body_rows() const {
    const std::size_t rows = screen_.size().rows;
    return rows > 7 ? rows - 6 : 1;
  }

  std::string heading(std::size_t columns) const {
    const kit::Lesson& lesson = judge_.lesson();
    const kit::Points sum = kit::points(judge_);
    const std::string left = lesson.number() + ' ' + lesson.title;
    const std::string right = std::to_string(sum.core) + " of " + std::to_string(sum.core_of) +
                              " core, " + std::to_string(sum.harden) + " of " +
                              std::to_string(sum.harden_of) + " harden points";
    const std::size_t used = left.size() + right.size();
    if (used + 2 > columns) return right;
    return style_.paint(Style::bold, left) + std::string(columns - used, ' ') + right;
  }

  /// "1+ 2+ 3! 4. 5.": done, the one in work, still to do.
  std::string row_of_steps() const {
    std::string row;
    for (const StepEntry& step : judge_.lesson().steps) {
      const Known known = judge_.known(step);
      const std::string number = step.id.substr(step.id.find('.') + 1);
      std::string word = number + (known.passed() ? "+" : known.done() ? "~" : ".");
      Style::Colour colour = known.done() ? Style::green : Style::dim;
      if (&step == step_) {
        word = '[' + number + ']';
        colour = known.state == Known::State::nothing ? Style::yellow : Style::red;
      }
      row += (row.empty() ? "" : "  ") + style_.paint(colour, word);
    }
    return row;
  }

  std::string status() const {
    if (check_) {
      const std::string& stage = check_->stage();
      return style_.paint(Style::yellow, (stage.empty() ? "looking" : stage) + " ...");
    }
    if (step_ == nullptr) return style_.paint(Style::green, kit::last_line(judge_));
    const Known known = judge_.known(*step_);
    std::string line = step_->id + ' ' + kit::word(known.state);
    if (known.state == Known::State::nothing) line = step_->id + ": " + stage_failed_;
    if (took_) {
      char seconds[32];
      std::snprintf(seconds, sizeof seconds, ", %.1f s after saving",
                    std::chrono::duration<double>(*took_).count());
      line += seconds;
    }
    if (const kit::Task* const task = judge_.lesson().task(step_->task)) {
      const kit::Place place =
          kit::find_task(judge_.desk().sources(judge_.lesson()).string(), *task);
      line += "   " + place.file + ':' + std::to_string(std::max(place.line, 1));
    }
    return style_.paint(Style::red, line);
  }

  std::string hint() const {
    if (step_ == nullptr) return {};
    const auto page =
        kit::read_text(judge_.desk().root / "lessons" / judge_.lesson().name / "README.md");
    const std::vector<kit::Hint> hints = kit::hints_of(page.value_or(""), step_->task);
    if (hints.empty()) return step_->task + " has no hints: its section of the page says it all.\n";
    const std::size_t shown = std::min(hints_shown_, hints.size());
    const kit::Hint& last = hints[shown - 1];
    return step_->task + "  " + last.title + "  (" + std::to_string(shown) + " of " +
           std::to_string(hints.size()) + ")\n\n" + last.text;
  }

  std::string steps() const {
    std::string text;
    for (const StepEntry& step : judge_.lesson().steps) {
      const Known known = judge_.known(step);
      const int got = known.passed() ? step.points : 0;
      char line[160];
      std::snprintf(line, sizeof line, "%-6s %-9s %2d of %2d  %-6s  ", step.id.c_str(),
                    kit::word(known.state), got, step.points, step.part.c_str());
      text += line + step.title.substr(0, 44) + '\n';
    }
    return text;
  }

  std::string progress() const {
    std::string text = steps() + '\n';
    const kit::Manifest manifest = judge_.desk().manifest();
    for (const kit::Lesson& lesson : manifest.lessons()) {
      const kit::Judge other(judge_.desk(), lesson, 1);
      const kit::Points sum = kit::points(other);
      text += lesson.number() + "  " + std::to_string(sum.core + sum.harden) + " of " +
              std::to_string(sum.core_of + sum.harden_of) + "  " + lesson.title + '\n';
    }
    return text;
  }

  std::string all_reports() const {
    std::string text = steps();
    for (const StepEntry& step : judge_.lesson().steps) {
      const Known known = judge_.known(step);
      if (!known.done() && known.state != Known::State::nothing) text += '\n' + judge_.report(step);
    }
    return text;
  }

  std::string predicted() const {
    const std::string told = kit::decided_predictions(judge_);
    if (!told.empty()) return told;
    return "What you write into lessons/" + judge_.lesson().name +
           "/predictions.txt is answered here when the step that decides it is green.\n";
  }

  std::string body() const {
    switch (view_) {
      case View::hint:
        return hint();
      case View::progress:
        return progress();
      case View::all:
        return all_reports();
      case View::predictions:
        return predicted();
      case View::report:
        break;
    }
    return step_ == nullptr ? steps() : judge_.report(*step_);
  }

  std::vector<std::string> lines() {
    const std::size_t columns = screen_.size().columns;
    std::vector<std::string> text = kit::wrap(body(), columns);
    body_size_ = text.size();
    std::vector<std::string> out{heading(columns), row_of_steps(), status(),
                                 style_.paint(Style::dim, kit::predictions_line(judge_)), ""};
    const std::size_t rows = screen_.moves() ? body_rows() : body_size_;
    if (!screen_.moves()) first_row_ = 0;
    for (std::size_t i = first_row_; i < std::min(first_row_ + rows, text.size()); ++i) {
      const bool report = view_ == View::report || view_ == View::all;
      out.push_back(report ? kit::paint_line(style_, text[i]) : text[i]);
    }
    if (!screen_.moves()) return out;
    while (out.size() < rows + 5) out.emplace_back();
    const bool more = rows < body_size_;
    out.push_back(style_.paint(
        Style::dim, std::string("h hint  s again  d predicted  p progress  a all steps  ") +
                        (more ? "space more  " : "") + "q quit"));
    return out;
  }

  kit::Judge judge_;
  kit::FileWatch files_;
  kit::Screen screen_;
  Style style_{STDOUT_FILENO};
  std::optional<Check> check_;
  std::optional<Check> by_hand_;
  bool checks_all_ = false;
  bool saved_meanwhile_ = false;
  const StepEntry* step_ = nullptr;
  View view_ = View::report;
  std::size_t hints_shown_ = 0;
  std::size_t first_row_ = 0;
  std::size_t body_size_ = 0;
  std::optional<Clock::time_point> saved_at_;
  std::optional<Clock::duration> took_;
  std::string stage_failed_;
  bool quit_ = false;
};

int wrong(const std::string& sentence) {
  std::fprintf(stderr,
               "kit-watch: %s\n"
               "usage: kit-watch LESSON      such as 03 (or KIT_LESSON=03)\n",
               sentence.c_str());
  return 2;
}

}  // namespace

int main(int argc, char* argv[]) {
  std::string number;
  std::string lessons;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--lessons" && i + 1 < argc) {
      lessons = argv[++i];
    } else if (!argument.starts_with('-') && number.empty()) {
      number = argument;
    } else {
      return wrong("\"" + argument + "\" is no option");
    }
  }
  if (const char* const named = std::getenv("KIT_LESSON"); named && number.empty()) number = named;
  try {
    const kit::Desk desk{KIT_ROOT_FOLDER, KIT_BUILD_FOLDER, lessons};
    const kit::Manifest manifest = desk.manifest();
    for (const kit::Lesson& lesson : manifest.lessons()) {
      // Without a number: the first lesson in which something is left.
      const bool wanted = number.empty() ? kit::Judge(desk, lesson, 1).next() != nullptr
                                         : lesson.number() == number;
      if (!wanted) continue;
      catch_signals();
      std::string last;
      {
        Watch watch(desk, lesson);
        watch.run();
        last = watch.last_line();
      }
      std::printf("%s\n", last.c_str());
      return 0;
    }
    return wrong("there is no lesson \"" + number + "\"");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "kit-watch: %s\n", error.what());
    return 99;
  }
}
