#pragma once

// A file that somebody else has written, and may still be changing: a learner's source, what a
// judged program could have put where the kit reads.

#include <sys/stat.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "descriptor.hpp"

namespace kit {

/// What stands at a path, for a sentence: "a link", "a folder", …
const char* kind_of(mode_t mode);

class PlainFile {
 public:
  /// Opens what `name` is in the folder `at` (AT_FDCWD: as open(2) takes it), if it is a file of at
  /// most `most` bytes. Follows no link, opens no device, waits for nobody who would write to a
  /// pipe.
  PlainFile(int at, const std::string& name, std::size_t most);

  /// Why it is not taken, to go on behind a name: "is a pipe, no file."; empty as long as it is.
  const std::string& why_not() const { return why_not_; }
  /// Nothing of that name is there (why_not() says that, too).
  bool missing() const { return missing_; }
  /// Of the file that was opened.
  const struct stat& status() const { return status_; }

  /// The next bytes; none at its end, and none once it is not taken: it has grown beyond `most`, or
  /// cannot be read. They stand until the next call.
  std::string_view next();
  /// All that is left of it; nothing if it is not taken.
  std::optional<std::string> text();

 private:
  void refuse_kind();

  Descriptor file_;
  struct stat status_ {};
  std::size_t most_;
  std::size_t taken_ = 0;
  std::vector<char> buffer_;
  std::string why_not_;
  bool missing_ = false;
};

}  // namespace kit
