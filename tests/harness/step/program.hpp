#pragma once

// The learner's client, server or probe while a step runs: what a step may ask it, tell it, and
// expect of it. Each expectation that is not met ends the step with a report.

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/base/address.hpp"
#include "harness/processes/process.hpp"
#include "harness/seen/recorder_log.hpp"

namespace kit {

class Step;

/// How a program is started. Everything has a default: `step.server({.args = {"--quiet"}})`.
struct ProgramOptions {
  /// Its command line. A server gets `--port 0` in front unless --port or --path is among them.
  std::vector<std::string> args{};
  /// "plain", "checked" or "raced"; empty: the first that the manifest lists for the step.
  std::string build{};
  /// Delivered by the recorder from the start (more can be added to recorder() later).
  std::vector<Fault> faults{};
  /// RLIMIT_NOFILE, for steps about running out of descriptors (or needing many).
  std::size_t nofile = limits::open_files;
  Input input = Input::nothing;
  std::string input_file{};  ///< or this one, without .input
  Terminal terminal = Terminal::none;
  mode_t umask = 022;
  std::vector<std::string> environment{};  ///< NAME=value, more of it
  std::string folder{};                    ///< where it starts; empty: the step's folder
  /// A server: false does not wait for the ready line (call wait_ready() later, or never).
  bool ready = true;
  /// True: a sanitizer's report is no failure by itself (a child is made to crash).
  bool may_report = false;
  /// True: a probe that turns, dozes and uses closed descriptors on purpose.
  bool on_purpose = false;
};
using ServerOptions = ProgramOptions;
using ClientOptions = ProgramOptions;
using ProbeOptions = ProgramOptions;

class Program {
 public:
  Program(Step& step, std::string name, std::string path, const ProcessOptions& process,
          const ProgramOptions& options, std::string nonce);
  virtual ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  /// "server", "client", "probe"; a second one of its kind: "server 2".
  const std::string& name() const { return name_; }
  /// "server --port 0": as the story tells it.
  std::string command_line() const;
  const std::vector<std::string>& args() const { return args_; }
  const std::string& build() const { return build_; }
  /// The file that runs.
  const std::string& path() const { return path_; }
  pid_t pid() const { return process_.pid(); }
  bool alive() const { return process_.running(); }
  const std::optional<Exit>& exit() const { return process_.exit(); }

  /// Sends a signal; the story says so.
  void signal(int number);

  /// Waits for its end; it is a failure if it still runs at the deadline.
  Exit wait_exit();
  /// ... and a failure if it ends in another way than with this status.
  void expect_exit(int code);
  /// It ends with `code` and exactly one line on stderr, in which each of `words` stands. Returns
  /// the line.
  std::string expect_error_sentence(std::initializer_list<std::string_view> words = {},
                                    int code = 1);

  /// All it has written so far (the first MiB).
  std::string_view output() const { return process_.out().head(); }
  std::string_view errors() const { return process_.err().head(); }

  /// It ends with exit 0, and this is all it has written on stdout.
  void expect_output(std::string_view text);
  /// The next bytes on stdout are these (it need not end).
  void expect_printed(std::string_view text);
  /// The next line on stdout is this one; of a probe: the next line with its nonce.
  void expect_line(std::string_view text);
  /// The next line on stdout, without newline; of a probe: with its nonce, which is taken off.
  std::string next_line();
  /// Waits until this text stands in stdout or stderr, anywhere.
  void expect_output_contains(std::string_view text);
  void expect_error_contains(std::string_view text);

  /// Bytes for its standard input (needs .input or .terminal).
  void type(std::string_view text);
  /// End of file there.
  void end_input();
  /// Whether there was either.
  bool typed_to() const { return typed_to_; }

  // What the kernel knows of it (Linux; elsewhere the step cannot run).
  std::size_t open_descriptors() const;
  std::size_t threads() const;
  std::vector<pid_t> children() const;  ///< running ones
  std::vector<pid_t> zombies() const;   ///< children that wait to be waited for
  std::chrono::milliseconds cpu_time() const;
  std::size_t rss_kib() const;

  /// What it called, and the faults it is to meet. Only checked and raced builds have a recorder
  /// (CannotRun where there is none).
  RecorderLog& recorder();
  const RecorderLog* recorder_if_any() const { return recorder_.get(); }
  /// Whether the step has asked its recorder for anything: then what it did not see counts.
  bool relies_on_recorder() const { return relies_on_recorder_; }

  /// What it may say on stderr besides what was expected of it: a line that holds these words.
  /// Every other line there fails the step, at its end. "" is in every line.
  void may_say(std::string words) { expected_errors_.push_back(std::move(words)); }
  const std::vector<std::string>& expected_errors() const { return expected_errors_; }

  /// Kills it. No expectation, no line in the story; that it is gone is no failure.
  void kill();
  bool killed() const { return killed_; }

  // -- for the harness
  // ------------------------------------------------------------------------------
  Process& process() { return process_; }
  const Process& process() const { return process_; }
  /// Its end was asked for or expected: that it is gone is no failure.
  bool end_expected() const { return end_expected_; }
  void expect_end_sometime() { end_expected_ = true; }
  /// The last signal that the step has sent to it, to end it; 0 if none.
  int told_to_end_by() const { return told_to_end_by_; }
  bool may_report() const { return may_report_; }
  bool on_purpose() const { return on_purpose_; }
  virtual bool is_server() const { return false; }
  /// It has said where it listens (a server).
  bool ready() const { return ready_; }
  /// Its place in the order in which programs and conversations began.
  std::size_t order() const { return order_; }
  void set_order(std::size_t order) { order_ = order; }

 protected:
  Step& step_;
  bool ready_ = false;
  bool end_expected_ = false;
  bool killed_ = false;  // by the step
  int told_to_end_by_ = 0;
  std::size_t read_ = 0;  // bytes of stdout that lines were taken from
  std::vector<std::string> expected_errors_;

 private:
  void expect_in(const Captured& captured, std::string_view text, const char* stream);

  std::string name_;
  std::size_t order_ = 0;
  std::string path_;
  std::string build_;
  std::vector<std::string> args_;
  std::string nonce_;
  bool may_report_;
  bool on_purpose_;
  bool typed_to_ = false;
  std::unique_ptr<RecorderLog> recorder_;
  bool relies_on_recorder_;
  Process process_;
};

class Server : public Program {
 public:
  using Program::Program;

  bool is_server() const override { return true; }

  /// Waits for the ready line, if step.server() was told not to.
  void wait_ready();

  /// Where it says that it listens.
  const Address& address() const { return address_; }
  std::uint16_t port() const { return address_.port(); }

  /// The step needs it no more: its clients go, it comes to rest, what is always looked at is
  /// looked at, and it is killed. For a step that asks for no end by a signal.
  void dismiss();

  /// SIGTERM; it must end with exit 0 by the deadline, have said exactly once that it listens, and
  /// leave no process behind.
  void stop() { stop_by(15); }
  void stop_by(int signal_number);
  /// The second half of stop(): it was told to end (by signal() or in its own language), and does.
  /// `may_leave`: children of its own may go on serving (--no-block-on-close).
  enum class Children { ended, may_go_on };
  void expect_stopped(Children children = Children::ended);

  // How it was before anybody came; nothing where that cannot be seen.
  std::optional<std::size_t> sockets_at_first() const { return sockets_at_first_; }
  std::size_t heap_at_first() const { return heap_at_first_; }

 private:
  Address address_;
  std::optional<std::size_t> sockets_at_first_;
  std::size_t heap_at_first_ = 0;
};

}  // namespace kit
