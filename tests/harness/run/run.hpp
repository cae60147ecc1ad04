#pragma once

// Running one step, from its name to its verdict.

#include <string_view>

namespace kit {

class Step;

using StepBody = void (*)(Step&);

/// Runs a step: reads the manifest, prepares the place, runs the body, cleans up, prints the report
/// of a failure, writes KIT_RESULT and keeps the verdict. Throws nothing.
void run_step(const char* id, const char* title, StepBody body) noexcept;

/// The exit status for what ran so far: 0, 1, 77 or 99 (the gravest of several); 99 if nothing ran.
int verdict() noexcept;

/// Where reports are printed: a descriptor, 1 unless this is called.
void print_to(int fd) noexcept;

/// Prints there.
void print(std::string_view text) noexcept;

/// Makes a step known to Catch2 as the test case "ID TITLE" with the tag [ID]. (verdict.cpp)
bool register_step(const char* id, const char* title, void (*test)());

}  // namespace kit
