#pragma once

// Lines for the frames of a sanitizer's report that came without.

#include <string>
#include <string_view>

namespace kit {

/// The report, with " FILE:LINE" behind each frame of the program that names none: GCC's sanitizers
/// do not find the lines of templates. Asks addr2line(1); where there is none, the report stays as
/// it is. `program` is the path of the program.
std::string with_lines(std::string_view report, const std::string& program);

}  // namespace kit
