#pragma once

#include <cerrno>
#include <system_error>

namespace socketserver {

/// Throws std::system_error for `error` (an errno value); its text begins with the name of the
/// call: "bind: Address already in use".
[[noreturn]] void throw_system_error(const char* call, int error = errno);

/// Passes the result of a system call through, or throws std::system_error naming `call` if it is
/// -1: `const int fd = check(socket(AF_INET, SOCK_STREAM, 0), "socket");`
template <class Result>
Result check(Result result, const char* call) {
  if (result == Result{-1}) throw_system_error(call);
  return result;
}

}  // namespace socketserver
