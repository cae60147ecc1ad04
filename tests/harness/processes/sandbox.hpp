#pragma once

// A place to run programs that are not trusted: a private folder and, where the check runs as root,
// a user of its own. Nothing of it is left when it ends. Knows nothing of steps: the grader
// compiles in it.

#include <sys/types.h>

#include <optional>
#include <string>

#include "harness/base/descriptor.hpp"
#include "process.hpp"

namespace kit {

/// A uid that no other check uses meanwhile, given back at the end: claimed by a lock file, and for
/// those who see other files (in a container, say) by a group of that number, which this process is
/// in as long.
class User {
 public:
  /// Nothing unless this process is root. `first` is tried first. Throws std::runtime_error if all
  /// are taken.
  static std::optional<User> claim(std::optional<uid_t> first = std::nullopt);
  User(User&&) = default;
  User& operator=(User&&) = delete;
  ~User();
  uid_t uid() const { return uid_; }

 private:
  User(uid_t uid, Descriptor lock) : uid_(uid), lock_(std::move(lock)) {}
  uid_t uid_;
  Descriptor lock_;
};

class Sandbox {
 public:
  Sandbox();

  /// Ends every process of its user and every orphan; removes the folder, whatever became of it.
  ~Sandbox();
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;

  /// The private folder: absolute, 17 bytes long (21 under KIT_CONFINE), mode 0700, owned by the
  /// sandbox's user.
  const std::string& folder() const { return folder_; }

  std::optional<uid_t> user() const;

  /// The path under which the sandbox's user can read and run this file: itself, or a copy if a
  /// folder above it is closed to others.
  std::string reachable(const std::string& file);

  /// Gives a file (a socket that the check has bound, say) to the sandbox's user.
  void give(const std::string& path) const;

  /// A folder inside `folder()`, owned by the sandbox's user. Returns its path.
  std::string make_folder(const std::string& name) const;

  /// Options for a program in this sandbox: its user, its folder, limits that fit.
  ProcessOptions options() const;

  /// Ends every process that was started in here, wherever it went. Returns how many orphans were
  /// found running.
  std::size_t end_processes() noexcept;

 private:
  std::string base_;    // /tmp/kit-XXXXXX, say: ours, others may only pass through
  std::string folder_;  // base_/f
  Descriptor lock_;     // says that the owner of base_ lives
  std::optional<User> user_;
};

/// Removes a folder and all in it: unreadable folders, links and trees of any depth. False: some of
/// it is left.
bool remove_tree(const std::string& path) noexcept;

}  // namespace kit
