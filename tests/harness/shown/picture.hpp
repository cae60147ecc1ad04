#pragma once

// A step that was seen, as a picture: a lane for each partner and for each process or thread of the
// program, time downwards.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "replay.hpp"

namespace kit {

/// Bytes, or their end, from one event to another.
struct Arrow {
  std::size_t from = 0;           ///< index of the event
  std::optional<std::size_t> to;  ///< nothing: they have not arrived
  bool to_program = true;         ///< else to a partner
  bool end = false;               ///< no more bytes: end of file, a reset
  std::string label{};            ///< `"hello "`, "65,536 bytes"
};

/// Which bytes of a partner a call has taken, and the other way: by the order in which connections
/// are accepted and bytes come, and of datagrams by what they hold.
std::vector<Arrow> arrows_of(const Replay& replay);

/// A self-contained SVG, for light and dark screens. No text is wider than its column: what does
/// not fit is cut, and stands whole in the text's <title>.
std::string picture_of(const Replay& replay);

}  // namespace kit
