#pragma once

#include <optional>
#include <string>
#include <vector>

#include "load.hpp"
#include "results.hpp"

namespace kit::bench {

/// Starts a server, runs a load against it, ends it, and says what it cost. A Fault of the server
/// stands in the row.
///
/// @param words      the program and its arguments; `--port 0`, or `--path` for the Unix kinds, is
///                   added, and `--directory` for HTTP
/// @param processor  the one the server may run on, if any
/// @throws CannotStart, Interrupted, std::system_error
Row measure(const std::string& id, const std::vector<std::string>& words, const Load& load,
            const Timing& timing, std::optional<int> processor, bool with_memory);

}  // namespace kit::bench
