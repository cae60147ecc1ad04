#pragma once

// A program as a process of its own, held so that it can neither harm the check nor outlive it.
// Knows nothing of steps: the grader runs compilers through it.

#include <sys/resource.h>
#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "exit.hpp"
#include "harness/base/limits.hpp"
#include "harness/kernel/events.hpp"
#include "harness/kernel/landlock.hpp"

namespace kit {

/// What a process may use. 0: no limit.
struct Limits {
  std::size_t address_space = 0;
  std::size_t cpu_seconds = limits::cpu_seconds;
  std::size_t open_files = limits::open_files;
  std::size_t file_size = limits::file_size;
  /// Set only where the process has a user of its own: the kernel counts by user, and a desktop's
  /// user has hundreds of threads already.
  std::size_t processes = limits::processes;
};

/// Which of its standard streams are a terminal (a pty) in place of a pipe.
enum class Terminal { none, output, input_and_output };

/// What is on its standard input.
enum class Input { nothing, pipe };

struct ProcessOptions {
  std::vector<std::string> command{};      ///< absolute path of the program, then its arguments
  std::string folder = "/";                ///< where it starts; also its HOME and TMPDIR
  std::vector<std::string> environment{};  ///< NAME=value; nothing is inherited but PATH's default
  std::optional<uid_t> user{};             ///< needs root: runs under this uid and gid
  mode_t umask = 022;
  Limits limits{};
  Input input = Input::nothing;
  std::string input_file = "/dev/null";  ///< what `nothing` is
  Terminal terminal = Terminal::none;
  bool fixed_addresses = false;  ///< no address randomisation (ThreadSanitizer)
  struct Inherited {
    int fd;  ///< a descriptor of ours
    int as;  ///< its number there, 3 or above
  };
  std::vector<Inherited> inherited{};  ///< every other descriptor from 3 on is closed
  /// Files that it may use, where the kernel can hold it to them. (The program itself is one.)
  std::optional<Confinement> confinement{};
};

/// What a stream said: the first MiB, the last 32 KiB and the number of bytes. It is always read,
/// so that a program never blocks on a full pipe.
class Captured {
 public:
  std::string_view head() const { return head_; }
  /// The end of what came, at least the last 32 KiB of it.
  std::string tail() const;
  std::size_t size() const { return size_; }
  bool ended() const { return ended_; }

 private:
  friend class Process;
  void append(std::string_view bytes);
  std::string head_, tail_;
  std::size_t size_ = 0;
  bool ended_ = false;
};

class Process {
 public:
  /// Starts it. Throws std::system_error that names the call (also when exec fails).
  explicit Process(const ProcessOptions& options);

  /// Kills its group, and reaps it.
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  const std::vector<std::string>& command() const { return command_; }
  bool running() const { return !exit_.has_value(); }
  const std::optional<Exit>& exit() const { return exit_; }

  const Captured& out() const { return out_; }
  const Captured& err() const { return err_; }

  /// Waits for its end. False: it still runs at the deadline.
  bool wait_exit(Deadline until);

  /// Sends a signal, unless it has ended.
  void signal(int number);

  /// Puts bytes into its standard input (in the background: it need not read them).
  void write_input(std::string_view bytes);
  /// End of file on its standard input, after what was written.
  void close_input();

  /// It has ended, and others of its group have not. (Asked only where orphans() knows nothing.)
  bool group_left() const;

  /// Whether a running Process has this number.
  static bool is_one(pid_t pid);

  /// Kills the process and all of its group with SIGKILL and reaps it. Never throws.
  void end() noexcept;

 private:
  struct Stream;
  void read_stream(Stream& stream, Captured& captured);
  void flush_input();
  void drain();
  void reaped(int status);
  static void reap_all();

  std::vector<std::string> command_;
  pid_t pid_ = -1;
  std::optional<Exit> exit_;
  Captured out_, err_;
  std::unique_ptr<Stream> stdin_, stdout_, stderr_;
  std::string input_;
  bool input_ends_ = false;
  bool terminal_ = false;
};

}  // namespace kit
