#pragma once

// What the sections of a report share.

#include <cstddef>
#include <string>
#include <string_view>

namespace kit {

class Step;
struct Diagnosis;

/// Where a learner's shell stands: everything is shown relative to the root of the sources.
inline constexpr const char* build_folder = "build/";

/// How much of everything a report shows: a reader takes in so many lines and no more.
struct Room {
  std::size_t story, trace, stderr_lines;
  std::size_t descriptors;  // of a program that hangs
  std::size_t by_hand;      // lines that show it without the check
};

/// The head of a section.
std::string title(std::string_view text);

/// Running text: broken at blanks, each line indented by four.
std::string wrapped(std::string_view text);

/// "see it yourself": the command that shows the step again, and lines that do it by hand where those
/// show it too. (see_it_yourself.cpp)
std::string see_section(const Step& step, const Diagnosis& diagnosis, const Room& room);

}  // namespace kit
