#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace socketserver {

/// A part of a file: bytes [first, first + size).
struct ByteRange {
  std::uint64_t first = 0;  ///< the first byte, counted from 0
  std::uint64_t size = 0;   ///< how many
};

/// What a Range asks of a file. RFC 9110, 14.1.
struct RangeAnswer {
  /// How it is answered.
  enum class Kind {
    whole,          ///< nothing that is served here: the answer is the file, with 200
    part,           ///< 206
    unsatisfiable,  ///< 416
  };
  Kind kind = Kind::whole;  ///< how it is answered
  ByteRange range;          ///< which part, if it is one
};

/// Reads "bytes=0-99", "bytes=100-" or "bytes=-100" for a file of `size` bytes.
///
/// What is not understood is as if it were not there: another unit, several ranges, a last byte
/// before the first. A server may ignore a Range, and must where it makes no sense.
[[nodiscard]] RangeAnswer range_of(std::string_view text, std::uint64_t size);

/// "bytes 0-99/1000". RFC 9110, 14.4.
[[nodiscard]] std::string content_range(const ByteRange& range, std::uint64_t size);

}  // namespace socketserver
