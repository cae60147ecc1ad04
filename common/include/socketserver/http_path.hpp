#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace socketserver {

/// What a request's target names, taken apart. Made of bytes that a stranger has chosen: nothing in
/// it leads upwards.
struct TargetPath {
  std::vector<std::string> names;  ///< decoded, one for each step down from the top
  bool ends_in_slash = true;       ///< "/a/" names a folder
  std::string query;               ///< what stands behind "?", as it came

  /// The path again, percent-encoded, beginning with one slash.
  [[nodiscard]] std::string encoded() const;

  /// The path as a person reads it. Escape it before it is shown.
  [[nodiscard]] std::string decoded() const;
};

/// Reads "/a/b?c", and "http://host/a/b?c", which means the same (RFC 9112, 3.2).
///
/// Decodes once, then takes apart, then goes up where ".." says so, but never above the top: in any
/// other order, "%2e%2e%2f" gets by. Two slashes count as one, as to the kernel, and "%2f" is a
/// slash, which no file's name can have; to RFC 3986 an empty segment stands between the two
/// (5.2.4), and the other is data (2.4). Python: as here.
/// @throws HttpError 400 if it is neither form, cannot be decoded, or has a NUL byte in it
[[nodiscard]] TargetPath path_of(std::string_view target);

}  // namespace socketserver
