#pragma once

// Reading /proc: what the files of proc.hpp share.

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace kit::proc {

/// The whole text of a file; nothing if it cannot be read.
std::optional<std::string> read_file(const std::string& path);

/// The names in a folder of /proc that are numbers, in order.
std::vector<pid_t> numbers_in(const std::string& folder);

/// "/proc/4711".
std::string folder_of(pid_t pid);

/// Where a symbolic link leads; empty if it is none.
std::string link_of(const std::string& path);

}  // namespace kit::proc
