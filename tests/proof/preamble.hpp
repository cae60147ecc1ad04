#pragma once

#include <filesystem>
#include <string>

namespace kit {

/// The #include lines that a source begins with, in the order in which a compiler comes upon them.
/// A header of `own`, the learner's folder, is not named but entered. Nothing else may stand
/// between them than comments, #pragma once, #if and #endif: at the first other line the reading
/// ends. So whoever compiles this text first, and then the source, has compiled the source and no
/// more: an #include that was forgotten is still missing.
std::string preamble_of(const std::filesystem::path& source, const std::filesystem::path& own);

}  // namespace kit
