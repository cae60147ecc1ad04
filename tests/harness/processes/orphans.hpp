#pragma once

// What outlives the process that has started it.

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <vector>

namespace kit {

/// Makes this process the one that orphans of its descendants are given to (Linux). Called by the
/// first Process; harmless to repeat.
void adopt_orphans();

/// Descendants that outlived the process that started them (Linux): running, and not a Process.
std::vector<pid_t> orphans();

/// Ends all orphans, whatever they do: as `user` if that is given (then everything of that user).
/// Returns how many were found running. Never throws.
std::size_t end_orphans(std::optional<uid_t> user) noexcept;

}  // namespace kit
