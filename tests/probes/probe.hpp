#pragma once

// What a probe says to its check: lines that begin with the nonce it was given, so that nothing
// that the learner's files print can pass for one. Only a probe's main includes this file: what it
// knows has no name outside.

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace probe {
namespace {

constexpr std::size_t longest_nonce = 63;
char kept_nonce[longest_nonce + 1];

/// Keeps the nonce, and wipes it where it came from (/proc/self/environ shows that memory): before
/// a slot's constructor can read it. Nothing is initialized yet, not even the sanitizers.
__attribute__((no_sanitize("address", "thread", "undefined"))) void take_nonce(int, char**,
                                                                               char** variables) {
  for (; variables != nullptr && *variables != nullptr; ++variables) {
    const char* name = "KIT_NONCE=";
    char* text = *variables;
    while (*name != '\0' && *text == *name) ++text, ++name;
    if (*name != '\0') continue;
    for (std::size_t i = 0; i < longest_nonce && *text != '\0'; ++i, ++text) {
      kept_nonce[i] = *text;
      *text = '-';
    }
  }
}

#if defined(__GLIBC__)
__attribute__((section(".preinit_array"), used)) void (*take_first)(int, char**,
                                                                    char**) = take_nonce;
#else
__attribute__((constructor(101))) void take_first() {
  extern char** environ;
  take_nonce(0, nullptr, environ);
}
#endif

/// The nonce and a blank; empty if the probe is run by hand.
[[maybe_unused]] const std::string& nonce() {
  static const std::string text = [] {
    ::unsetenv("KIT_NONCE");
    return kept_nonce[0] == '\0' ? std::string() : std::string(kept_nonce) + ' ';
  }();
  return text;
}

/// One line for the check.
[[maybe_unused]] void say(const std::string& text) {
  std::printf("%s%s\n", nonce().c_str(), text.c_str());
  std::fflush(stdout);
}

}  // namespace
}  // namespace probe
