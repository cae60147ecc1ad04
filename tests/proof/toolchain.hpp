#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace kit {

/// How the kit was configured: what it takes to build a candidate of each lesson the way CMake
/// built the lesson itself. Read from build/kit/toolchain.txt.
struct Toolchain {
  using Arguments = std::vector<std::string>;

  std::string compiler;
  std::map<std::string, Arguments> flags;     ///< by build: "plain", "checked", "raced"
  std::map<std::string, Arguments> includes;  ///< by lesson: folders
  std::map<std::pair<std::string, std::string>, Arguments> links;  ///< by lesson and build
};

/// Reads toolchain.txt: lines of words separated by tabs,
///
///     compiler  /usr/bin/c++
///     flags     checked  -std=c++20 -O1 -fsanitize=address,undefined
///     include   01_tcp_echo  /path/to/common/include
///     link      01_tcp_echo  checked  /path/to/libcommon.a -pthread
///
/// A tab stands before each flag too, so that a path may have spaces; other lines are left to their
/// readers.
/// @throws std::runtime_error if the file cannot be read or says nothing of a compiler
Toolchain read_toolchain(const std::filesystem::path& file);

}  // namespace kit
