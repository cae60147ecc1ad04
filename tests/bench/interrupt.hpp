#pragma once

#include <exception>

namespace kit::bench {

/// Thrown once SIGINT, SIGTERM or SIGHUP has come, so that every server is ended and every socket
/// file removed on the way out.
struct Interrupted : std::exception {
  const char* what() const noexcept override { return "interrupted"; }
};

/// From now on those three signals are remembered instead of ending the program, and SIGPIPE is
/// ignored: a server that is gone is an error of send(2), not the end of the benchmark.
void watch_for_interrupts();

/// Whether one of the three has come.
bool interrupted() noexcept;

/// @throws Interrupted if one of the three has come. Every loop that waits calls it.
void stop_if_interrupted();

}  // namespace kit::bench
