#pragma once

/// @file
/// The front end that all programs of the kit share: options, the ready line, the end by a signal.

#include <signal.h>
#include <socketserver/address.hpp>

#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace socketserver {

class BaseServer;

/// A wrong option or value: the program prints the sentence and a line of usage, and exits with 2.
struct UsageError : std::invalid_argument {
  using std::invalid_argument::invalid_argument;
};

/// One option of a program's command line.
struct Option {
  /// "--max-threads"
  const char* name;
  /// What stands behind it: "N", "MS" or "BYTES" for a whole number, "tcp|udp" for one of these
  /// words, any other word for text, nullptr for a flag.
  const char* value;
  /// What it does, for --help.
  const char* help;
  /// For a whole number: the smallest one allowed.
  long least = 0;
  /// For a whole number: the largest one allowed.
  long most = 2'147'483'647;
};

/// A command line that has been checked against the options a program knows.
class Options {
 public:
  /// Reads and checks the command line.
  ///
  /// @param program  its name, for messages
  /// @param table    the options it knows; --help is always known
  /// @param words    what the words behind the options are called in the usage ("WORD..."), or
  ///                 nullptr if there are none; at least one must be given
  /// @throws UsageError with a sentence that names the option or the value
  Options(int argc, char* const argv[], const char* program, std::vector<Option> table,
          const char* words = nullptr);

  /// Whether the option was given.
  [[nodiscard]] bool has(std::string_view name) const noexcept;

  /// Its value, or `fallback` if it was not given. The last one given counts.
  [[nodiscard]] std::string text(std::string_view name, std::string_view fallback = {}) const;

  /// Its value as a number in the option's range, or `fallback`.
  [[nodiscard]] long number(std::string_view name, long fallback) const;

  /// Its value. @throws UsageError if it was not given
  [[nodiscard]] std::string required(std::string_view name) const;

  /// Whom the options name, for messages: "unix:/tmp/kit.sock", or address() as text.
  /// @throws UsageError if they name nobody
  [[nodiscard]] std::string partner() const;

  /// The address that --path, or else --host and --port, name: 127.0.0.1:9999 by default. The first
  /// one, if the host has several: a server listens there, and its ready line says where that is.
  /// @throws UsageError if it is none
  [[nodiscard]] Address address() const;

  /// All of them, in the order in which a client tries them. To a client, the wildcard (0.0.0.0,
  /// ::) means this machine: 127.0.0.1, ::1.
  /// @throws UsageError if it is none
  [[nodiscard]] std::vector<Address> addresses() const;

  /// The first of addresses() where a stream server accepts a connection, which is closed at once;
  /// if none does, the first. If there is one alone, that one, unasked. May block.
  /// @throws UsageError if it is none
  [[nodiscard]] Address reachable_address() const;

  /// The words behind the options.
  [[nodiscard]] const std::vector<std::string>& words() const noexcept { return words_; }

  /// The words, joined by one space.
  [[nodiscard]] std::string sentence() const;

 private:
  struct Given {
    std::string name;
    std::string value;
  };
  const Given* find(std::string_view name) const noexcept;

  bool is_client_ = false;
  std::vector<Given> given_;
  std::vector<std::string> words_;
};

/// What main() of a server does: reads `--host --port --quiet --grace` and `more` options, then
/// calls `serve`.
///
/// @param serve  makes a server and runs it; see start_listening() and EndOnSignals
/// @returns the exit status: 0; 1 after one sentence on stderr if `serve` throws; 2 for a wrong
///          command line
int server_main(int argc, char* argv[], std::initializer_list<Option> more,
                void (*serve)(const Options& options));

/// What main() of a client does: reads `--host --port` and `more` options and words, then calls
/// `run`.
///
/// @param words  what the words are called in the usage, or nullptr if the client takes none
/// @param run    talks to the server
/// @returns the exit status, as server_main()
int client_main(int argc, char* argv[], std::initializer_list<Option> more, const char* words,
                void (*run)(const Options& options));

/// Binds and activates the server, and says so in one line on stdout:
/// "listening on 127.0.0.1:9999". Sets its `grace` if the command line says --grace.
/// @throws std::runtime_error "cannot listen on 127.0.0.1:9999: bind: Address already in use"
void start_listening(BaseServer& server);

/// While it lives, the first SIGINT or SIGTERM ends the server's loop in order: no further request
/// is taken, blocked reads of the requests under way return what has come and then end of file, and
/// serve_forever() returns. The second one kills the process.
///
/// The end has a limit: after the server's `grace` what is still under way is cut off, and stderr
/// says so. A request whose handler notices nothing of that, because it sleeps or computes, ends
/// with the process a second later: the path of a Unix server is removed, and the exit status is 0.
/// Call server_close() while this object lives: afterwards its waiting has no limit.
///
/// A forked child hears signals on its own account: one that goes to all, and is passed on by its
/// parent too, is one. SIGINT stays ignored if it was. Uses SIGALRM once a signal has come. Several
/// servers of a process may end on signals, each with an object of its own.
class EndOnSignals {
 public:
  /// How many servers of a process can end on signals at a time.
  static constexpr int most = 32;

  /// From here on signals end the loop of `server`, which outlives this object.
  /// @throws std::system_error if there are `most` already
  explicit EndOnSignals(BaseServer& server);
  EndOnSignals(const EndOnSignals&) = delete;
  EndOnSignals& operator=(const EndOnSignals&) = delete;
  /// With the last one goes what the signals do: the next one kills again.
  ~EndOnSignals();

  /// Whether a signal has come.
  [[nodiscard]] bool requested() const noexcept;

 private:
  struct Handlers;

  BaseServer& server_;
  sigset_t blocked_before_{};
};

/// Prints what a handler has received, in one line: the peer, the number of bytes, and the first
/// 60 of them with everything unprintable escaped. Prints nothing with --quiet. Callable from any
/// thread.
void log_received(const Address& client_address, std::string_view bytes);

/// Prints "Sent:     hello world" and "Received: HELLO WORLD": what the first clients show. A
/// newline at the end of either is left out.
void print_exchange(std::string_view sent, std::string_view received);

/// `bytes` as they are written in C: printable ASCII as it is, "\n", "\0", "\x7f" … escaped.
[[nodiscard]] std::string escaped(std::string_view bytes);

}  // namespace socketserver
