#pragma once

// The child between fork and exec. (The harness has one thread, so that the child may do whatever
// the parent might.)

#include <sys/types.h>

#include "process.hpp"

namespace kit {

/// What the parent is told if the child cannot become the program.
struct ChildError {
  int error;
  char call[24];
};

/// Its ends of what will be its standard streams.
struct ChildStreams {
  int in, out, err;
};

/// Makes the child what the options say, and then the program; writes a ChildError to `report` if
/// that cannot be. `parent` is who has forked it.
[[noreturn]] void become_program(const ProcessOptions& options, ChildStreams streams, int report,
                                 pid_t parent);

}  // namespace kit
