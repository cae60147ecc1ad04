#pragma once

#include <string_view>

namespace socketserver {

/// Writes to stderr what log_error() does: `what`, a colon and `why`. Needs no memory: there may be
/// none left, and that may be why.
void log_failure(std::string_view what, std::string_view why) noexcept;

/// For a catch block: what the exception says that is being handled, while it is. Needs no memory.
[[nodiscard]] const char* current_exception_text() noexcept;

}  // namespace socketserver
