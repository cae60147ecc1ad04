#pragma once

// A step that was seen, in two columns for a terminal.

#include <cstddef>
#include <string>
#include <vector>

#include "harness/shown/replay.hpp"

namespace kit {

struct ShownRow {
  enum class Kind { act, call, told, fault, gap };  ///< told: a call that the check made fail
  Kind kind = Kind::act;
  std::vector<std::string> lines{};  ///< of at most 80 columns
};

/// What stands above them: the step's name, and whose column is which.
std::vector<std::string> heading_of(const Replay& replay);

/// On the left what the check did, on the right what the programs called, in their order.
std::vector<ShownRow> columns_of(const Replay& replay);

/// What stands below: the verdict, and how to see the same again.
std::vector<std::string> ending_of(const Replay& replay);

}  // namespace kit
