#pragma once

// Lines for the frames of a sanitizer's report that came without, and for calls that the recorder
// has noticed.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kit {

/// The report, with " FILE:LINE" behind each frame of the program that names none: GCC's sanitizers
/// do not find the lines of templates. Asks addr2line(1); where there is none, the report stays as
/// it is. `program` is the path of the program.
std::string with_lines(std::string_view report, const std::string& program);

/// "FILE:LINE" of each of these places of the program at which a call returns, those of functions
/// that were put into others in between; without those that nothing is known of.
std::vector<std::string> lines_at(const std::vector<std::uint64_t>& callers,
                                  const std::string& program);

}  // namespace kit
