#pragma once

#include <string>
#include <string_view>

namespace kit {

/// What happened in a failed step, drawn: the check on the left, the learner's program (`whose`:
/// "server") on the right, and between them what one sent to the other. Made of the step's report;
/// empty if that tells no story.
std::string story_picture(std::string_view report, const std::string& whose);

}  // namespace kit
