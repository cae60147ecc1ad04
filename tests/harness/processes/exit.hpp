#pragma once

// How a process ended, in words.

#include <string>

namespace kit {

/// How a process ended.
struct Exit {
  int code = -1;   ///< exit status, or -1
  int signal = 0;  ///< the signal that killed it, or 0

  bool clean(int expected = 0) const { return signal == 0 && code == expected; }
  /// "exit 0", "killed by SIGSEGV (an access outside its memory)".
  std::string text() const;
  friend bool operator==(const Exit&, const Exit&) = default;
};

/// SIGTERM -> "SIGTERM".
std::string signal_name(int number);

}  // namespace kit
