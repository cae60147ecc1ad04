#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "harness/base/descriptor.hpp"

namespace kit {

/// Notices that files of a folder were saved: by inotify(7) or kqueue(2) at once, and elsewhere, as
/// on a network's file system that tells nobody, by looking.
class FileWatch {
 public:
  explicit FileWatch(std::filesystem::path folder);

  /// Readable when something may have happened; -1 where there is nothing to wait on.
  int fd() const { return events_.get(); }

  /// Whether a file was saved, made or removed since the last call. Never blocks. To be called when
  /// fd() is readable, and every second or so besides.
  bool changed();

 private:
  void wait_for_files();
  std::string state() const;

  std::filesystem::path folder_;
  std::string seen_;
  Descriptor events_;
  std::vector<Descriptor> files_;  ///< kqueue waits on descriptors
};

}  // namespace kit
