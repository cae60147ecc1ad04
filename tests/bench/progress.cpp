#include "progress.hpp"

#include <unistd.h>

#include <iostream>

namespace kit::bench {

using Clock = std::chrono::steady_clock;

namespace {
constexpr std::chrono::seconds between_lines{5};
}

Progress::Progress() : terminal_(::isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  clear();
}

void Progress::clear() {
  if (terminal_ && shown_) std::cerr << "\r\033[K" << std::flush;
  shown_ = false;
}

void Progress::show(int step, int steps, const std::string& what) {
  const auto now = Clock::now();
  if (!terminal_ && now - last_ < between_lines) return;
  last_ = now;
  clear();
  std::cerr << "[" << step << "/" << steps << "] " << what << (terminal_ ? "" : "\n") << std::flush;
  shown_ = true;
}

void Progress::say(const std::string& line) {
  clear();
  std::cerr << line << '\n';
}

}  // namespace kit::bench
