#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace kit {

/// A program to be run to its end: a compiler, a check.
struct Command {
  std::vector<std::string> arguments;    ///< the program's path first
  std::vector<std::string> environment;  ///< "NAME=value"; nothing else is passed on
  std::filesystem::path folder;          ///< the folder it runs in
  std::chrono::milliseconds time_limit{60'000};
  /// How long it may clean up after SIGTERM before it is killed; 0: it is killed at once.
  std::chrono::milliseconds grace{0};
  /// Called with what it prints, as that comes.
  std::function<void(std::string_view)> heard{};
};

/// How a command ended.
struct Outcome {
  enum class End { exited, killed, timed_out, interrupted, not_started };
  End end = End::not_started;
  int code = 0;        ///< the exit status, or the signal's number if it was killed
  std::string output;  ///< stdout and stderr together, the first 256 KiB
  double seconds = 0;

  [[nodiscard]] bool ok() const { return end == End::exited && code == 0; }
};

/// Runs a command and waits for its end. The builder is given one, so that a grader can compile in
/// a sandbox of its own.
using Runner = std::function<Outcome(const Command&)>;

/// Runs a command in a process group of its own, with nothing on its standard input. At the time
/// limit, or once interrupted(), the command is ended: SIGTERM and its grace first, if it has one,
/// then the whole group is killed. May be called on several threads at once.
Outcome run_command(const Command& command);

/// While it is held no command is started: no child inherits what is open meanwhile.
std::unique_lock<std::mutex> no_child_meanwhile();

/// From now on SIGINT, SIGTERM and SIGHUP end every command under way and start no other. Also
/// makes this process the one that inherits the orphans of its commands. Call once, before any
/// thread.
void end_commands_on_signals();

/// The signal that interrupted the program, or 0.
int interrupted();

/// Kills and reaps what the commands left behind.
/// @returns how many processes there were
int end_what_is_left();

/// Calls work(0) … work(count - 1), at most `jobs` of them at a time, each on one of `jobs`
/// threads. Once interrupted(), the rest is not called. An exception is thrown on after the others'
/// end.
void in_parallel(std::size_t count, unsigned jobs, const std::function<void(std::size_t)>& work);

/// The environment of compilers: PATH, a temporary folder, and the language of their words.
std::vector<std::string> plain_environment();

}  // namespace kit
