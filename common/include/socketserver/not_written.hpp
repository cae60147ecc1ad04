#pragma once

namespace socketserver {

/// The exit status of a program that ran into a part that the learner has not written yet.
inline constexpr int not_written_status = 86;

/// Ends the process because the learner has not written this part yet.
///
/// Prints one line on stderr, `not written: TCPServer::server_bind (01.C)  FILE:LINE`, and leaves
/// by _exit(2) with not_written_status. It does not throw: an exception would be swallowed by the
/// very server it is thrown in. May be called on any thread and in a forked child.
///
/// @param task  the task on the lesson's page, such as "01.C"
/// @param what  the function that is to be written
/// @param file  filled in by the compiler: the caller's file
/// @param line  filled in by the compiler: the caller's line
[[noreturn]] void not_written(const char* task, const char* what,
                              const char* file = __builtin_FILE(),
                              int line = __builtin_LINE()) noexcept;

}  // namespace socketserver
