#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace kit::bench {

/// What the file of `size` bytes holds: no two lines of it are alike, so that a piece in the wrong
/// place is as wrong as a changed byte.
std::string http_content(std::size_t size);

/// What it is asked for by: "/file-1000".
std::string http_target(std::size_t size);

/// Puts it into `folder`, which is made if it is not there.
/// @throws std::runtime_error with a sentence if it cannot be written
void write_http_file(const std::filesystem::path& folder, std::size_t size);

}  // namespace kit::bench
