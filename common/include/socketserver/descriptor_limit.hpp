#pragma once

#include <cstddef>

namespace socketserver {

/// Lets this process have as many descriptors open as it may: a connection is one of them, and the
/// usual limit is 1,024. Raises the soft limit to the hard one, and that one too if the process
/// may.
///
/// @param wanted  how many the program would like to have
/// @returns how many it may have now, which may be fewer. See getrlimit(2), RLIMIT_NOFILE.
std::size_t raise_descriptor_limit(std::size_t wanted) noexcept;

}  // namespace socketserver
