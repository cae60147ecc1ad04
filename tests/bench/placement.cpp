#include "placement.hpp"

#if defined(__linux__)

#include <sched.h>

#include <fstream>
#include <string>
#include <vector>

namespace kit::bench {
namespace {

std::vector<int> allowed_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> processors;
  if (::sched_getaffinity(0, sizeof set, &set) == -1) return processors;
  for (int i = 0; i < CPU_SETSIZE; ++i)
    if (CPU_ISSET(static_cast<unsigned>(i), &set)) processors.push_back(i);
  return processors;
}

// Two threads of one core are in each other's way. The kernel lists "0,4" or "0-1", the lowest
// number first: the core's name, so to say.
std::string core_of(int processor) {
  std::ifstream file("/sys/devices/system/cpu/cpu" + std::to_string(processor) +
                     "/topology/thread_siblings_list");
  std::string siblings;
  std::getline(file, siblings);
  return siblings;
}

}  // namespace

Placement one_processor_each() {
  const std::vector<int> processors = allowed_processors();
  if (processors.size() < 2) return {};
  Placement placement{processors[0], processors[1]};
  const std::string core = core_of(processors[0]);
  for (const int processor : processors) {
    if (core_of(processor) == core) continue;
    placement.generator = processor;
    break;
  }
  return placement;
}

void run_on(int processor) noexcept {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<unsigned>(processor), &set);
  ::sched_setaffinity(0, sizeof set, &set);
}

}  // namespace kit::bench

#else

namespace kit::bench {

Placement one_processor_each() {
  return {};
}

void run_on(int /*processor*/) noexcept {}

}  // namespace kit::bench

#endif
