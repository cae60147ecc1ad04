#pragma once

#include <socketserver/file_descriptor.hpp>
#include <socketserver/http_message.hpp>
#include <socketserver/http_path.hpp>
#include <socketserver/http_response.hpp>

#include <string>

namespace socketserver {

/// A folder that is shown to strangers: its files, those of the folders in it, and nothing else.
///
/// It is opened once, and every name is opened from there, one step at a time, without following
/// links: whatever a path looks like, it cannot name what is not below. Callable from any thread.
/// Python's `SimpleHTTPRequestHandler` does this with texts.
class Folder {
 public:
  /// No folder: nothing is found in it.
  Folder() noexcept = default;

  /// @throws std::system_error naming open
  explicit Folder(const std::string& path);

  /// The answer to GET or HEAD: a file, a part of one, or "not modified"; the page "index.html" of
  /// a folder, or the list of what is in it; 301 to the name with a slash, for a folder without;
  /// 404 for what is not there, is no file, or may not be read; 503 if no descriptor is left.
  /// @throws HttpError 400 for a target that names nothing
  [[nodiscard]] HttpResponse answer(const RequestHead& head) const;

 private:
  [[nodiscard]] HttpResponse answer_folder(FileDescriptor folder, const TargetPath& path,
                                           const RequestHead& head) const;
  FileDescriptor top_;
};

}  // namespace socketserver
