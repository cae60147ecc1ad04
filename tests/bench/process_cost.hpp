#pragma once

#include <sys/types.h>

#include <vector>

namespace kit::bench {

/// What a server and its children have used of the processor up to now.
struct ProcessorTime {
  double seconds = 0;           ///< of all living processes; threads, also ended ones, included
  bool children_ended = false;  ///< there were children whose time is no longer in `seconds`
};

/// What a server and its children hold at one moment. NaN where the system does not say.
struct Memory {
  double user_kib = 0;         ///< a page shared by n processes counts 1/n in each (PSS)
  double page_tables_kib = 0;  ///< what the kernel needs to map it
  double threads = 0;          ///< in all processes together
  double processes = 0;
};

/// The process and all that descend from it. Linux; elsewhere the process alone.
std::vector<pid_t> process_tree(pid_t root);

/// Nanosecond clocks, not the 10 ms ticks of /proc/PID/stat: a measurement here may last 50 ms.
ProcessorTime processor_time(pid_t root);

/// Reads /proc/PID/smaps_rollup and status. Costs the kernel a walk over every page: not to be
/// called while something is measured.
Memory memory(pid_t root);

}  // namespace kit::bench
