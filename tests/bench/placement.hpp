#pragma once

#include <optional>

namespace kit::bench {

/// Which processor each side runs on. Nothing chosen: wherever the kernel likes.
struct Placement {
  std::optional<int> server;
  std::optional<int> generator;
};

/// One processor for the server and another for the load generator, so that neither is moved about
/// and every design has the same to work with. Two cores are preferred to the two threads of one
/// core. Empty where there is only one processor, or no way to ask (macOS).
Placement one_processor_each();

/// Lets the calling thread, and what it starts from now on, run on `processor` alone. Safe between
/// fork and exec. What the kernel says is ignored: a benchmark that may not choose still measures.
void run_on(int processor) noexcept;

}  // namespace kit::bench
