#pragma once

#include <chrono>
#include <string>

namespace kit::bench {

/// One line on stderr that says how far the benchmark is. On a terminal it is written over itself;
/// elsewhere, where every line stays, only one every few seconds.
class Progress {
 public:
  Progress();
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `step` of `steps`, and what is being done.
  void show(int step, int steps, const std::string& what);

  /// A line that stays, and the progress line below it.
  void say(const std::string& line);

 private:
  void clear();

  bool terminal_;
  bool shown_ = false;
  std::chrono::steady_clock::time_point last_{};
};

}  // namespace kit::bench
