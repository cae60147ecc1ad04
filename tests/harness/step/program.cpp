#include "program.hpp"

#include <signal.h>

#include <algorithm>

#include "harness/base/escape.hpp"
#include "harness/kernel/proc.hpp"
#include "harness/processes/orphans.hpp"
#include "harness/seen/last_words.hpp"
#include "step.hpp"

namespace kit {
namespace {

constexpr std::string_view ready_words = "listening on ";

// The length of a line that stands in a failure's "got".
constexpr std::size_t shown_line = 120;

std::string shown(std::string_view line) {
  if (line.size() > shown_line) return escape_text(line.substr(0, shown_line)) + "...";
  return escape_text(line);
}

std::size_t count_ready_lines(std::string_view output) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < output.size();) {
    if (output.substr(at).starts_with(ready_words)) ++count;
    const std::size_t end = output.find('\n', at);
    if (end == std::string_view::npos) break;
    at = end + 1;
  }
  return count;
}

// What the kernel tells of a program that runs.
template <typename Value>
Value seen(Step& step, const Program& program, std::optional<Value> value) {
  if (value) return *value;
  // One that ends this moment has nothing to show any more either.
  step.await([&] { return !program.alive(); }, after(limits::settle));
  if (program.alive()) throw CannotRun("this system does not show a process's state from outside");
  step.fail({.expected = "the " + program.name() + " still runs",
             .got = "it has ended: " + program.exit()->text(),
             .about = &program});
}

}  // namespace

Program::Program(Step& step, std::string name, std::string path, const ProcessOptions& process,
                 const ProgramOptions& options, std::string nonce)
    : step_(step),
      name_(std::move(name)),
      path_(std::move(path)),
      build_(options.build),
      args_(options.args),
      nonce_(std::move(nonce)),
      may_report_(options.may_report),
      on_purpose_(options.on_purpose),
      recorder_([&]() -> std::unique_ptr<RecorderLog> {
        if (options.build == "plain" || !RecorderLog::available()) return nullptr;
        auto log = std::make_unique<RecorderLog>();
        for (const Fault& fault : options.faults) log->add(fault);
        if (step.witness() != nullptr) log->keep_times();
        return log;
      }()),
      relies_on_recorder_(recorder_ != nullptr && !options.faults.empty()),
      process_([&] {
        ProcessOptions all = process;
        all.command = {path_};
        all.command.insert(all.command.end(), args_.begin(), args_.end());
        if (recorder_) {
          // Far above the program's own descriptors: theirs begin at 3, as the pages say.
          constexpr int number = 250;
          all.inherited.push_back({recorder_->fd(), number});
          all.environment.push_back(std::string(RecorderLog::environment_variable) + '=' +
                                    std::to_string(number));
        }
        return all;
      }()) {}

Program::~Program() {
  kill();
}

std::string Program::command_line() const {
  std::string line = name_;
  for (const std::string& argument : args_) {
    const bool plain = !argument.empty() && argument.find_first_of(" '\"\\\n\t") == argument.npos;
    line += ' ' + (plain ? argument : shell_quoted(argument));
  }
  return line;
}

void Program::signal(int number) {
  step_.story().add("signal", signal_name(number) + " to the " + name_);
  if (!is_server()) may_say("");  // a client that is interrupted may say so
  if (number == SIGTERM || number == SIGINT || number == SIGHUP || number == SIGKILL) {
    told_to_end_by_ = number;
  }
  process_.signal(number);
}

void Program::kill() {
  killed_ = true;
  end_expected_ = true;
  if (recorder_) recorder_->release_all();
  process_.end();
}

Exit Program::wait_exit() {
  end_expected_ = true;
  if (!step_.await([this] { return !alive(); }, event_deadline())) {
    step_.fail({.expected = "the " + name_ + " ends",
                .got = "it still runs after " +
                       with_commas(static_cast<std::size_t>(event_time().count())) + " ms",
                .about = this,
                .out_of_time = true});
  }
  return *exit();
}

void Program::expect_exit(int code) {
  const Exit how = wait_exit();
  if (code != 0) may_say("");  // who fails says why
  if (!how.clean(code)) {
    step_.fail({.expected = "exit " + std::to_string(code) + " of the " + name_,
                .got = how.text(),
                .about = this});
  }
  step_.story().add("ended", "the " + name_ + ", exit " + std::to_string(code));
}

std::string Program::expect_error_sentence(std::initializer_list<std::string_view> words,
                                           int code) {
  const Exit how = wait_exit();
  std::string sentence = without_sanitizer_notes(errors());
  while (sentence.ends_with('\n')) sentence.pop_back();
  const std::string wanted = "one sentence on stderr, and exit " + std::to_string(code);
  const std::string what =
      (sentence.empty() ? std::string("nothing on stderr") : '"' + shown(sentence) + '"') +
      ", and " + how.text();
  if (!how.clean(code) || sentence.empty() || sentence.find('\n') != std::string::npos) {
    step_.fail({.expected = wanted, .got = what, .about = this});
  }
  for (std::string_view word : words) {
    if (sentence.find(word) != std::string::npos) continue;
    step_.fail({.expected = wanted + "; the sentence names \"" + escape(word) + '"',
                .got = what,
                .about = this});
  }
  may_say(sentence);
  step_.story().add(
      "ended", "the " + name_ + " said \"" + shown(sentence) + "\", exit " + std::to_string(code));
  return sentence;
}

void Program::expect_output(std::string_view text) {
  const Exit how = wait_exit();
  const std::string_view got = output();
  if (got != text) {
    const Difference both = difference(text, got);
    step_.fail({.expected = both.expected + " on stdout",
                .got = both.got + (how.clean() ? "" : ", and " + how.text()),
                .caret = both.caret,
                .about = this});
  }
  if (!how.clean()) {
    step_.fail({.expected = "exit 0 of the " + name_, .got = how.text(), .about = this});
  }
  step_.story().add("printed", kit::quoted(text) + ", exit 0");
}

void Program::expect_printed(std::string_view text) {
  const auto rest = [this] { return output().substr(read_); };
  step_.await(
      [&] {
        const std::string_view now = rest();
        return now.size() >= text.size() || !text.starts_with(now) || !alive();
      },
      event_deadline());
  const std::string_view got = rest();
  if (!got.starts_with(text)) {
    const Difference both = difference(text, got.substr(0, text.size() + 20));
    step_.fail({.expected = both.expected + " on stdout",
                .got = both.got + (alive() ? "" : ", then " + exit()->text()),
                .caret = both.caret,
                .about = this,
                .out_of_time = alive() && text.starts_with(got)});
  }
  read_ += text.size();
  step_.story().add("printed", kit::quoted(text));
}

std::string Program::next_line() {
  const Deadline until = event_deadline();
  const std::string lead = nonce_.empty() ? "" : nonce_ + ' ';
  for (;;) {
    const auto whole = [this] { return output().find('\n', read_) != std::string_view::npos; };
    step_.await([&] { return whole() || !alive(); }, until);
    if (!whole()) {
      const std::string_view rest = output().substr(std::min(read_, output().size()));
      step_.fail(
          {.expected = "a line on the " + name_ + "'s stdout",
           .got = (rest.empty() ? std::string("none") : kit::quoted(rest) + " without newline") +
                  (alive() ? " in " + with_commas(static_cast<std::size_t>(event_time().count())) +
                                 " ms"
                           : ", and " + exit()->text()),
           .about = this,
           .out_of_time = alive()});
    }
    const std::size_t end = output().find('\n', read_);
    const std::string line(output().substr(read_, end - read_));
    read_ = end + 1;
    // What a slot prints is no word of the probe's.
    if (line.starts_with(lead)) return line.substr(lead.size());
  }
}

void Program::expect_line(std::string_view text) {
  const std::string line = next_line();
  if (line != text) {
    const Difference both = difference(text, line);
    step_.fail({.expected = both.expected + " as the next line of the " + name_,
                .got = both.got,
                .caret = both.caret,
                .about = this});
  }
  step_.story().add("printed", '"' + escape(text) + '"');
}

void Program::expect_in(const Captured& captured, std::string_view text, const char* stream) {
  const auto there = [&] {
    return captured.head().find(text) != std::string_view::npos ||
           captured.tail().find(text) != std::string::npos;
  };
  step_.await([&] { return there() || !alive(); }, event_deadline());
  if (!there()) {
    const std::string wanted = '"' + escape(text) + "\" on the " + name_ + "'s " + stream;
    const std::string end = alive() ? "" : ", and it has ended: " + exit()->text();
    step_.fail({.expected = wanted,
                .got = (captured.size() == 0 ? std::string("nothing there")
                                             : kit::quoted(captured.tail())) +
                       end,
                .about = this,
                .out_of_time = alive()});
  }
  step_.story().add("printed", '"' + escape(text) + "\" on " + stream);
}

void Program::expect_output_contains(std::string_view text) {
  expect_in(process_.out(), text, "stdout");
}

void Program::expect_error_contains(std::string_view text) {
  may_say(std::string(text));
  expect_in(process_.err(), text, "stderr");
}

void Program::type(std::string_view text) {
  step_.story().add("typed", kit::quoted(text));
  typed_to_ = true;
  process_.write_input(text);
}

void Program::end_input() {
  step_.story().add("typed", "end of input");
  typed_to_ = true;
  process_.close_input();
}

std::size_t Program::open_descriptors() const {
  return seen(step_, *this, proc::descriptors(pid())).size();
}

std::size_t Program::threads() const {
  return static_cast<std::size_t>(seen(step_, *this, proc::status(pid())).threads);
}

std::vector<pid_t> Program::children() const {
  seen(step_, *this, proc::status(pid()));
  std::vector<pid_t> running;
  for (pid_t child : proc::children(pid())) {
    const auto status = proc::status(child);
    if (status && status->state != 'Z') running.push_back(child);
  }
  return running;
}

std::vector<pid_t> Program::zombies() const {
  seen(step_, *this, proc::status(pid()));
  std::vector<pid_t> ended;
  for (pid_t child : proc::children(pid())) {
    const auto status = proc::status(child);
    if (status && status->state == 'Z') ended.push_back(child);
  }
  return ended;
}

std::chrono::milliseconds Program::cpu_time() const {
  return seen(step_, *this, proc::status(pid())).cpu;
}

std::size_t Program::rss_kib() const {
  return seen(step_, *this, proc::resident_kib(pid()));
}

RecorderLog& Program::recorder() {
  if (!recorder_) throw CannotRun("there is no recorder for this build of the program");
  relies_on_recorder_ = true;
  return *recorder_;
}

// ---- servers -----------------------------------------------------------------------------------

void Server::wait_ready() {
  const auto line_end = [this] { return output().find('\n'); };
  const bool came = step_.await([&] { return line_end() != std::string_view::npos || !alive(); },
                                event_deadline());
  const std::string wanted =
      "one line on stdout: listening on " + std::string(args().empty() ? "ADDRESS" : [this] {
        for (const std::string& argument : args()) {
          if (argument == "--path") return "unix:PATH";
        }
        return "HOST:PORT";
      }());
  if (line_end() == std::string_view::npos) {
    const std::string some =
        output().empty() ? "nothing" : kit::quoted(output()) + " without newline";
    step_.fail({.expected = wanted,
                .got = alive()
                           ? some + " in " +
                                 with_commas(static_cast<std::size_t>(event_time().count())) + " ms"
                           : some + ", and it ended: " + exit()->text(),
                .about = this,
                .out_of_time = !came});
  }
  const std::string line(output().substr(0, line_end()));
  read_ = line.size() + 1;
  const auto address = line.starts_with(ready_words)
                           ? Address::parse(std::string_view(line).substr(ready_words.size()))
                           : std::nullopt;
  if (!address) {
    step_.fail({.expected = wanted, .got = '"' + shown(line) + '"', .about = this});
  }
  address_ = *address;
  ready_ = true;
  step_.story().continue_ready(shown(line));
  if (!address_.is_unix() && address_.port() == 0) {
    step_.fail({.expected = "the port that the kernel picked",
                .got = "port 0: \"" + shown(line) + '"',
                .about = this});
  }
  step_.come_to_rest(*this);
  sockets_at_first_ = proc::open_sockets(pid());
  if (const RecorderLog* const log = recorder_if_any()) heap_at_first_ = log->heap_at_rest();
}

void Server::dismiss() {
  step_.look_always(*this, Step::Clients::leave);
  kill();
}

void Server::stop_by(int signal_number) {
  const bool own_words = step_.suspicion_is_fresh();
  if (!alive()) {
    step_.fail({.expected = "the " + name() + " still serves",
                .got = "it has ended by itself: " + exit()->text(),
                .cause = own_words ? "" : "It ended after the last answer that was expected of it.",
                .about = this});
  }
  step_.look_always(*this, Step::Clients::stay);
  Program::signal(signal_number);
  // What the step suspected just before is about the end.
  if (own_words) step_.suspect(step_.suspicion());
  expect_stopped();
}

void Server::expect_stopped(Children children) {
  // What the step has come to suspect since its last act is about the end; what it suspected of an
  // answer before is not.
  const bool own_words = step_.suspicion_is_fresh();
  const auto fail = [&](Step::Failure failure, std::string cause) {
    if (!own_words) failure.cause = std::move(cause);
    failure.about = this;
    step_.fail(std::move(failure));
  };
  end_expected_ = true;
  if (!step_.await([this] { return !alive(); }, event_deadline())) {
    fail({.expected = "the " + name() + " ends with exit 0",
          .got = "it still runs after " +
                 with_commas(static_cast<std::size_t>(event_time().count())) + " ms",
          .out_of_time = true},
         "Told to end, the " + name() + " does not: its loop must be left, and main must return.");
  }
  if (!exit()->clean()) {
    fail({.expected = "the " + name() + " ends with exit 0", .got = exit()->text()},
         "Told to end, the " + name() + " ended in another way than by returning from main.");
  }
  // Whoever it has forked ends with it, or was waited for.
  std::vector<pid_t> left;
  if (children == Children::ended) {
    step_.await([&] { return (left = orphans()).empty() && !process().group_left(); },
                after(scaled(limits::left_behind)), limits::proc_poll);
    if (!left.empty() || process().group_left()) {
      const std::size_t count = std::max<std::size_t>(left.size(), 1);
      fail({.expected = "no process of the " + name() + "'s is left",
            .got = "it left " + counted(count, "process") + " behind, still running"},
           "A process that the " + name() + " had forked was neither ended nor waited for.");
    }
  }
  if (const std::size_t said = count_ready_lines(output()); said > 1) {
    fail({.expected = "one line that says where it listens",
          .got = counted(said, "line") + " that begin with \"listening on \""},
         "The ready line is printed once, when the server listens.");
  }
  step_.story().add("ended", "the " + name() + ", exit 0");
}

}  // namespace kit
