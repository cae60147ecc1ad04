#pragma once

/// @file
/// Lines for whoever watches a server. A log is never a reason to turn a client away: a line that
/// cannot be written now is dropped.

#include <string_view>

namespace socketserver {

/// Writes `line` and a newline to stdout, as one piece.
///
/// Does not wait: if the pipe is full because nobody reads, the line is dropped, and so it is if
/// the disk is full or stdout closed. Callable from any thread and in a signal handler. At most
/// PIPE_BUF bytes are written (Linux: 4096): pipe(7) keeps those together.
void log_line(std::string_view line) noexcept;

/// The same for stderr.
void log_error(std::string_view line) noexcept;

/// For main(), before anything else is opened: opens in place of the descriptors 0, 1 and 2 that
/// are closed one that nothing can be read from or written to. Otherwise the next socket would get
/// the number, and what is meant for stdout would go to a client.
void occupy_standard_descriptors() noexcept;

/// From now on log_line() and log_error() outlive those who read them, and a limit of the file's
/// size: SIGPIPE and SIGXFSZ do not end the process while it writes a line. What a send(2) without
/// MSG_NOSIGNAL does remains as it was.
void survive_readers_of_the_log() noexcept;

}  // namespace socketserver
