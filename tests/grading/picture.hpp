#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "harness/base/manifest.hpp"

namespace kit {

/// What happened in a failed step, drawn: the check on the left, the learner's program (`whose`:
/// "server") on the right, and between them what one sent to the other. Made of the step's report;
/// empty if that tells no story.
std::string story_picture(std::string_view report, const std::string& whose);

/// The same as an SVG with every call, of what the check has seen (the file that KIT_SHOW names).
/// Nobody vouches for that file: what it says is drawn here, so the picture holds text and nothing
/// else. Empty if it is no plain file, too large, or tells of no failure.
std::string seen_picture(const std::filesystem::path& seen, const StepEntry& step);

}  // namespace kit
